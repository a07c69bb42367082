// The chat page: one conversation with the one model of this server.

import { Failure, loadModel, stream } from "./api.js";
import { buildFields, element, loadSettings, sampling, saveSettings, SETTINGS } from "./settings.js";
import { Talk } from "./talk.js";
import { grow, measure, showTalk } from "./view.js";

const $ = (id) => document.getElementById(id);
const settings = loadSettings();
let model = null;
let talk = new Talk("");
let writing = null; // the AbortController of the answer under way

const facts = () => model?.hornbook ?? {};
const isChat = () => facts().is_chat !== false;

function show() {
  const acts = { edit, again, version: showVersion, show };
  showTalk($("talk"), talk, { isChat: isChat(), busy: writing !== null, name: model?.id ?? "Model", acts });
  $("welcome").hidden = talk.turns.length > 0 || model === null;
  $("send").hidden = writing !== null;
  $("stop").hidden = writing === null;
  $("clear").disabled = talk.turns.length === 0;
  $("talk").setAttribute("aria-busy", String(writing !== null));
}

function ask(text) {
  if (writing || !text.trim()) return;
  write(talk.ask(text.trim()));
}

function again() {
  if (!writing) write(talk.answerAnew());
}

function edit(position, text) {
  if (!writing) write(talk.askInstead(position, text));
}

function showVersion(turn, index) {
  turn.shown = index;
  talk.save();
  show();
}

/** Stream one answer into a version of the last turn. */
async function write(version) {
  const abort = new AbortController();
  writing = abort;
  say("Writing");
  show();
  scrollDown(true);
  const ink = pen(version);
  try {
    for await (const event of stream(...request(), { key: settings.key, signal: abort.signal })) ink.take(event);
  } catch (error) {
    if (abort.signal.aborted) version.end = "stopped";
    else fail(version, error);
  }
  if (version.end === "writing") version.end = "stop";
  ink.finish();
  writing = null;
  talk.save();
  const followed = nearEnd();
  show();
  if (followed) scrollDown(true);
  say(version.end === "failed" ? "" : `Answer finished. ${measure(version)}`);
  if (version.failureStatus === 401) askForKey();
  else if (!matchMedia("(pointer: coarse)").matches) $("input").focus({ preventScroll: true });
}

function request() {
  if (!isChat()) return ["v1/completions", { model: model?.id, prompt: talk.turns.at(-2).text, max_tokens: 100000, ...sampling(settings) }];
  return ["v1/chat/completions", { model: model?.id, messages: talk.messages(settings.system), fit_context: true, ...sampling(settings) }];
}

/** Puts arriving text on the page once per frame, however fast it comes. */
function pen(version) {
  const node = document.createTextNode("");
  const last = $("talk").lastElementChild;
  last.querySelector(".text").replaceChildren(node);
  const meta = last.querySelector(".meta");
  let fresh = "";
  let frame = 0;
  let began = 0;
  const draw = () => {
    frame = 0;
    const followed = nearEnd();
    node.appendData(fresh);
    fresh = "";
    meta.textContent = measure(version);
    if (followed) scrollDown();
  };
  return {
    take(event) {
      const choice = event.choices[0];
      const text = choice?.delta?.content ?? choice?.text ?? "";
      began ||= text ? performance.now() : 0;
      version.text += text;
      fresh += text;
      version.leftOut = leftOut(event) ?? version.leftOut;
      if (event.usage) version.tokens = event.usage.completion_tokens;
      if (began) version.seconds = (performance.now() - began) / 1000;
      if (choice?.finish_reason) version.end = choice.finish_reason;
      frame ||= requestAnimationFrame(draw);
    },
    finish() {
      if (frame) cancelAnimationFrame(frame);
      draw();
    },
  };
}

/** How many turns of the page the model did not get to read (the system message is none of them). */
function leftOut(event) {
  return event.hornbook?.messages_left_out;
}

function fail(version, error) {
  version.end = "failed";
  version.failure = error instanceof Failure ? error.message : `Something went wrong in the page: ${error.message}`;
  version.failureStatus = error.status ?? 0;
}

