// The element: bell, badge and panel around the list.

import { InboxClient } from "./client.js";
import { Feed, TABS } from "./feed.js";
import { MessageList } from "./list.js";
import { ICONS, icon, node } from "./nodes.js";
import { STRINGS } from "./strings.js";
import { STYLES } from "./styles.js";

const REASONS = { too_many_connections: "tooMany", origin_refused: "refused" };
const LATER_MS = 400;

// Where pages are made on a server there are no elements, yet the module can be imported.
const Page = globalThis.HTMLElement ?? class {};

let nextElement = 1;

/** Bell, badge and panel; `layout="inline"` leaves the bell away and shows the panel in the page. */
export class CarillonInbox extends Page {
  static observedAttributes = ["recipient", "server", "layout", "strings", "lang"];

  #root = this.attachShadow({ mode: "open" });
  #id = `carillon-${nextElement++}`;
  #client = null; #ownClient = true; #getToken = null; #strings = {}; #parts = {}; #listening = null; #clock = 0; #later = 0; #frame = 0;
  #feed = new Feed(); #list = null; #tab = "all"; #restarting = false;

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES);
    this.#root.adoptedStyleSheets = [sheet];
  }

  /** Gives a recipient token, or null when nobody is logged in (then the inbox stops). */
  get getToken() { return this.#getToken; }
  set getToken(value) {
    this.#getToken = value;
    this.#restart();
  }

  /** The client behind this element; set one to share it with a user interface of your own. */
  get client() { return this.#client; }
  set client(value) {
    this.#detach();
    this.#client = value;
    this.#ownClient = value === null;
    this.#restart();
  }

  /** Texts that differ from `STRINGS`. */
  get strings() { return this.#strings; }
  set strings(value) {
    this.#strings = value ?? {};
    if (this.isConnected) this.#build();
  }

  get recipient() { return this.getAttribute("recipient"); }
  set recipient(value) { value === null ? this.removeAttribute("recipient") : this.setAttribute("recipient", value); }

  get isInline() { return this.getAttribute("layout") === "inline"; }
  get isOpen() { return this.isInline || Boolean(this.#parts.panel?.matches(":popover-open")); }

  open() { if (!this.isOpen) this.#parts.panel.showPopover(); }
  close() { if (!this.isInline && this.isOpen) this.#parts.panel.hidePopover(); }

  connectedCallback() {
    // Set by a script that ran before this module: such a property hides the accessor.
    for (const name of ["getToken", "client", "strings"]) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    this.#clock = setInterval(() => this.#list?.tick(), 60_000);
    this.#build();
    this.#restart();
  }

  disconnectedCallback() {
    clearInterval(this.#clock);
    // A move within the page disconnects and connects at once; only who is really gone stops.
    queueMicrotask(() => !this.isConnected && this.#detach());
  }

  attributeChangedCallback(name, old, value) {
    if (old === value) return;
    if (name === "strings") this.strings = JSON.parse(value ?? "{}");
    else if (!this.isConnected) return;
    else if (name === "layout" || name === "lang") this.#build();
    else this.#restart();
  }

  // --- following ---

  // Several attributes and properties are set one after another; one start is enough for them.
  #restart() {
    if (this.#restarting) return;
    this.#restarting = true;
    queueMicrotask(() => {
      this.#restarting = false;
      if (!this.isConnected) return;
      this.#detach();
      if (this.#ownClient) {
        const options = { getToken: () => this.#getToken(), recipient: this.recipient, server: this.getAttribute("server") || location.origin };
        this.#client = this.#getToken && new InboxClient(options);
      }
      this.#feed.forget(false);
      this.#render();
      if (this.#client) this.#attach();
    });
  }

  #attach() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const on = (type, react) => this.#client.addEventListener(type, ({ detail }) => react(detail), { signal });
    on("status", (detail) => {
      this.#showStatus(detail);
      this.dispatchEvent(new CustomEvent("carillon-status", { detail }));
    });
    on("counts", (detail) => {
      this.#showCounts();
      this.dispatchEvent(new CustomEvent("carillon-counts", { detail }));
    });
    on("change", (detail) => this.#change(detail));
    on("reload", () => {
      this.#feed.forget(true);
      this.#load();
    });
    this.#showCounts();
    this.#showStatus(this.#client);
    if (this.#ownClient) this.#client.start();
    else if (this.#client.status === "live") this.#load();
  }

  #detach() {
    this.#listening?.abort();
    this.#listening = null;
    if (this.#ownClient) this.#client?.stop();
    if (this.#ownClient) this.#client = null;
  }

  #change(detail) {
    const { message, created, gone } = detail;
    if (!this.#feed.change(detail)) return;
    this.#renderSoon();
    if (gone || !created || message.seen_at) return;
    this.#speak(this.#say("arrived", { title: message.title || this.#say("untitled") }));
    this.dispatchEvent(new CustomEvent("carillon-message", { detail: message }));
    this.#seeSoon();
  }

  async #load() {
    if (this.#client?.status !== "live") return;
    const isLoaded = await this.#feed.load(this.#tab, (options) => this.#client.list(options), () => this.#render());
    if (!isLoaded) return;
    this.#watchEnd();
    this.#seeSoon();
  }

  // What lies open before somebody has been seen; a little later, so that a burst of messages is one command.
  #seeSoon() {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => {
      const isWatched = this.isOpen && document.visibilityState === "visible" && this.#client?.status === "live";
      if (isWatched && this.#client.counts.unseen) this.#client.seenAll().catch(() => { /* tried again with the next message */ });
    }, LATER_MS);
  }

  async #act(name, ids) {
    try {
      await (ids ? this.#client[name](ids) : this.#client[name]());
      this.#tell(null);
    } catch {
      this.#tell("failed");
    }
  }

  // --- the frame around the list ---

  #say(name, values = {}) {
    let text = this.#strings[name] ?? STRINGS[name];
    if (typeof text === "object") text = text[new Intl.PluralRules(this.#language()).select(values.count)] ?? text.other;
    return text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
  }

  #language() {
    const found = this.closest("[lang]")?.lang;
    try {
      return Intl.getCanonicalLocales(found || [])[0];
    } catch {
      return undefined;
    }
  }

  #button(name, path, act, properties = {}) {
    const text = this.#say(name);
    return node("button", { type: "button", className: "icon", title: text, "aria-label": text, onclick: act, ...properties }, icon(path));
  }

  #build() {
    const id = this.#id;
    const heading = node("h2", { id: `${id}-title`, textContent: this.#say("title") });
    const readAll = node("button", { type: "button", className: "all-read", textContent: this.#say("readAll"), onclick: () => this.#act("readAll") });
    const tabs = node("div", { className: "tabs", role: "tablist", "aria-labelledby": heading.id, onkeydown: (event) => this.#moveTab(event) });
    for (const name of Object.keys(TABS)) {
      tabs.append(node("button", { type: "button", role: "tab", id: `${id}-${name}`, "aria-controls": `${id}-list`, textContent: this.#say(name), onclick: () => this.#select(name) }));
    }
    const notice = node("p", { className: "notice", part: "notice", hidden: true });
    this.#list = new MessageList(id, this.#forList());
    const empty = node("p", { className: "empty" });
    const more = node("div", { className: "more" });
    const scroll = node("div", { className: "scroll", role: "tabpanel", id: `${id}-list`, tabIndex: -1 }, this.#list.element, empty, more);
    const spoken = node("div", { className: "spoken", role: "status", "aria-live": "polite" });
    const role = this.isInline ? "region" : "dialog";
    const header = node("header", {}, heading, readAll);
    const panel = node("div", { className: "panel", part: "panel", id: `${id}-panel`, role, tabIndex: -1, "aria-labelledby": heading.id }, header, tabs, notice, scroll);
    this.#parts.end?.disconnect();
    this.#parts = { heading, readAll, tabs, notice, empty, more, scroll, spoken, panel };
    this.#root.replaceChildren(panel, spoken);
    if (!this.isInline) this.#addBell(header, panel);
    this.#parts.end = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && !this.#feed.tab(this.#tab).failed && this.#load(), { root: scroll, rootMargin: "200px" });
    this.#showCounts();
    if (this.#client) this.#showStatus(this.#client);
    this.#render();
    this.#watchEnd();
  }

  #addBell(header, panel) {
    header.append(this.#button("close", ICONS.close, () => this.close()));
    const badge = node("span", { className: "badge", part: "badge", "aria-hidden": "true" });
    const bell = node("button", { type: "button", className: "bell", part: "bell", "aria-haspopup": "dialog", "aria-expanded": "false" }, icon(ICONS.bell), badge);
    // Light dismiss and Escape are the browser's work; the focus it gives back only outside of shadow trees.
    panel.popover = "auto";
    bell.popoverTargetElement = panel;
    const place = () => this.#place(bell, panel);
    let hadFocus = false;
    panel.addEventListener("beforetoggle", () => (hadFocus = panel.matches(":focus-within")));
    panel.addEventListener("toggle", ({ newState }) => {
      const isOpen = newState === "open";
      bell.setAttribute("aria-expanded", String(isOpen));
      for (const [type, options] of [["resize", {}], ["scroll", { capture: true, passive: true }]]) {
        isOpen ? addEventListener(type, place, options) : removeEventListener(type, place, options);
      }
      if (!isOpen) return hadFocus && [document.body, this].includes(document.activeElement) && bell.focus();
      place();
      panel.focus({ preventScroll: true });
      this.#load();
      this.#watchEnd();
      this.#seeSoon();
    });
    Object.assign(this.#parts, { badge, bell });
    this.#root.prepend(bell);
  }

  // Below the bell and inside the window, whichever side has room; on a phone the style sheet takes the whole screen.
  #place(bell, panel) {
    for (const side of ["left", "top"]) panel.style.removeProperty(side);
    if (matchMedia("(max-width: 480px)").matches) return;
    const at = bell.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = panel;
    const left = this.#isRightToLeft() ? at.left : at.right - width;
    panel.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    panel.style.top = `${Math.max(8, Math.min(at.bottom + 6, innerHeight - height - 8))}px`;
  }

  #isRightToLeft() { return getComputedStyle(this).direction === "rtl"; }

  #showCounts() {
    const { bell, badge, readAll } = this.#parts;
    const count = this.#client?.counts.unread ?? 0;
    if (!readAll) return;
    if (!count) this.#release(readAll);
    readAll.disabled = !count;
    if (!bell) return;
    badge.textContent = count > 99 ? "99+" : String(count);
    badge.hidden = !count;
    bell.setAttribute("aria-label", count ? this.#say("bellUnread", { count }) : this.#say("bell"));
  }

  #showStatus({ status, reason }) {
    if (status === "live") {
      this.#tell(null);
      if (this.#feed.tab(this.#tab).floor === Infinity) this.#load();
      this.#seeSoon();
    } else if (status === "offline") {
      this.#tell("offline");
    } else if (status === "stopped" && reason) {
      this.#tell(REASONS[reason] ?? "stopped", () => this.#client.start());
    }
    this.setAttribute("status", status);
  }

  #tell(name, again = null) {
    const { notice } = this.#parts;
    const text = name ? this.#say(name) : "";
    // A region that appears together with its text is often not told, so the one that is always there tells it.
    if (text && this.isOpen) this.#speak(text);
    this.#release(notice);
    notice.hidden = !name;
    notice.replaceChildren(text);
    if (again) notice.append(" ", node("button", { type: "button", textContent: this.#say("retry"), onclick: again }));
  }

  // What is taken away or disabled must not take the focus with it: the keyboard would start anew at the page's top.
  #release(part) {
    if (part.contains(this.#root.activeElement)) this.#parts.panel.focus({ preventScroll: true });
  }

  #speak(text) {
    // The same words twice are told twice only when something changes in between.
    this.#parts.spoken.replaceChildren(node("span", { textContent: text }));
  }

  #select(name, focus = false) {
    this.#tab = name;
    this.#feed.isStale = false;
    this.#parts.scroll.scrollTop = 0;
    this.#render();
    if (focus) this.#root.getElementById(`${this.#id}-${name}`).focus();
    if (this.#feed.tab(name).floor === Infinity) this.#load();
    this.#watchEnd();
  }

  #moveTab(event) {
    const names = Object.keys(TABS);
    const forward = this.#isRightToLeft() ? -1 : 1;
    const step = { ArrowRight: forward, ArrowLeft: -forward }[event.key];
    const goal = { Home: 0, End: names.length - 1 }[event.key] ?? (step && (names.indexOf(this.#tab) + step + names.length) % names.length);
    if (goal === undefined) return;
    event.preventDefault();
    this.#select(names[goal], true);
  }

  // An observer only tells of changes, and an end that stays in sight is none.
  #watchEnd() {
    const { end, more } = this.#parts;
    end?.unobserve(more);
    end?.observe(more);
  }

  // --- the list ---

  // Many changes at once, as after a long absence, are drawn once; a hidden page draws when it is looked at.
  #renderSoon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#render();
    });
  }

  #render() {
    const { tabs, scroll, empty, more } = this.#parts;
    if (!this.#list) return;
    const tab = this.#feed.tab(this.#tab);
    for (const button of tabs.children) {
      const isChosen = button.id === `${this.#id}-${this.#tab}`;
      button.setAttribute("aria-selected", String(isChosen));
      button.tabIndex = isChosen ? 0 : -1;
      if (isChosen) scroll.setAttribute("aria-labelledby", button.id);
    }
    scroll.setAttribute("aria-busy", String(tab.busy));
    this.#release(more);
    more.replaceChildren(tab.failed ? this.#failure() : tab.busy && !this.#feed.isStale ? this.#say("loading") : "");
    if (this.#feed.isStale) return;
    const shown = this.#feed.shown(this.#tab);
    this.#list.show(shown);
    empty.hidden = shown.length > 0 || !tab.done;
    // With nothing in it that takes the focus, the tab panel is a stop itself (WAI-ARIA APG, tabs pattern).
    scroll.tabIndex = shown.length ? -1 : 0;
    empty.textContent = this.#say(TABS[this.#tab]);
  }

  #failure() {
    const again = node("button", { type: "button", textContent: this.#say("retry"), onclick: () => this.#load() });
    return node("span", {}, `${this.#say("loadFailed")} `, again);
  }

  #forList() {
    return {
      say: (name) => this.#say(name),
      language: () => this.#language(),
      act: (name, ids) => this.#act(name, ids),
      open: (event, message) => this.#follow(event, message),
      focused: () => this.#root.activeElement,
      lost: () => this.#parts.scroll.focus(),
    };
  }

  // An application with its own navigation prevents the event and goes there by itself.
  #follow(event, message) {
    if (!this.dispatchEvent(new CustomEvent("carillon-open", { detail: message, cancelable: true }))) event.preventDefault();
    if (!message.read_at) this.#act("read", [message.id]);
  }
}

if (globalThis.customElements && !customElements.get("carillon-inbox")) customElements.define("carillon-inbox", CarillonInbox);
