// The connection: one WebSocket that comes back by itself.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const STABLE_MS = 5_000;
const CONNECT_LIMIT_MS = 15_000;
// Close codes after which coming back would only be refused again, until somebody changes something.
const FINAL = { 4403: "origin_refused", 4409: "too_many_connections" };
// Nothing is wrong with these, so no growing wait: another token, another process.
const AT_ONCE = new Set([4401, 4503, 4008]);

export const fault = (code, title) => Object.assign(new Error(title), { code });

/** One WebSocket that comes back by itself. Knows frames and close codes, not what they mean to an inbox. */
export class Line {
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
