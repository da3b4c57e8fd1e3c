// The demo's scenes: a button makes a real request, and what becomes of it is told as it is decided.

import { ask, byId, clock, command, element, fill, form, me, urls } from "./demo_kit.js";

const PATIENCE_MS = 15 * 60_000;
const RFC_3339 = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
const inbox = byId("inbox");

let following = 0;
let current = null; // the id of the notification whose story is shown
let closes = null;

// A time on the visitor's own clock; with the day where it is not today's.
function moment(iso) {
  const at = new Date(iso);
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday ? clock(iso) : at.toLocaleString([], { weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" });
}

const readable = (says) => says.replace(RFC_3339, moment);

function person() {
  const named = me();
  const known = typeof named === "string" ? { id: named } : named;
  return { ...known, name: "Ada", locale: form.elements.locale.value, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone };
}

// --- looking away: what asks whether the inbox was seen finds that it was not -------------------------------------

function look(isLooking) {
  byId("away").hidden = isLooking;
  if (isLooking) byId("inbox-place").append(inbox);
  else inbox.remove();
}

// --- the story ---------------------------------------------------------------------------------------------------

function lineItem({ at, says, tone }) {
  return element("li", { dataset: { tone } }, element("span", { className: "when", textContent: at ? clock(at) : "" }), element("span", { textContent: readable(says) }));
}

function stepItem({ key, type, stand }) {
  const item = element("li", { dataset: { stand }, title: `${type}: ${stand}` }, element("b", { textContent: key }), element("span", { textContent: type.replace("_", "-") }));
  if (stand === "here") item.setAttribute("aria-current", "step");
  return item;
}

function showDigest(digests) {
  const open = digests.find((digest) => digest.open);
  closes = open?.closes_at ?? null;
  byId("story-digest").hidden = !open;
  if (open) byId("story-count").textContent = `${open.count} collected`;
  tick();
}

function tick() {
  if (!closes) return;
  const seconds = Math.max(0, Math.round((new Date(closes) - Date.now()) / 1000));
  byId("story-closes").textContent = seconds > 120 ? `goes out ${moment(closes)}` : seconds ? `goes out in ${seconds} s` : "goes out now";
}

function show(story) {
  fill(byId("story-steps"), story.steps.map(stepItem));
  fill(byId("story-lines"), story.lines.map(lineItem));
  showDigest(story.digests);
  byId("story-ack").hidden = !(story.escalates && !story.acknowledged_at);
}

function begin(title, request) {
  byId("story-empty").hidden = true;
  byId("story-of").textContent = title;
  byId("story-request").hidden = false;
  byId("story-curl").textContent = command(request);
  const card = byId("story");
  if (card.getBoundingClientRect().top > innerHeight * 0.6) card.scrollIntoView({ behavior: "smooth", block: "start" });
}

async function follow(id) {
  const mine = ++following;
  const began = Date.now();
  current = id;
  while (mine === following && Date.now() - began < PATIENCE_MS) {
    let story = null;
    try {
      story = await ask(urls.story.replace("ID", id));
    } catch { /* a restart of the server; the next look tells more */ }
    if (mine !== following) return;
    if (story) show(story);
    if (story?.done) return;
    await new Promise((resolve) => setTimeout(resolve, Date.now() - began < 10_000 ? 300 : 1000));
  }
}

// --- the buttons -------------------------------------------------------------------------------------------------

function showFault(error) {
  byId("scene-fault").textContent = error?.message ?? "";
  byId("scene-fault").hidden = !error;
}

async function press(card, button) {
  const isPlan = button.dataset.do === "plan";
  const title = card.querySelector("h2").textContent;
  button.disabled = true;
  showFault(null);
  try {
    if (!isPlan) look(!("away" in card.dataset));
    const answer = await ask(urls.scene.replace("KEY", card.dataset.scene), { recipient: person(), plan: isPlan });
    begin(isPlan ? `${title}: what would happen. Nothing has been sent.` : `${title}: accepted as ${answer.id}`, answer.request);
    if (isPlan) {
      following++;
      show({ steps: [], lines: answer.lines, digests: [], escalates: false });
    } else {
      follow(answer.id);
    }
  } catch (error) {
    showFault(error);
  } finally {
    button.disabled = false;
  }
}

for (const card of document.querySelectorAll("[data-scene]")) {
  for (const button of card.querySelectorAll("[data-do]")) button.addEventListener("click", () => press(card, button));
}
byId("look").addEventListener("click", () => look(true));
byId("acknowledge").addEventListener("click", async () => {
  try {
    await ask(urls.acknowledge.replace("ID", current), { recipient: person().id });
    byId("story-ack").hidden = true;
  } catch (error) {
    showFault(error);
  }
});
setInterval(tick, 500);
