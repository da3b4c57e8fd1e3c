// The inbox in a page: `InboxClient` speaks to Carillon's inbox socket, `<carillon-inbox>` shows what it tells.
//
//   <script type="module" src="https://carillon.example.com/static/carillon/inbox/carillon-inbox.js"></script>
//   <carillon-inbox recipient="u1"></carillon-inbox>
//   document.querySelector("carillon-inbox").getToken = async () => (await (await fetch("/my/token")).json()).token;
//
// No framework, no dependency, no HTML made from text; works under `script-src 'self'; style-src 'self'`.
// Protocol: /v1/asyncapi.json. Types and all options: carillon-inbox.d.ts. Joined from deploy/clients/javascript/src.

// The connection: one WebSocket that comes back by itself.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const STABLE_MS = 5_000;
const CONNECT_LIMIT_MS = 15_000;
// Close codes after which coming back would only be refused again, until somebody changes something.
const FINAL = { 4403: "origin_refused", 4409: "too_many_connections" };
// Nothing is wrong with these, so no growing wait: another token, another process.
const AT_ONCE = new Set([4401, 4503, 4008]);

const fault = (code, title) => Object.assign(new Error(title), { code });

/** One WebSocket that comes back by itself. Knows frames and close codes, not what they mean to an inbox. */
class Line {
  #options; #socket = null; #nextId = 1; #waiting = new Map(); #tries = 0; #timer = 0; #watch = 0; #running = false;
  #opening = 0; #lastFrame = 0; #liveSince = 0; #pingMs = 25_000;
  #wake = () => document.visibilityState === "visible" && this.#running && (this.#socket ? this.#checkSilence() : this.#open());

  // `options`: url, getToken(), since(), and told: status(state, reason), connected(answer, resumed), pushed(frame).
  constructor(options) {
    this.#options = options;
  }

  get stopped() {
    return !this.#running;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#tries = 0;
    this.#watch = setInterval(() => this.#checkSilence(), 5_000);
    addEventListener("online", this.#wake);
    document.addEventListener("visibilitychange", this.#wake);
    this.#open();
  }

  stop(reason = null) {
    this.#running = false;
    this.#opening++;
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    removeEventListener("online", this.#wake);
    document.removeEventListener("visibilitychange", this.#wake);
    this.#drop();
    this.#options.status("stopped", reason);
  }

  command(name, args) {
    if (!this.#liveSince && name !== "connect") return Promise.reject(fault("offline", "Not connected."));
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, [name]: args }));
    });
  }

  async #open() {
    clearTimeout(this.#timer);
    const mine = ++this.#opening;
    this.#options.status("connecting", null);
    let token;
    try {
      token = await this.#options.getToken();
    } catch {
      return mine === this.#opening && this.#comeBack("no_token");
    }
    if (mine !== this.#opening) return;
    if (!token) return this.stop("no_token");
    const socket = new WebSocket(this.#options.url);
    this.#socket = socket;
    this.#lastFrame = Date.now();
    socket.onopen = () => this.#connect(token);
    socket.onmessage = (event) => socket === this.#socket && this.#receive(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.#socket && this.#closed(event.code);
  }

  async #connect(token) {
    const since = this.#options.since();
    try {
      await this.command("connect", since ? { token, since } : { token });
    } catch (error) {
      // Refused with an answer, so the socket is still open; `close` tells when it is not.
      if (error.code !== "closed") this.#socket?.close();
    }
  }

  #receive(frame) {
    this.#lastFrame = Date.now();
    if (frame.id === undefined || frame.id === null) return frame.event && this.#options.pushed(frame);
    const { resolve, reject } = this.#waiting.get(frame.id) ?? {};
    this.#waiting.delete(frame.id);
    if (frame.error) return reject?.(fault(frame.error.code, frame.error.title));
    // Not after the promise: the replayed changes follow in the very next frames.
    if (frame.connect) this.#connected(frame.connect);
    resolve?.(frame.connect ?? frame.ok);
  }

