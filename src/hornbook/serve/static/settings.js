// Sampling settings: what they are, their fields, and their place in the browser's storage.

const STORE = "hornbook.settings";

/** Every setting: its name in a request, label, default, kind of field and one sentence about it. */
export const SETTINGS = [
  { name: "temperature", label: "Temperature", kind: "range", value: 0.7, min: 0, max: 2, step: 0.05,
    about: "0 always takes the likeliest word; higher is more surprising." },
  { name: "top_p", label: "Top-p", kind: "range", value: 1, min: 0.05, max: 1, step: 0.05,
    about: "Keeps the likeliest words that together have this share." },
  { name: "min_p", label: "Min-p", kind: "range", value: 0, min: 0, max: 0.5, step: 0.01,
    about: "Leaves out words less likely than this share of the likeliest." },
  { name: "top_k", label: "Top-k", kind: "number", value: 0, min: 0, max: 100000, step: 1,
    about: "Keeps this many words; 0 keeps all." },
  { name: "max_tokens", label: "Longest answer", kind: "number", value: null, min: 1, max: 100000, step: 1, hint: "as long as fits",
    about: "In tokens." },
  { name: "seed", label: "Seed", kind: "number", value: null, min: 0, max: 9007199254740991, step: 1, hint: "random",
    about: "The same seed and settings give the same answer; empty is a new one each time." },
  { name: "system", label: "System prompt", kind: "text", value: "",
    about: "Said to the model before the conversation. Small models may not heed it." },
  { name: "key", label: "API key", kind: "secret", value: "",
    about: "Only when the server was started with one. Kept until this tab is closed." },
];

/** The settings as stored, defaults where nothing is; the key is kept for the tab's life only. */
export function loadSettings() {
  const values = Object.fromEntries(SETTINGS.map(({ name, value }) => [name, value]));
  try {
    const stored = JSON.parse(localStorage.getItem(STORE) ?? "{}");
    for (const name of Object.keys(values)) if (name in stored) values[name] = stored[name];
    values.key = sessionStorage.getItem("hornbook.key") ?? "";
  } catch { /* storage is off or damaged: defaults */ }
  return values;
}

export function saveSettings(values) {
  const { key, ...rest } = values;
  try {
    localStorage.setItem(STORE, JSON.stringify(rest));
    sessionStorage.setItem("hornbook.key", key);
  } catch { /* storage is off: they last until the page is closed */ }
}

/** What goes into a request: everything that is set, by the API's names. */
export function sampling(values) {
  const fields = {};
  for (const { name, kind } of SETTINGS) {
    if (kind !== "text" && kind !== "secret" && values[name] !== null) fields[name] = values[name];
  }
  return fields;
}

/** Fill the panel with one labelled field per setting; `changed` is called after every change. */
export function buildFields(place, values, { isChat, changed }) {
  const shown = SETTINGS.filter(({ name }) => isChat || name !== "system");
  place.replaceChildren(...shown.map((setting) => field(setting, values, changed)));
}

function field(setting, values, changed) {
  const id = `set-${setting.name}`;
  const box = element("div", `field ${setting.kind}`);
  const label = element("label", "", setting.label);
  label.htmlFor = id;
  const input = document.createElement(setting.kind === "text" ? "textarea" : "input");
  const shown = element("output", "value");
  const about = element("p", "about", setting.about);
  about.id = `${id}-about`;
  Object.assign(input, { id, name: setting.name, value: values[setting.name] ?? "" });
  input.setAttribute("aria-describedby", about.id);
  if (setting.kind === "text") input.rows = 3;
  else if (setting.kind === "secret") Object.assign(input, { type: "password", autocomplete: "off" });
  else Object.assign(input, { type: setting.kind, min: setting.min, max: setting.max, step: setting.step });
  if (setting.kind === "range") input.value = values[setting.name];
  if (setting.hint) input.placeholder = setting.hint;
  shown.htmlFor = id;
  const show = () => { if (setting.kind === "range") { shown.value = Number(input.value).toFixed(2); paint(input); } };
  show();
  input.addEventListener("input", () => {
    show();
    const value = read(setting, input);
    input.setAttribute("aria-invalid", String(value === undefined));
    if (value === undefined) return;
    values[setting.name] = value;
    changed();
  });
  box.append(label, shown, input, about);
  return box;
}

/** The value of a field; undefined while it is none. */
function read(setting, input) {
  if (setting.kind === "text" || setting.kind === "secret") return input.value.trim();
  if (input.value.trim() === "") return input.validity.badInput ? undefined : setting.value;
  const value = Number(input.value);
  const whole = setting.kind !== "number" || Number.isInteger(value);
  return whole && value >= setting.min && value <= setting.max ? value : undefined;
}

function paint(input) {
  input.style.setProperty("--part", (input.value - input.min) / (input.max - input.min));
}

export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
