// The demo page: one's own notification, the live inbox and caught mail. Scenes are `demo_scenes.js`'s.

import { ask, byId, clock, command, element, fill, form, me, urls } from "./demo_kit.js";

const TONES = { sent: "good", delivered: "good", failed: "bad", expired: "bad", retrying: "wait", scheduled: "wait", queued: "go", sending: "go" };
const DONE = new Set(["sent", "delivered", "failed", "suppressed", "digested", "expired", "cancelled"]);

const inline = byId("inbox");
let inboxOf = null;
let following = 0;

// --- one's own notification and its command ----------------------------------------------------------------------

function submission() {
  const data = new FormData(form);
  return {
    recipients: [me()],
    content: { title: data.get("title"), body: data.get("body") },
    channels: data.getAll("channels"),
  };
}

function showCommand() {
  byId("curl").textContent = command(submission());
}

function showFault(error) {
  const fault = byId("fault");
  fault.textContent = error?.message ?? "";
  fault.hidden = !error;
  const at = error?.pointer ?? "";
  const names = { "/recipients/0/email": "email", "/recipients/0/id": "recipient", "/recipients/0": "recipient", "/recipient": "recipient", "/content": "title", "/content/title": "title", "/content/body": "body" };
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  const field = form.elements[names[at]];
  if (field) {
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }
}

async function send(event) {
  event.preventDefault();
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  showFault(null);
  try {
    watchRecipient();
    const accepted = await ask(urls.send, submission());
    byId("sent-id").textContent = `Accepted as ${accepted.id}`;
    follow(accepted.id);
  } catch (error) {
    showFault(error);
  } finally {
    button.disabled = false;
  }
}

// --- its deliveries ----------------------------------------------------------------------------------------------

function deliveryItem(delivery) {
  const last = delivery.attempts.at(-1);
  const took = delivery.finished_at ? `${((new Date(delivery.finished_at) - new Date(delivery.created_at)) / 1000).toFixed(2)} s` : "";
  const tries = delivery.attempts.length;
  const why = [delivery.reason, tries ? `${tries} attempt${tries > 1 ? "s" : ""}` : "", last?.outcome && last.outcome !== delivery.reason ? `last: ${last.outcome}` : ""];
  if (delivery.state === "retrying" && delivery.next_attempt_at) why.push(`next at ${clock(delivery.next_attempt_at)}`);
  return element("li", {},
    element("span", { textContent: delivery.channel }),
    element("span", { className: "state", textContent: delivery.state, dataset: { tone: TONES[delivery.state] ?? "" } }),
    element("span", { className: "took", textContent: took }),
    element("span", { className: "why", textContent: why.filter(Boolean).join(" · ") }));
}

async function follow(id) {
  const mine = ++following;
  const began = Date.now();
  fill(byId("deliveries"), [element("li", {}, element("span", { textContent: "accepted, being routed" }))], byId("deliveries-empty"));
  while (mine === following && Date.now() - began < 600_000) {
    let answer = null;
    try {
      answer = await ask(urls.deliveries.replace("ID", id));
    } catch { /* a restart of the server; the next look tells more */ }
    if (mine !== following) return;
    if (answer?.data.length) fill(byId("deliveries"), answer.data.map(deliveryItem), byId("deliveries-empty"));
    else if (answer && answer.status !== "accepted") {
      const text = `No deliveries: the recipient has no address on these channels. The notification is ${answer.status}${answer.reason ? ` (${answer.reason})` : ""}.`;
      return fill(byId("deliveries"), [element("li", {}, element("span", { className: "why", textContent: text }))]);
    }
    if (answer?.data.length && answer.data.every((delivery) => DONE.has(delivery.state))) return showMails();
    await new Promise((resolve) => setTimeout(resolve, Date.now() - began < 10_000 ? 250 : 2000));
  }
}

// --- the inbox ---------------------------------------------------------------------------------------------------

const SOCKET = {
  connecting: ["waiting", "connecting"],
  offline: ["waiting", "connection lost, coming back"],
  stopped: ["off", "not connected"],
  live: ["live", "live"],
};

function showSocket({ detail }) {
  const [state, text] = SOCKET[detail.status];
  byId("socket").dataset.state = state;
  byId("socket").textContent = detail.resumed ? "live, resumed without a gap" : text;
}

// The bell and the panel share one connection, and with every other tab that has this recipient's inbox open.
function watchRecipient() {
  const recipient = form.elements.recipient.value.trim();
  if (!recipient || recipient === inboxOf) return;
  inboxOf = recipient;
  byId("inbox-of").textContent = recipient;
  for (const inbox of [byId("bell"), inline]) {
    inbox.recipient = recipient;
    inbox.getToken = async () => (await ask(urls.token, { recipient })).token;
  }
}

// --- mail --------------------------------------------------------------------------------------------------------

async function showMails() {
  const list = byId("mails");
  if (!list || document.hidden) return;
  try {
    const { data } = await ask(`${urls.mail}?to=${encodeURIComponent(form.elements.email.value.trim())}`);
    fill(list, data.map((mail) => element("li", {}, element("a", { href: mail.url },
      element("b", { textContent: mail.subject || "(no subject)" }),
      element("span", { className: "who", textContent: `to ${mail.to}` }),
      element("time", { dateTime: mail.caught_at, textContent: clock(mail.caught_at) })))), byId("mails-empty"));
  } catch { /* shown by whatever the user does next; a list that is a little old is no error */ }
}

form.addEventListener("submit", send);
form.addEventListener("input", showCommand);
form.elements.recipient.addEventListener("change", watchRecipient);
form.elements.email.addEventListener("change", showMails);
byId("copy").onclick = async () => {
  await navigator.clipboard.writeText(byId("curl").textContent);
  byId("copy").textContent = "Copied";
  setTimeout(() => (byId("copy").textContent = "Copy"), 2000);
};
inline.addEventListener("carillon-status", showSocket);
showCommand();
watchRecipient();
showMails();
setInterval(showMails, 2000);