function askForKey() {
  openSettings();
  $("set-key").focus();
}

function nearEnd() {
  const page = document.scrollingElement;
  return page.scrollHeight - page.scrollTop - page.clientHeight < 120;
}

function scrollDown(always = false) {
  if (always || nearEnd()) document.scrollingElement.scrollTop = document.scrollingElement.scrollHeight;
}

function say(text) {
  $("status").textContent = text;
}

function clearTalk() {
  if (writing) writing.abort();
  const before = talk;
  talk = new Talk(model?.id ?? "");
  talk.save();
  show();
  toast("Conversation cleared", "Undo", () => { talk = before; talk.save(); show(); });
  $("input").focus();
}

let toastTimer = 0;
function toast(text, label, act) {
  const box = $("toast");
  const [words, button] = box.children;
  words.textContent = text;
  button.textContent = label;
  button.onclick = () => { box.hidden = true; act(); };
  box.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { box.hidden = true; }, 6000);
}

function openSettings() {
  buildFields($("fields"), settings, { isChat: isChat(), changed: () => saveSettings(settings) });
  $("settings").showModal();
}

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("hornbook.theme", root.dataset.theme); } catch { /* storage is off */ }
}

function isLocal() {
  return ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
}

/** `10,241,600 parameters · reads 512 tokens`. */
function describe() {
  const { parameters, context_tokens: context } = facts();
  const size = parameters >= 1e6 ? `${(parameters / 1e6).toFixed(1)} million parameters` : parameters ? `${parameters.toLocaleString("en")} parameters` : "";
  return [size, context ? `reads ${context.toLocaleString("en")} tokens` : ""].filter(Boolean);
}

function showModel() {
  $("model").textContent = model.id;
  $("model").title = describe().join(" · ");
  document.title = `${model.id} · Hornbook`;
  $("headline").textContent = isChat() ? `Talk to ${model.id}` : `Begin, and ${model.id} goes on`;
  $("facts").textContent = [...describe(), isLocal() ? "runs on this machine" : ""].filter(Boolean).join(" · ");
  $("input").placeholder = isChat() ? "Write something…" : "Begin a text…";
  const starters = facts().starters?.length ? facts().starters : isChat() ? ["Who are you?", "Tell me a story about a fox and a lantern."] : ["Once upon a time"];
  $("starters").replaceChildren(...starters.map((text) => {
    const item = element("li");
    const button = element("button", "starter", text);
    button.type = "button";
    button.addEventListener("click", () => ask(text));
    item.append(button);
    return item;
  }));
}

async function start() {
  try {
    model = await loadModel(settings.key);
  } catch (error) {
    if (error.status === 401) askForKey();
    const box = element("div", "failure lone");
    const retry = element("button", "plain", "Try again");
    retry.addEventListener("click", start);
    box.append(element("p", "", error.message), retry);
    $("talk").replaceChildren(box);
    return;
  }
  talk = Talk.load(model.id);
  showModel();
  show();
  scrollDown(true);
  if (!matchMedia("(pointer: coarse)").matches) $("input").focus({ preventScroll: true });
}

function listen() {
  $("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("input").value;
    if (writing || !text.trim() || model === null) return;
    $("input").value = "";
    grow($("input"));
    ask(text);
  });
  $("input").addEventListener("input", () => grow($("input")));
  $("input").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $("form").requestSubmit();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && writing && !$("settings").open) writing.abort();
  });
  $("stop").addEventListener("click", () => writing?.abort());
  $("clear").addEventListener("click", clearTalk);
  $("theme").addEventListener("click", switchTheme);
  $("open-settings").addEventListener("click", openSettings);
  $("settings").addEventListener("click", (event) => { if (event.target === $("settings")) $("settings").close(); });
  $("settings").addEventListener("close", () => { if (model === null) start(); });
  $("reset").addEventListener("click", () => {
    for (const { name, value } of SETTINGS) if (name !== "key") settings[name] = value;
    saveSettings(settings);
    buildFields($("fields"), settings, { isChat: isChat(), changed: () => saveSettings(settings) });
  });
}

listen();
start();
