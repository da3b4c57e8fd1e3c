"""Joins `src/*.js` into the one ES module that is served and packed. Run it after a change; a test says when it was forgotten.

No bundler: the sources are modules that import each other by name, so joining is to put each behind what it imports, and to leave
out the import lines and the `export` of what is not public. Top-level names are therefore one space, which is checked.
"""

import re
from pathlib import Path
from typing import Final

SOURCES: Final = Path(__file__).parent / "src"
JOINED: Final = Path(__file__).parents[2] / "static" / "carillon" / "inbox" / "carillon-inbox.js"
PUBLIC: Final = frozenset({"InboxClient", "CarillonInbox", "STRINGS", "markdown"})
ENTRY: Final = "element.js"
HEAD: Final = """\
// The inbox in a page: `InboxClient` speaks to Carillon's inbox socket, `<carillon-inbox>` shows what it tells.
//
//   <script type="module" src="https://carillon.example.com/static/carillon/inbox/carillon-inbox.js"></script>
//   <carillon-inbox recipient="u1"></carillon-inbox>
//   document.querySelector("carillon-inbox").getToken = async () => (await (await fetch("/my/token")).json()).token;
//
// No framework, no dependency, no HTML made from text; works under `script-src 'self'; style-src 'self'`.
// Protocol: /v1/asyncapi.json. Types and all options: carillon-inbox.d.ts. Joined from deploy/clients/javascript/src.
"""

_IMPORT: Final = re.compile(r'^import \{ ([\w, ]+) \} from "\./([\w.]+)";\n', re.MULTILINE)
_DECLARED: Final = re.compile(r"^(export )?(?:async )?(?:const|let|function|class) (\w+)", re.MULTILINE)


class JoinError(Exception):
    """The sources do not fit together."""


def join(folder: Path = SOURCES) -> str:
    """The one module."""
    texts: dict[str, str] = {}
    _gather(folder, ENTRY, texts)
    left = {path.name for path in folder.glob("*.js")} - texts.keys()
    if left:
        raise JoinError(f"nobody imports {', '.join(sorted(left))}")
    owners: dict[str, str] = {}
    for name, text in texts.items():
        for _, declared in _DECLARED.findall(text):
            if declared in owners:
                raise JoinError(f"{declared} is declared in {owners[declared]} and in {name}")
            owners[declared] = name
    return "\n".join([HEAD, *(_inside(text) for text in texts.values())])


def _gather(folder: Path, name: str, texts: dict[str, str], path: tuple[str, ...] = ()) -> None:
    """Add a source behind what it imports."""
    if name in texts:
        return
    if name in path:
        raise JoinError(f"{' > '.join((*path, name))} is a circle")
    text = (folder / name).read_text()
    for words, other in _IMPORT.findall(text):
        _gather(folder, other, texts, (*path, name))
        exported = {declared for is_exported, declared in _DECLARED.findall(texts[other]) if is_exported}
        if unknown := set(words.split(", ")) - exported:
            raise JoinError(f"{other} does not export {', '.join(sorted(unknown))}, which {name} imports")
    texts[name] = text


def _inside(text: str) -> str:
    """A source as a part of the whole."""
    kept = _IMPORT.sub("", text)
    return _DECLARED.sub(lambda found: found[0] if found[2] in PUBLIC else found[0].removeprefix("export "), kept)


if __name__ == "__main__":
    JOINED.write_text(join())
