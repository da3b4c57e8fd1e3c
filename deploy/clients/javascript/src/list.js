// The list of messages: rows that stay the same nodes, with the keys and buttons of each.

import { markdown } from "./markdown.js";
import { ICONS, icon, link, node, safeUrl } from "./nodes.js";

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

/** `say(name)`, `language()`, `act(name, ids)`, `open(event, message)`, `focused()`, `lost()`: what it needs of the element. */
export class MessageList {
  #id; #host; #items = new Map(); #messages = new Map();

  constructor(id, host) {
    this.#id = id;
    this.#host = host;
    this.element = node("ul", { className: "list", role: "list", onkeydown: (event) => this.#move(event) });
  }

  // Rows stay the same nodes, so focus, selection and screen readers keep their place.
  show(messages) {
    const list = this.element;
    this.#messages = new Map(messages.map((message) => [message.id, message]));
    const rows = [...list.children];
    const focused = rows.findIndex((row) => row.contains(this.#host.focused()));
    const stays = (row) => this.#messages.has(row.dataset.id);
    const isLost = focused >= 0 && !stays(rows[focused]);
    const heir = isLost && (rows.slice(focused).find(stays) ?? rows.slice(0, focused).findLast(stays));
    for (const row of rows) {
      if (stays(row)) continue;
      row.remove();
      this.#items.delete(row.dataset.id);
    }
    let next = list.firstElementChild;
    for (const message of messages) {
      const item = this.#items.get(message.id) ?? this.#add(message);
      this.#update(item, message);
      if (item.row === next) next = next.nextElementSibling;
      else list.insertBefore(item.row, next);
    }
    if (isLost) heir ? heir.firstElementChild.focus() : this.#host.lost();
    this.#rove(this.#host.focused()?.closest("article") ?? list.querySelector("article"));
  }

  /** Time has passed. */
  tick() {
    this.#items.forEach((item, id) => this.#tellTime(item, this.#messages.get(id)));
  }

  // One message is a stop of the Tab key, with what is in it; the arrows lead to the others.
  #rove(article) {
    for (const each of this.element.querySelectorAll("article")) {
      for (const stop of [each, ...each.querySelectorAll("a, button")]) stop.tabIndex = each === article ? 0 : -1;
    }
  }

  #add(message) {
    const { say, language } = this.#host;
    const titleId = `${this.#id}-${message.id}`;
    const text = message.title || say("untitled");
    const url = message.action_url && safeUrl(message.action_url);
    const heading = node("h3", { id: titleId, dir: "auto" }, url ? link(url, text) : text);
    const state = node("span", { className: "spoken", id: `${titleId}-state` });
    const body = node("div", { className: "body", dir: "auto" }, markdown(message.body ?? ""));
    const time = node("time", { dateTime: message.created_at, title: new Date(message.created_at).toLocaleString(language()) });
    const meta = node("div", { className: "meta" }, time, ...[message.actor, message.category].filter(Boolean).map((each) => node("span", { textContent: each, dir: "auto" })));
    const toggle = this.#button("read", ICONS.read, () => this.#toggleRead(message.id));
    const archive = this.#button("archive", ICONS.archive, () => this.#toggleArchived(message.id));
    const remove = this.#button("delete", ICONS.delete, () => this.#host.act("delete", [message.id]));
    const actions = node("div", { className: "actions" }, toggle, archive, remove);
    const article = node("article", { tabIndex: -1, part: "item", "aria-labelledby": `${titleId} ${titleId}-state`, "aria-keyshortcuts": "R E Delete" }, heading, state, body, meta, actions);
    article.addEventListener("focusin", () => this.#rove(article));
    heading.querySelector("a")?.addEventListener("click", (event) => this.#host.open(event, this.#messages.get(message.id)));
    const row = node("li", { className: message.isNew ? "arrived" : "" }, article);
    row.dataset.id = message.id;
    message.isNew = false;
    const item = { row, time, state, toggle, archive, acknowledge: message.data?.acknowledge === true && this.#addAcknowledge(article, message.id) };
    this.#items.set(message.id, item);
    return item;
  }

  // For a message that somebody has to take care of: `"data": {"acknowledge": true}`.
  #addAcknowledge(article, id) {
    const button = node("button", { type: "button", className: "acknowledge", textContent: this.#host.say("acknowledge"), onclick: () => this.#host.act("acknowledge", [id]) });
    const done = node("span", { className: "acknowledged", textContent: this.#host.say("acknowledged") });
    article.append(node("div", { className: "duty" }, button, done));
    return { button, done };
  }

  #button(name, path, act) {
    const text = this.#host.say(name);
    return node("button", { type: "button", className: "icon", title: text, "aria-label": text, onclick: act }, icon(path));
  }

  #update(item, message) {
    item.row.classList.toggle("is-unread", !message.read_at);
    item.state.textContent = message.read_at ? "" : this.#host.say("isUnread");
    this.#relabel(item.toggle, message.read_at ? ["markUnread", ICONS.unread] : ["read", ICONS.read]);
    this.#relabel(item.archive, message.archived_at ? ["restore", ICONS.restore] : ["archive", ICONS.archive]);
    if (item.acknowledge) {
      const { button, done } = item.acknowledge;
      // What is hidden must not take the focus with it.
      if (message.acknowledged_at && button === this.#host.focused()) item.row.firstElementChild.focus();
      button.hidden = Boolean(message.acknowledged_at);
      done.hidden = !message.acknowledged_at;
    }
    this.#tellTime(item, message);
  }

  #relabel(button, [name, path]) {
    const text = this.#host.say(name);
    button.title = text;
    button.setAttribute("aria-label", text);
    button.querySelector("path").setAttribute("d", path);
  }

  #tellTime(item, message) {
    if (!message) return;
    const seconds = Math.min(0, (new Date(message.created_at) - Date.now()) / 1000);
    const [unit, size] = UNITS.find(([, size]) => -seconds >= size) ?? ["second", Infinity];
    item.time.textContent = new Intl.RelativeTimeFormat(this.#host.language(), { numeric: "auto", style: "short" }).format(Math.trunc(seconds / size), unit);
  }

  #toggleRead(id) {
    return this.#host.act(this.#messages.get(id)?.read_at ? "unread" : "read", [id]);
  }

  #toggleArchived(id) {
    return this.#host.act(this.#messages.get(id)?.archived_at ? "unarchive" : "archive", [id]);
  }

  #move(event) {
    const article = event.target.closest("article");
    if (!article || event.ctrlKey || event.metaKey || event.altKey) return;
    const id = article.parentElement.dataset.id;
    const articles = [...this.element.querySelectorAll("article")];
    const at = articles.indexOf(article);
    const goal = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: articles.length - 1 }[event.key];
    if (goal !== undefined) articles[goal]?.focus();
    else if (event.key === "r") this.#toggleRead(id);
    else if (event.key === "e") this.#toggleArchived(id);
    else if (event.key === "Delete") this.#host.act("delete", [id]);
    else if (event.key === "Enter" && event.target === article) article.querySelector("h3 a")?.click();
    else return;
    event.preventDefault();
  }
}
