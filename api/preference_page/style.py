"""How the pages behind links in mails look: one column, for a thumb and for a keyboard, in light and dark."""

import hashlib
from base64 import b64encode
from typing import Final

STYLE: Final = """
:root{--page:#f4f5f7;--card:#fff;--text:#1f2430;--soft:#5b6375;--line:#d9dde5;--off:#8a92a3;--accent:#2456c4;--on-accent:#fff;
--good:#1b6e3c;--good-page:#e4f4ea;--bad:#a02018;--bad-page:#fdeceb;color-scheme:light dark}
@media(prefers-color-scheme:dark){:root{--page:#14161b;--card:#1d2027;--text:#e3e6ec;--soft:#a3abbb;--line:#353a45;--off:#7b8394;
--accent:#8fb2ff;--on-accent:#10131a;--good:#8fdcab;--good-page:#17301f;--bad:#ffb0a9;--bad-page:#3a1b19}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:45rem;margin:0 auto;padding:1.5rem 1rem 4rem}
main.small{min-height:100vh;max-width:28rem;display:grid;align-content:center;text-align:center}
.brand{margin:0 0 .25rem;color:var(--soft);font-weight:600}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem}
h2{font-size:1.1rem;margin:2rem 0 .5rem}
p{margin:0 0 1rem}.soft{color:var(--soft)}
fieldset{min-width:0;margin:0 0 .75rem;padding:.75rem 1rem;border:1px solid var(--line);border-radius:.75rem;background:var(--card)}
legend{float:left;width:100%;padding:0;font-weight:600}
legend+*{clear:both}
.hint{margin:0;color:var(--soft);font-size:.9rem}
.switches{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}
label{cursor:pointer}
.switch{display:inline-flex;align-items:center;gap:.6rem;min-height:2.75rem}
.switch input{appearance:none;flex:none;position:relative;width:2.75rem;height:1.6rem;margin:0;border-radius:1rem;
background:var(--off);cursor:pointer}
.switch input::after{content:"";position:absolute;top:.2rem;left:.2rem;width:1.2rem;height:1.2rem;border-radius:50%;background:var(--card)}
.switch input:checked{background:var(--accent)}
.switch input:checked::after{left:1.35rem}
.rhythm{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem;margin-top:.25rem}
select,input[type=time]{min-height:2.75rem;padding:.25rem .6rem;border:1px solid var(--off);border-radius:.5rem;background:var(--card);
color:var(--text);font:inherit;max-width:100%}
@supports selector(:has(*)){.time,.weekday,.day:has(input[type=checkbox]:not(:checked)) .times{display:none}
.rhythm:has(option[value=daily]:checked) .time,.rhythm:has(option[value=weekly]:checked) :is(.time,.weekday){display:inline-flex;
align-items:center;gap:.5rem}}
.day{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;gap:0 1rem;padding:.15rem 0}
.day .switch{min-width:10rem}.times .hint{flex-basis:100%}
.day .times{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem}
.buttons{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1.5rem}
button,.button{flex:1 1 12rem;min-height:3rem;padding:.5rem 1rem;border:2px solid var(--accent);border-radius:.6rem;
background:var(--accent);color:var(--on-accent);font:600 1.05rem system-ui,sans-serif;cursor:pointer}
button.plain{background:transparent;color:var(--accent)}
a{color:var(--accent)}
:is(button,input,select,a):focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.note{padding:.75rem 1rem;border-radius:.6rem;background:var(--good-page);color:var(--good);font-weight:600}
.note.bad{background:var(--bad-page);color:var(--bad)}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media(max-width:30rem){.day .times{padding-left:3.35rem}}
@media(forced-colors:active){.switch input{appearance:auto}.switch input::after{content:none}}
"""
_HASH: Final = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Content-Security-Policy: nothing but the page itself and this one sheet."""
