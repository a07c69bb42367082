// A conversation: turns of the reader, answers with all their versions, kept in the browser.

const STORE = "hornbook.talk";

/**
 * Turns alternate: {role: "user", text} and {role: "assistant", versions: [Version], shown: index}.
 * A version is {text, end: "writing" | "stop" | "length" | "stopped" | "failed", failure, tokens, seconds, leftOut}.
 */
export class Talk {
  constructor(model) {
    this.model = model;
    this.turns = [];
  }

  /** The conversation of this model that the browser kept, or an empty one. */
  static load(model) {
    const talk = new Talk(model);
    try {
      const stored = JSON.parse(localStorage.getItem(STORE) ?? "null");
      if (stored?.model === model && Array.isArray(stored.turns)) talk.turns = stored.turns;
    } catch { /* storage is off or damaged: begin anew */ }
    for (const turn of talk.turns) {
      for (const version of turn.versions ?? []) if (version.end === "writing") version.end = "stopped";
    }
    return talk;
  }

  save() {
    try {
      localStorage.setItem(STORE, JSON.stringify({ model: this.model, turns: this.turns }));
    } catch { /* storage is off or full: it lasts until the page is closed */ }
  }

  get last() {
    return this.turns.at(-1);
  }

  /** The reader says something; returns the version that the answer is written into. */
  ask(text) {
    this.turns.push({ role: "user", text });
    return this.answerAnew();
  }

  /** Another version of the last answer. */
  answerAnew() {
    if (this.last.role !== "assistant") this.turns.push({ role: "assistant", versions: [], shown: 0 });
    const versions = this.last.versions;
    if (versions.length && ["failed"].includes(versions.at(-1).end)) versions.pop();
    versions.push({ text: "", end: "writing", failure: null, tokens: 0, seconds: 0, leftOut: 0 });
    this.last.shown = versions.length - 1;
    return versions.at(-1);
  }

  /** The reader said something else at `position`: what followed is gone. */
  askInstead(position, text) {
    this.turns.length = position;
    return this.ask(text);
  }

  /** Messages for the API, up to the answer that is being written. */
  messages(system) {
    const said = system ? [{ role: "system", content: system }] : [];
    for (const turn of this.turns.slice(0, -1)) {
      if (turn.role === "user") said.push({ role: "user", content: turn.text });
      else said.push({ role: "assistant", content: turn.versions[turn.shown].text });
    }
    return said;
  }
}
