// Turns as elements. Text from the model only ever becomes text nodes.

import { element } from "./settings.js";

/** All turns of a conversation; `acts` are the page's answers to clicks. Returns nothing, fills `place`. */
export function showTalk(place, talk, { isChat, busy, name, acts }) {
  const leftOut = talk.turns.at(-1)?.versions?.at(-1)?.leftOut ?? 0;
  const nodes = [];
  talk.turns.forEach((turn, position) => {
    if (leftOut > 0 && position === leftOut) nodes.push(divider());
    const last = position === talk.turns.length - 1;
    nodes.push(turn.role === "user" ? question(turn, position, { isChat, busy, acts }) : answer(turn, { isChat, busy, last, name, acts }));
  });
  place.replaceChildren(...nodes);
}

function question(turn, position, { isChat, busy, acts }) {
  const box = article("user", isChat ? "You" : "Beginning");
  const tools = element("div", "actions");
  const edit = action("i-edit", "Edit", () => editor(box, turn.text, (text) => acts.edit(position, text), () => acts.show()));
  edit.disabled = busy;
  tools.append(edit, copyAction(() => turn.text));
  box.append(element("div", "text", turn.text), tools);
  return box;
}

function answer(turn, { isChat, busy, last, name, acts }) {
  const version = turn.versions[turn.shown];
  const box = article("assistant", isChat ? name : "Continued");
  const text = element("div", "text", version.text);
  box.append(text);
  if (version.end === "writing") box.classList.add("writing");
  if (version.end === "failed") box.append(failure(version, busy, acts));
  const foot = element("div", "actions");
  foot.append(element("span", "meta", measure(version)));
  if (version.end !== "writing") {
    if (turn.versions.length > 1) foot.append(pager(turn, busy, acts));
    if (last && version.end !== "failed") {
      const again = action("i-again", "Write it again", acts.again);
      again.disabled = busy;
      foot.append(again);
    }
    if (version.text) foot.append(copyAction(() => version.text));
  }
  box.append(foot);
  return box;
}

/** `84 tokens · 312 tokens/s`, and why it ended when that is not plain. */
export function measure(version) {
  const parts = [];
  if (version.tokens) {
    parts.push(`${version.tokens.toLocaleString("en")} ${version.tokens === 1 ? "token" : "tokens"}`);
    if (version.seconds > 0 && version.tokens > 1) parts.push(`${speed(version)} tokens/s`);
  }
  if (version.end === "length") parts.push("reached its longest length");
  if (version.end === "stopped") parts.push("stopped");
  return parts.join(" · ");
}

function speed({ tokens, seconds }) {
  const rate = tokens / seconds;
  return rate >= 100 ? Math.round(rate).toLocaleString("en") : rate.toFixed(rate >= 10 ? 0 : 1);
}

function failure(version, busy, acts) {
  const box = element("div", "failure");
  box.setAttribute("role", "alert");
  const retry = element("button", "plain", "Try again");
  retry.type = "button";
  retry.disabled = busy;
  retry.addEventListener("click", acts.again);
  box.append(element("p", "", version.failure), retry);
  return box;
}

function divider() {
  const line = element("p", "divider");
  line.append(element("span", "", "The model no longer reads what is above: its memory is full."));
  return line;
}

function pager(turn, busy, acts) {
  const box = element("span", "pager");
  const back = action("i-left", "Earlier version", () => acts.version(turn, turn.shown - 1));
  const on = action("i-right", "Later version", () => acts.version(turn, turn.shown + 1));
  back.disabled = busy || turn.shown === 0;
  on.disabled = busy || turn.shown === turn.versions.length - 1;
  box.append(back, element("span", "count", `${turn.shown + 1}/${turn.versions.length}`), on);
  return box;
}

function editor(box, text, done, cancel) {
  const form = element("form", "editor");
  const area = document.createElement("textarea");
  area.value = text;
  area.rows = 1;
  area.setAttribute("aria-label", "Edit this message");
  const buttons = element("div", "buttons");
  const send = element("button", "strong", "Send again");
  const back = element("button", "plain", "Cancel");
  back.type = "button";
  back.addEventListener("click", cancel);
  const finish = () => { if (area.value.trim()) done(area.value.trim()); };
  form.addEventListener("submit", (event) => { event.preventDefault(); finish(); });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); finish(); }
    if (event.key === "Escape") { event.stopPropagation(); cancel(); }
  });
  area.addEventListener("input", () => grow(area));
  buttons.append(send, back);
  form.append(area, buttons);
  box.querySelector(".text").replaceWith(form);
  box.querySelector(".actions").remove();
  grow(area);
  area.focus();
}

/** A text field as high as its text, up to a limit set in the style sheet. */
export function grow(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight}px`;
}

function article(role, who) {
  const box = element("article", `turn ${role}`);
  box.append(element("h2", "who", who));
  return box;
}

function action(icon, label, act) {
  const button = element("button", "action");
  button.type = "button";
  button.title = label;
  button.setAttribute("aria-label", label);
  button.append(glyph(icon));
  button.addEventListener("click", act);
  return button;
}

function copyAction(text) {
  const button = action("i-copy", "Copy", async () => {
    if (!(await copyText(text()))) return;
    button.replaceChildren(glyph("i-check"));
    setTimeout(() => button.replaceChildren(glyph("i-copy")), 1200);
  });
  return button;
}

/** Copy to the clipboard; pages that are not served from localhost or https have no clipboard API. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element("textarea", "hidden");
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

export function glyph(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}