  #connected(answer) {
    this.#liveSince = Date.now();
    this.#pingMs = (answer.ping ?? 25) * 1000;
    this.#options.connected(answer);
  }

  #closed(code) {
    if (this.#liveSince && Date.now() - this.#liveSince > STABLE_MS) this.#tries = 0;
    this.#drop();
    if (!this.#running) return;
    if (FINAL[code]) this.stop(FINAL[code]);
    else this.#comeBack(code === 4401 ? "token" : "connection_lost", AT_ONCE.has(code));
  }

  #comeBack(reason, soon = false) {
    // All clients of a server that went away come back: the jitter keeps them from doing it in one moment.
    const wait = soon && this.#tries === 0 ? FIRST_WAIT_MS : Math.min(FIRST_WAIT_MS * 2 ** this.#tries, LONGEST_WAIT_MS);
    this.#tries++;
    this.#options.status("offline", reason);
    this.#timer = setTimeout(() => this.#open(), wait * (0.5 + Math.random()));
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#liveSince = 0;
    socket?.close();
    for (const { reject } of this.#waiting.values()) reject(fault("closed", "The connection was lost."));
    this.#waiting.clear();
  }

  // A dead network closes nothing; the server's position frames stop, and that is how it shows.
  #checkSilence() {
    const limit = this.#liveSince ? 2.5 * this.#pingMs : CONNECT_LIMIT_MS;
    if (this.#socket && Date.now() - this.#lastFrame > limit) this.#closed(1006);
  }
}

// Following an inbox: the position, and one connection for all pages.


const COMMAND_LIMIT_MS = 20_000;
const IDS_AT_ONCE = 100;
const GONE = new Set(["message.deleted", "message.expired"]);

/**
 * Follows one recipient's inbox: every change once and in order, across lost connections.
 * With `recipient`, all pages of this origin share one connection: who holds the Web Lock has it and tells the others.
 * Each page keeps its own position, so whoever takes over resumes where it stands itself.
 */
export class InboxClient extends EventTarget {
  #options; #line = null; #channel = null; #leave = null; #leader = null; #asked = new Map(); #nextId = 1;
  #me = Math.random().toString(36).slice(2);
  #epoch = null; #offset = 0; #counts = { unread: 0, unseen: 0 }; #countsAt = -1; #status = "stopped"; #reason = null; #resumed = false;

  constructor({ getToken, recipient = null, server = location.origin, share = true }) {
    super();
    const url = new URL("/ws/inbox", server);
    url.protocol = url.protocol === "https:" || url.protocol === "wss:" ? "wss:" : "ws:";
    const canShare = share && recipient && "locks" in navigator && "BroadcastChannel" in globalThis;
    this.#options = { getToken, recipient, url: url.href, name: canShare ? `carillon-inbox ${url.href} ${recipient}` : null };
  }

