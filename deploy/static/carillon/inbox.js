// A client of the inbox socket: connects with a recipient token, resumes by epoch and offset, comes back by itself.
// It is the whole protocol in one small file, so it also serves as an example for applications.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
// Close codes after which coming back would only be refused again.
const FINAL = { 4403: "this page's origin is refused", 4409: "too many connections of this recipient" };

export class Inbox {
  #getToken; #on; #socket = null; #nextId = 1; #waiting = new Map(); #wait = FIRST_WAIT_MS; #timer = 0; #stopped = false;
  #epoch = null; #offset = 0; #lastFrame = 0; #pingSeconds = 25; #meanwhile = null;

  // `getToken` gives a fresh recipient token; `on` has status(state, text), counts(counts), reload(messages), change(message, isNew).
  constructor(getToken, on) {
    this.#getToken = getToken;
    this.#on = on;
    this.watch = setInterval(() => this.#checkSilence(), 5000);
    this.wake = () => this.#comeBack(0);
    addEventListener("online", this.wake);
    this.#open();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.watch);
    removeEventListener("online", this.wake);
    this.#socket?.close(1000);
  }

  // One command; resolves with its answer, rejects with {code, title} or when the socket closes first.
  command(name, args) {
    return new Promise((resolve, reject) => {
      if (this.#socket?.readyState !== WebSocket.OPEN) return reject({ code: "offline", title: "Not connected." });
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, [name]: args }));
    });
  }

  async #open() {
    this.#on.status("waiting", "connecting");
    let token;
    try {
      token = await this.#getToken();
    } catch (error) {
      this.#on.status("off", error.message);
      return this.#comeBack();
    }
    if (this.#stopped) return;
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/inbox`);
    this.#socket = socket;
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.#socket && this.#closed(event);
    socket.onopen = () => this.#connect(token);
  }

  async #connect(token) {
    const since = this.#epoch && { epoch: this.#epoch, offset: this.#offset };
    this.#lastFrame = Date.now();
    try {
      const answer = await this.command("connect", since ? { token, since } : { token });
      this.#wait = FIRST_WAIT_MS;
      this.#pingSeconds = answer.ping ?? 25;
      const resumed = since && answer.recovered;
      this.#epoch = answer.epoch;
      this.#on.counts(answer.counts);
      if (!resumed) {
        // Either the first time here, or what was missed cannot be told: load what there is now. A change that comes
        // in meanwhile may be newer than the list, so it is shown after it.
        this.#offset = answer.offset;
        this.#meanwhile = [];
        this.#on.reload((await this.command("list", { limit: 30 })).messages);
        for (const [message, isNew] of this.#meanwhile) this.#on.change(message, isNew);
        this.#meanwhile = null;
      }
      this.#on.status("live", resumed ? "live, resumed without a gap" : "live");
    } catch (error) {
      this.#on.status("off", error.title ?? "connection lost");
      this.#socket?.close();
    }
  }

  #receive(frame) {
    this.#lastFrame = Date.now();
    if (frame.id !== undefined && frame.id !== null) {
      const { resolve, reject } = this.#waiting.get(frame.id) ?? {};
      this.#waiting.delete(frame.id);
      if (frame.error) return reject?.(frame.error);
      const { id, ...answer } = frame;
      return resolve?.(Object.values(answer)[0]);
    }
    if (!frame.event?.startsWith("message.") || frame.offset <= this.#offset) return;
    this.#offset = frame.offset;
    this.#on.counts(frame.counts);
    const change = [frame.message, frame.event === "message.created"];
    if (this.#meanwhile) this.#meanwhile.push(change);
    else this.#on.change(...change);
  }

  #closed(event) {
    for (const { reject } of this.#waiting.values()) reject({ code: "closed", title: "connection lost" });
    this.#waiting.clear();
    this.#socket = null;
    if (this.#stopped) return;
    if (FINAL[event.code]) return this.#on.status("off", FINAL[event.code]);
    this.#on.status("waiting", "connection lost, coming back");
    // The server asked us to go elsewhere, or the token ran out: nothing is wrong, so no need to wait long.
    this.#comeBack(event.code === 4401 || event.code === 4503 ? 250 : undefined);
  }

  #comeBack(wait) {
    if (this.#stopped || (this.#socket && this.#socket.readyState <= WebSocket.OPEN)) return;
    clearTimeout(this.#timer);
    const delay = wait ?? this.#wait * (0.5 + Math.random());
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
    this.#timer = setTimeout(() => this.#open(), delay);
  }

  // A dead network closes nothing; the server's position frames stop, and that is how it shows.
  #checkSilence() {
    if (this.#socket?.readyState !== WebSocket.OPEN || Date.now() - this.#lastFrame < 2500 * this.#pingSeconds) return;
    const silent = this.#socket;
    silent.onclose = null;
    silent.close();
    this.#closed({ code: 1006 });
  }
}
