// Following an inbox: the position, and one connection for all pages.

import { fault, Line } from "./line.js";

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
