// The editor of templates: fields for one variant at a time, and beside them what would be sent, while one types.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const root = document.getElementById("crl-editor");
  const store = document.getElementById("id_variants");
  if (!root || !store) return;
  const facts = JSON.parse(document.getElementById("crl-editor-facts").textContent);
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const value = (id, fallback) => fallback ?? document.getElementById(id)?.value ?? "";
  const kind = () => value("id_kind", facts.kind) || "template";
  const LABELS = {
    title: ["Title", 1], subject: ["Subject", 1], body: ["Body, in Markdown", 14], html: ["HTML, in place of the body", 14],
    layout: ["Layout (its key; \u201cdefault\u201d is built in)", 1], action_url: ["Address of the button", 1], text: ["Text", 12],
  };
  const SAMPLE = {
    recipient: { name: "Ada" }, actor: { name: "Bo" },
    data: { text: "Hello there", number: 17, url: "https://example.com/17" },
    items: [{ actor: { name: "Ana" }, data: { text: "First" } }, { actor: { name: "Bo" }, data: { text: "Second" } }],
  };

  let variants;
  try { variants = JSON.parse(store.value); } catch { return; }
  let channel = null;
  let locale = "default";
  let shownAs = "";

  // A layout and a partial have no channels: locales are their first level.
  const byChannel = () => kind() === "template";
  const locales = () => (byChannel() ? variants[channel] : variants) || {};
  const names = () => {
    if (kind() === "layout") return ["html"];
    if (kind() === "partial") return ["text"];
    return channel === "email" || channel === "default"
      ? ["subject", "title", "body", "html", "layout", "action_url"] : ["title", "body", "action_url"];
  };

  function options(select, all, chosen) {
    select.replaceChildren(...all.map((name) => new Option(name, name, false, name === chosen)));
  }

  function show() {
    if (byChannel() && !(channel in variants)) channel = Object.keys(variants)[0] || "email";
    if (!(locale in locales())) locale = Object.keys(locales())[0] || "default";
    part("channel").closest("label").hidden = !byChannel();
    options(part("channel"), [...new Set([...facts.channels, "default", ...(byChannel() ? Object.keys(variants) : [])])], channel);
    options(part("locale"), Object.keys(locales()).length ? Object.keys(locales()) : ["default"], locale);
    const fields = locales()[locale] || {};
    part("fields").replaceChildren(...names().map((name) => field(name, fields[name] ?? "")));
  }

  function field(name, text) {
    const [label, rows] = LABELS[name];
    const holder = document.createElement("label");
    holder.className = "crl-editor-field";
    const input = document.createElement(rows > 1 ? "textarea" : "input");
    if (rows > 1) { input.rows = name === "html" && text === "" && kind() === "template" ? 3 : rows; input.spellcheck = false; } else { input.type = "text"; }
    input.value = text;
    input.dataset.field = name;
    input.addEventListener("input", () => { write(name, input.value); });
    holder.append(label, input);
    return holder;
  }

  function write(name, text) {
    const target = byChannel() ? (variants[channel] ??= {}) : variants;
    const fields = (target[locale] ??= {});
    if (text === "") delete fields[name]; else fields[name] = text;
    changed();
  }

  function changed() {
    store.value = JSON.stringify(variants, null, 2);
    store.dispatchEvent(new Event("change", { bubbles: true }));
    later();
  }

  let timer = 0;
  let asked = 0;
  function later() {
    clearTimeout(timer);
    timer = setTimeout(preview, 250);
  }

  async function preview() {
    const mine = ++asked;
    part("state").textContent = "\u2026";
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const body = JSON.stringify({
      project: value("id_project", facts.project), key: value("id_key", facts.key), kind: kind(), variants, channel,
      locale: part("wanted").value || (locale === "default" ? "" : locale), sample: part("sample").value,
    });
    let said;
    try {
      const answer = await fetch(root.dataset.preview, { method: "POST", headers: { "X-CSRFToken": token, "Content-Type": "application/json" }, body });
      said = answer.ok ? await answer.json() : { faults: ["The preview cannot be made now."] };
    } catch {
      said = { faults: ["The server does not answer."] };
    }
    if (mine === asked) tell(said);
  }

  function tell(said) {
    const faults = part("faults");
    faults.hidden = !said.faults;
    faults.replaceChildren(...(said.faults || []).map((text) => Object.assign(document.createElement("li"), { textContent: text })));
    part("state").textContent = said.faults ? "The last good version stays below." : `Variant: ${said.locale}`;
    if (said.faults) return;
    const missing = part("undefined");
    missing.hidden = !said.undefined.length;
    missing.textContent = said.undefined.length ? `Not in the sample: ${said.undefined.join(", ")}` : "";
    part("subject").textContent = said.subject ?? said.title;
    const text = said.text ?? [said.title, said.body, said.action_url].filter(Boolean).join("\n\n");
    part("text").textContent = text;
    const frame = part("frame");
    frame.dataset.has = said.html === null ? "" : "html";
    if (said.html !== null) frame.srcdoc = said.html;
    fit();
  }

  function fit() {
    const asText = shownAs === "text" || part("frame").dataset.has === "";
    part("frame").hidden = asText;
    part("text").hidden = !asText;
    part("frame").classList.toggle("crl-phone", shownAs === "360");
    for (const button of root.querySelectorAll("[data-width]")) button.setAttribute("aria-pressed", String(button.dataset.width === shownAs));
  }

  part("channel").addEventListener("change", (event) => { channel = event.target.value; variants[channel] ??= { default: {} }; locale = "default"; show(); changed(); });
  part("locale").addEventListener("change", (event) => { locale = event.target.value; show(); later(); });
  part("add").addEventListener("click", () => {
    const name = window.prompt("Locale, such as de or pt-BR");
    if (!name) return;
    const target = byChannel() ? (variants[channel] ??= {}) : variants;
    target[name.trim()] ??= { ...(target.default || {}) };
    locale = name.trim();
    show();
    changed();
  });
  part("remove").addEventListener("click", () => {
    if (byChannel()) {
      delete variants[channel]?.[locale];
      if (variants[channel] && !Object.keys(variants[channel]).length) { delete variants[channel]; channel = null; }
    } else {
      delete variants[locale];
    }
    show();
    changed();
  });
  for (const button of root.querySelectorAll("[data-width]")) button.addEventListener("click", () => { shownAs = button.dataset.width; fit(); });
  for (const name of ["sample", "wanted"]) part(name).addEventListener("input", later);
  for (const id of ["id_project", "id_key"]) document.getElementById(id)?.addEventListener("change", later);
  document.getElementById("id_kind")?.addEventListener("change", () => {
    variants = kind() === "template" ? { email: { default: {} } } : { default: {} };
    locale = "default";
    show();
    changed();
  });

  part("sample").value = JSON.stringify(SAMPLE, null, 2);
  store.closest("[class*=field-variants]")?.setAttribute("hidden", "");
  root.hidden = false;
  show();
  later();
});