  get status() { return this.#status; }
  get reason() { return this.#reason; }
  get counts() { return this.#counts; }
  get isLeader() { return this.#line !== null; }

  start() {
    if (this.#line) return this.#line.start();
    if (this.#channel) return this.#post({ retry: true });
    this.#say("connecting", null);
    if (!this.#options.name) return this.#lead();
    this.#channel = new BroadcastChannel(this.#options.name);
    this.#channel.onmessage = ({ data }) => (!data.to || data.to === this.#me) && this.#hear(data);
    this.#post({ hello: true });
    const leaving = new AbortController();
    this.#leave = () => leaving.abort();
    const hold = () => new Promise((release) => {
      this.#leave = release;
      this.#lead();
    });
    navigator.locks.request(this.#options.name, { signal: leaving.signal }, hold).catch(() => { /* stopped while waiting */ });
  }

  stop() {
    this.#line?.stop();
    this.#line = null;
    this.#channel?.close();
    this.#channel = null;
    this.#leave?.();
    this.#leave = null;
    this.#failAsked();
    this.#say("stopped", null);
  }

  /** One command of the protocol; resolves with its answer, rejects with an Error that has `code`. */
  command(name, args = {}) {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(fault("timeout", "No answer in time.")), COMMAND_LIMIT_MS);
      this.#pass(name, args).then(resolve, reject).finally(() => clearTimeout(late));
    }).then((answer) => {
      if (answer?.counts) this.#count(answer.offset, answer.counts);
      return answer;
    });
  }

  list(options = {}) { return this.command("list", options); }
  seen(ids) { return this.#each("seen", ids); }
  read(ids) { return this.#each("read", ids); }
  unread(ids) { return this.#each("unread", ids); }
  archive(ids) { return this.#each("archive", ids); }
  unarchive(ids) { return this.#each("unarchive", ids); }
  acknowledge(ids) { return this.#each("acknowledge", ids); }
  delete(ids) { return this.#each("delete", ids); }
  readAll() { return this.command("read_all"); }
  seenAll() { return this.command("seen_all"); }

  async #each(name, ids) {
    let answer;
    for (let at = 0; at < ids.length; at += IDS_AT_ONCE) answer = await this.command(name, { ids: ids.slice(at, at + IDS_AT_ONCE) });
    return answer;
  }

  #pass(name, args) {
    if (this.#line) return this.#line.command(name, args);
    if (this.#status !== "live") return Promise.reject(fault("offline", "Not connected."));
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#asked.set(id, { resolve, reject });
      this.#post({ command: { id, name, args } });
    });
  }

  // --- the connection is here ---

  #lead() {
    this.#failAsked();
    const { url, getToken } = this.#options;
    this.#line = new Line({
      url,
      getToken,
      since: () => this.#epoch && { epoch: this.#epoch, offset: this.#offset },
      status: (status, reason) => {
        this.#say(status, reason);
        this.#post({ state: this.#state() });
      },
      connected: (answer) => this.#connected(answer),
      pushed: (frame) => {
        this.#post({ frame });
        this.#take(frame);
      },
    });
    this.#line.start();
  }

  #connected({ recipient, epoch, offset, counts, recovered }) {
    if (this.#options.recipient && recipient !== this.#options.recipient) return this.#line.stop("wrong_recipient");
    const base = recovered ? this.#offset : offset;
    const place = { epoch, base, counts, countsAt: offset, fresh: !recovered };
    this.#settle(place);
    this.#resumed = recovered;
    this.#say("live", null);
    this.#post({ state: { ...this.#state(), place } });
  }

  #state(place = null) {
    return { status: this.#status, reason: this.#reason, resumed: this.#resumed, place };
  }

  // --- between pages ---

  #post(data) {
    this.#channel?.postMessage({ ...data, from: this.#me });
  }

  #hear({ from, hello, retry, command, state, frame, answer }) {
    if (this.#line) {
      const place = this.#epoch && { epoch: this.#epoch, base: this.#offset, counts: this.#counts, countsAt: this.#countsAt };
      if (hello) this.#post({ to: from, state: this.#state(place) });
      if (retry) this.#line.start();
      if (command) this.#serve(from, command);
      return;
    }
    if (state) this.#adopt(from, state);
    if (frame) this.#take(frame);
    if (answer) {
      const { resolve, reject } = this.#asked.get(answer.id) ?? {};
      this.#asked.delete(answer.id);
      if (answer.error) reject?.(fault(answer.error.code, answer.error.title));
      else resolve?.(answer.ok);
    }
  }

  async #serve(to, { id, name, args }) {
    try {
      this.#post({ to, answer: { id, ok: await this.#line.command(name, args) } });
    } catch ({ code, message }) {
      this.#post({ to, answer: { id, error: { code, title: message } } });
    }
  }

  #adopt(leader, { status, reason, resumed, place }) {
    // Whoever was asked before is gone, and with it the answers.
    if (leader !== this.#leader) this.#failAsked();
    this.#leader = leader;
    if (place) this.#settle(place);
    this.#resumed = resumed;
    this.#say(status, reason);
  }

  #failAsked() {
    for (const { reject } of this.#asked.values()) reject(fault("closed", "The connection was lost."));
    this.#asked.clear();
  }

  // --- the position ---

  #settle({ epoch, base, counts, countsAt, fresh = false }) {
    const same = epoch === this.#epoch;
    const lost = !same || this.#offset < base || (fresh && this.#offset !== base);
    if (lost) this.#offset = base;
    if (lost && (!same || fresh)) this.#countsAt = -1;
    this.#epoch = epoch;
    this.#count(countsAt, counts);
    // After this, `list` tells everything up to `base`, and frames tell the rest.
    if (lost) this.#emit("reload", {});
  }

  #take(frame) {
    if (this.#epoch === null || frame.offset <= this.#offset) return;
    const isPosition = frame.event === "position";
    // An offset that is left out was lost on the way: the list knows.
    const gap = frame.offset > this.#offset + (isPosition ? 0 : 1);
    this.#offset = frame.offset;
    if (!isPosition) {
      this.#count(frame.offset, frame.counts);
      const [created, gone] = [frame.event === "message.created", GONE.has(frame.event)];
      this.#emit("change", { message: frame.message, created, gone, offset: frame.offset });
    }
    if (gap) this.#emit("reload", {});
  }

  #count(offset, counts) {
    if (offset < this.#countsAt) return;
    this.#countsAt = offset;
    const changed = counts.unread !== this.#counts.unread || counts.unseen !== this.#counts.unseen;
    this.#counts = counts;
    if (changed) this.#emit("counts", counts);
  }

  #say(status, reason) {
    if (status === this.#status && reason === this.#reason) return;
    this.#status = status;
    this.#reason = reason;
    this.#emit("status", { status, reason, resumed: status === "live" && this.#resumed });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

// What is known of an inbox: its messages, and how far down each tab is loaded.

const TABS = { all: "emptyAll", unread: "emptyUnread", archived: "emptyArchived" };
const FITS = {
  all: (message) => !message.archived_at,
  unread: (message) => !message.archived_at && !message.read_at,
  archived: (message) => Boolean(message.archived_at),
};
const PAGE = 30;

// `floor` is the offset down to which nothing is missing.
const unloaded = () => Object.fromEntries(Object.keys(TABS).map((name) => [name, { floor: Infinity, done: false, busy: false, failed: false }]));

/** The messages behind a list on the page. Each keeps in `at` the offset at which it was so. */
class Feed {
  #messages = new Map(); #tabs = unloaded(); #gone = new Map();

  /** Whether what is shown is of before; `forget(true)` leaves it in place until the new list is there. */
  isStale = false;

  get(id) { return this.#messages.get(id); }
  tab(name) { return this.#tabs[name]; }

  /** The messages of a tab as far as they are loaded, newest first. */
  shown(name) {
    const { floor } = this.#tabs[name];
    return [...this.#messages.values()].filter((message) => message.offset >= floor && FITS[name](message)).sort((a, b) => b.offset - a.offset);
  }

  forget(keep) {
    this.#messages = new Map();
    this.#gone = new Map();
    this.#tabs = unloaded();
    this.isStale = keep;
  }

  /** Take in one change of the client; whether it was new. */
  change({ message, created, gone, offset }) {
    const known = this.#messages.get(message.id);
    if ((known?.at ?? this.#gone.get(message.id) ?? 0) >= offset) return false;
    if (gone) {
      this.#messages.delete(message.id);
      this.#gone.set(message.id, offset);
    } else {
      this.#messages.set(message.id, { ...message, at: offset, isNew: created && !known });
    }
    return true;
  }

  /** The next page of a tab by `list(options)`; false when it was loading, is whole, or was forgotten meanwhile. */
  async load(name, list, told) {
    const tab = this.#tabs[name];
    if (tab.busy || tab.done) return false;
    Object.assign(tab, { busy: true, failed: false });
    told();
    try {
      const before = tab.floor === Infinity ? {} : { before: tab.floor };
      const page = await list({ status: name, limit: PAGE, ...before });
      if (tab !== this.#tabs[name]) return false;
      for (const message of page.messages) {
        // What changed while the list was on its way is newer than the list.
        const at = this.#messages.get(message.id)?.at ?? this.#gone.get(message.id) ?? 0;
        if (at <= page.offset) this.#messages.set(message.id, { ...message, at: page.offset });
      }
      Object.assign(tab, { floor: page.next ?? 0, done: page.next === null });
      this.isStale = false;
    } catch {
      tab.failed = true;
    } finally {
      tab.busy = false;
      told();
    }
    return true;
  }
}

// Small pieces of page: nodes are built, never HTML from text.

function node(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made && !name.startsWith("aria")) made[name] = value;
    else if (value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

const ICONS = {
  bell: "M6 9.5a6 6 0 0 1 12 0c0 5.5 2.2 6.8 2.2 7.5H3.8C3.8 16.3 6 15 6 9.5M9.8 20.2a2.4 2.4 0 0 0 4.4 0",
  read: "M5 12.5l4.5 4.5L19 7.5",
  unread: "M12 7.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9",
  archive: "M4 4.5h16V9H4zM5.5 9v10.5h13V9M10 13h4",
  restore: "M4 13.5v6h16v-6M12 15V4.5M7.5 9L12 4.5L16.5 9",
  delete: "M5 7h14M9.5 7V4.5h5V7M7 7l.8 12.5h8.4L17 7M10.3 10.5v5.5M13.7 10.5v5.5",
  close: "M6 6l12 12M18 6L6 18",
};

// Where a message may lead: what `new URL` makes of it has to be a page or an address, never a script.
function safeUrl(text) {
  try {
    const url = new URL(text, location.href);
    return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

function link(url, text) {
  const made = node("a", { href: url.href, textContent: text });
  if (url.origin !== location.origin) Object.assign(made, { target: "_blank", rel: "noopener noreferrer" });
  return made;
}

// A message's Markdown as nodes.


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

// The list of messages: rows that stay the same nodes, with the keys and buttons of each.


const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

/** `say(name)`, `language()`, `act(name, ids)`, `open(event, message)`, `focused()`, `lost()`: what it needs of the element. */
class MessageList {
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

// The words.

/** Every text a person meets. `{count}` and `{title}` are filled in; forms like `{one, other}` follow the language. */
export const STRINGS = Object.freeze({
  title: "Notifications", bell: "Notifications", bellUnread: "Notifications, {count} unread", close: "Close",
  all: "All", unread: "Unread", archived: "Archived", readAll: "Mark all as read",
  read: "Mark as read", markUnread: "Mark as unread", archive: "Archive", restore: "Move to inbox", delete: "Delete",
  acknowledge: "Acknowledge", acknowledged: "Acknowledged", isUnread: "Unread",
  emptyAll: "Nothing here yet. New notifications appear at once.", emptyUnread: "You have read everything.",
  emptyArchived: "Nothing is archived.", loading: "Loading…", loadFailed: "This could not be loaded.", retry: "Try again",
  offline: "No connection. What you see may be old; it catches up by itself.", failed: "That did not work. Try again.",
  stopped: "Not connected.", tooMany: "Open on too many devices or pages. Close some, then try again.",
  refused: "This page may not open the inbox.", arrived: "New notification: {title}", untitled: "(no title)",
});

// The looks: one style sheet, all of whose colours and measures a page may set.

// Own variables are set on the host, so their names must not be those of the page around it.
const STYLES = `
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

// The element: bell, badge and panel around the list.


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
