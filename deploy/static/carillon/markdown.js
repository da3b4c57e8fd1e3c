// Enough Markdown for a preview: paragraphs, lists, bold, emphasis, code, links. Builds nodes, never HTML from text.

const INLINE = /\*\*(.+?)\*\*|\*(\S.*?)\*|`([^`]+)`|\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)/g;

export function markdown(text) {
  const root = document.createElement("div");
  root.className = "body";
  for (const block of text.trim().split(/\n{2,}/)) {
    const lines = block.split("\n");
    const isList = lines.every((line) => /^\s*[-*+] /.test(line));
    const made = document.createElement(isList ? "ul" : "p");
    if (isList) {
      for (const line of lines) made.append(withInline(document.createElement("li"), line.replace(/^\s*[-*+] /, "")));
    } else {
      withInline(made, block.replace(/^#+ /gm, ""));
    }
    root.append(made);
  }
  return root;
}

function withInline(parent, text) {
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    parent.append(text.slice(at, found.index), inline(found));
    at = found.index + found[0].length;
  }
  parent.append(text.slice(at));
  return parent;
}

function inline([, bold, emphasis, code, label, url]) {
  const made = document.createElement(bold ? "strong" : emphasis ? "em" : code ? "code" : "a");
  made.textContent = bold ?? emphasis ?? code ?? label;
  if (url) Object.assign(made, { href: url, target: "_blank", rel: "noreferrer" });
  return made;
}
