// The looks: one style sheet, all of whose colours and measures a page may set.

// Own variables are set on the host, so their names must not be those of the page around it.
export const STYLES = `
:host { --_accent: var(--carillon-accent, light-dark(#9a5413, #e09a4f)); --_on-accent: var(--carillon-on-accent, light-dark(#fff, #1c1206));
  --_paper: var(--carillon-background, light-dark(#fff, #1f1c19)); --_ink: var(--carillon-text, light-dark(#1d1a16, #ece7df));
  --_soft: var(--carillon-muted, light-dark(#665f55, #a99f92)); --_line: var(--carillon-line, light-dark(#e5e0d8, #3a342e));
  --_hover: var(--carillon-hover, light-dark(#f6f3ee, #292520)); --_warn: var(--carillon-notice, light-dark(#fdf1dc, #3a2a0d));
  display: inline-block; position: relative; font: var(--carillon-font, 14px/1.5 system-ui, sans-serif); color: var(--_ink); }
:host([hidden]), [hidden] { display: none !important; }
:host([layout="inline"]) { display: block; }
:host([theme="light"]) { color-scheme: light; } :host([theme="dark"]) { color-scheme: dark; }
* { box-sizing: border-box; }
button { font: inherit; color: inherit; background: none; border: 0; border-radius: 8px; cursor: pointer; padding: .35rem .6rem; }
button:hover { background: var(--_hover); } button:disabled { opacity: .5; cursor: default; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: -2px; }
svg { display: block; width: 1.25rem; height: 1.25rem; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
.icon { padding: .4rem; color: var(--_soft); } .icon:hover { color: var(--_ink); } .icon svg { width: 1.1rem; height: 1.1rem; }
.bell { position: relative; padding: .55rem; border-radius: 50%; } .bell svg { width: 1.5rem; height: 1.5rem; }
.badge { position: absolute; inset-block-start: 0; inset-inline-end: 0; min-width: 1.2rem; height: 1.2rem; padding: 0 .3rem; border-radius: 99px; background: var(--_accent); color: var(--_on-accent); font-size: .72rem; font-weight: 700; line-height: 1.2rem; text-align: center; pointer-events: none; }
.panel { display: flex; flex-direction: column; min-width: 0; width: 100%; max-height: var(--carillon-height, 32rem); background: var(--_paper); color: var(--_ink); overflow: hidden; }
.panel[popover] { position: fixed; inset: auto; margin: 0; padding: 0; width: min(var(--carillon-width, 25rem), calc(100vw - 1rem)); max-height: min(var(--carillon-height, 36rem), calc(100dvh - 1rem)); border: 1px solid var(--_line); border-radius: var(--carillon-radius, 14px); box-shadow: 0 12px 40px rgb(0 0 0 / .22); }
.panel[popover]:not(:popover-open) { display: none; }
header { display: flex; align-items: center; gap: .25rem; padding: .7rem .5rem .3rem 1rem; padding-inline: 1rem .5rem; }
h2 { flex: 1; margin: 0; font-size: 1.05rem; } .all-read { font-size: .86rem; color: var(--_accent); font-weight: 600; }
.tabs { display: flex; gap: .25rem; padding: 0 .6rem; border-block-end: 1px solid var(--_line); }
.tabs button { padding: .45rem .6rem; border-radius: 8px 8px 0 0; color: var(--_soft); }
.tabs button[aria-selected="true"] { color: var(--_ink); font-weight: 600; box-shadow: inset 0 -2px 0 var(--_accent); }
.notice { margin: 0; padding: .5rem 1rem; background: var(--_warn); font-size: .88rem; } .notice button, .more button { text-decoration: underline; padding: .1rem .3rem; }
.scroll { overflow-y: auto; overscroll-behavior: contain; min-height: 0; flex: 1; }
.list { list-style: none; margin: 0; padding: 0; } .list > li + li { border-block-start: 1px solid var(--_line); }
article { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 .5rem; padding: .7rem .5rem .7rem 1.6rem; padding-inline: 1.6rem .5rem; position: relative; }
article:hover { background: var(--_hover); }
.is-unread article::before { content: ""; position: absolute; inset-inline-start: .65rem; inset-block-start: 1.15rem; width: .5rem; height: .5rem; border-radius: 50%; background: var(--_accent); }
h3 { margin: 0; font: inherit; overflow-wrap: anywhere; } .is-unread h3 { font-weight: 650; }
a { color: var(--_accent); } h3 a { color: inherit; text-decoration: underline 1px var(--_soft); text-underline-offset: 3px; }
.body { color: var(--_soft); overflow-wrap: anywhere; } .body p { margin: .1rem 0 0; white-space: pre-line; } .body ul { margin: .2rem 0 0; padding-inline-start: 1.1rem; }
code { font-size: .9em; background: var(--_hover); padding: 0 .25em; border-radius: 4px; }
.meta { display: flex; flex-wrap: wrap; gap: 0 .6rem; margin-block-start: .25rem; font-size: .82rem; color: var(--_soft); }
.actions { display: flex; align-self: start; grid-column: 2; grid-row: 1 / span 3; }
.duty { grid-column: 1 / -1; margin-block-start: .4rem; font-size: .88rem; } .acknowledge { border: 1px solid var(--_accent); color: var(--_accent); font-weight: 600; padding: .25rem .8rem; }
.acknowledged { color: var(--_soft); } .acknowledged::before { content: "\\2713\\a0"; }
.empty, .more { margin: 0; padding: 1.4rem 1.2rem; text-align: center; color: var(--_soft); } .more { padding: .7rem; min-height: 1px; } .more:empty { padding: 0; }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.arrived { animation: arrived 2.5s ease-out; } @keyframes arrived { from { background: var(--_warn); } }
@media (prefers-reduced-motion: reduce) { .arrived { animation: none; } }
@media (forced-colors: active) { .is-unread article::before { background: Highlight; forced-color-adjust: none; } .tabs button[aria-selected="true"] { border-block-end: 2px solid; } .badge { border: 1px solid; } }
@media (max-width: 480px) { .panel[popover] { inset: 0; width: auto; height: 100dvh; max-width: none; max-height: none; border: 0; border-radius: 0; } .icon { padding: .6rem; } }
`;
