// What the demo's scripts share: talking to the server, small pieces of page, who one is.

export const byId = (id) => document.getElementById(id);
export const urls = JSON.parse(byId("urls").textContent);
export const form = byId("send");

export async function ask(url, body) {
  const options = { headers: { Accept: "application/json" }, credentials: "same-origin" };
  if (body !== undefined) {
    options.method = "POST";
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
    options.headers["X-CSRFToken"] = form.elements.csrfmiddlewaretoken.value;
  }
  let response;
  try {
    response = await fetch(url, options);
  } catch {
    throw new Error("Carillon does not answer. Is it running?");
  }
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  const answer = isJson ? await response.json() : {};
  if (response.ok) return answer;
  const error = new Error(answer.detail ?? answer.title ?? `The server answered ${response.status}. Reload the page and try again.`);
  error.pointer = answer.pointer ?? "";
  throw error;
}

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  const { dataset, ...rest } = properties;
  Object.assign(made, rest);
  Object.assign(made.dataset, dataset ?? {});
  made.append(...children);
  return made;
}

export const clock = (iso) => new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export function fill(list, items, empty) {
  list.replaceChildren(...items);
  if (empty) empty.hidden = items.length > 0;
}

// Who the visitor is, as a recipient of a request.
export function me() {
  const data = new FormData(form);
  const id = data.get("recipient").trim();
  const email = data.get("email").trim();
  return email ? { id, email } : id;
}

export function command(body) {
  const json = JSON.stringify(body, null, 2).replaceAll("'", "'\\''");
  return `curl -X POST ${byId("curl").dataset.url} \\\n  -H "Authorization: Bearer $CARILLON_API_KEY" \\\n  -H "Content-Type: application/json" \\\n  -d '${json}'`;
}
