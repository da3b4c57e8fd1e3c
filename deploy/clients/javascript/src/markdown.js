// A message's Markdown as nodes.

import { link, node, safeUrl } from "./nodes.js";

const INLINE = /\*\*(.+?)\*\*|\*(\S(?:[^*]*\S)?)\*|`([^`]+)`|\[([^\]]+)\]\(([^\s)]+)\)/g;
const BULLET = /^\s*[-*+] /;

/** Enough Markdown for a message: paragraphs, lists, bold, emphasis, code, links. Everything else stays text. */
export function markdown(text) {
  const root = document.createDocumentFragment();
  for (const block of text.trim().split(/\n\s*\n/)) {
    const lines = block.split("\n");
    if (lines.every((line) => BULLET.test(line))) {
      root.append(node("ul", {}, ...lines.map((line) => withInline(node("li"), line.replace(BULLET, "")))));
    } else if (block) {
      root.append(withInline(node("p"), block.replace(/^#+ /gm, "")));
    }
  }
  return root;
}

function withInline(parent, text) {
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    const [whole, bold, emphasis, code, label, target] = found;
    const url = target && safeUrl(target);
    const made = url ? link(url, label) : target ? whole : node(bold ? "strong" : emphasis ? "em" : "code", { textContent: bold ?? emphasis ?? code });
    parent.append(text.slice(at, found.index), made);
    at = found.index + whole.length;
  }
  parent.append(text.slice(at));
  return parent;
}
