// Small pieces of page: nodes are built, never HTML from text.

export function node(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made && !name.startsWith("aria")) made[name] = value;
    else if (value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

export function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

export const ICONS = {
  bell: "M6 9.5a6 6 0 0 1 12 0c0 5.5 2.2 6.8 2.2 7.5H3.8C3.8 16.3 6 15 6 9.5M9.8 20.2a2.4 2.4 0 0 0 4.4 0",
  read: "M5 12.5l4.5 4.5L19 7.5",
  unread: "M12 7.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9",
  archive: "M4 4.5h16V9H4zM5.5 9v10.5h13V9M10 13h4",
  restore: "M4 13.5v6h16v-6M12 15V4.5M7.5 9L12 4.5L16.5 9",
  delete: "M5 7h14M9.5 7V4.5h5V7M7 7l.8 12.5h8.4L17 7M10.3 10.5v5.5M13.7 10.5v5.5",
  close: "M6 6l12 12M18 6L6 18",
};

// Where a message may lead: what `new URL` makes of it has to be a page or an address, never a script.
export function safeUrl(text) {
  try {
    const url = new URL(text, location.href);
    return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

export function link(url, text) {
  const made = node("a", { href: url.href, textContent: text });
  if (url.origin !== location.origin) Object.assign(made, { target: "_blank", rel: "noopener noreferrer" });
  return made;
}
