// The server's API as the page uses it: JSON in, events out, errors with a sentence.

/** A failure that can be shown to the reader: `code` is OpenAI's error code, `status` 0 means unreachable. */
export class Failure extends Error {
  constructor(message, { status = 0, code = null } = {}) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const UNREACHABLE = "The server cannot be reached. Is “hornbook serve” still running?";

/** The one model of this server. */
export async function loadModel(key) {
  const reply = await send("v1/models", { headers: headers(key) });
  return (await reply.json()).data[0];
}

/** The events of a streamed completion, in order; throws Failure, or AbortError when `signal` fires. */
export async function* stream(path, body, { key, signal }) {
  const options = { ...body, stream: true, stream_options: { include_usage: true, continuous_usage_stats: true } };
  const reply = await send(path, { method: "POST", headers: headers(key), body: JSON.stringify(options), signal });
  let done = false;
  for await (const data of frames(reply.body)) {
    done = data === "[DONE]";
    if (done) continue; // the connection ends by itself and can be used again
    const event = JSON.parse(data);
    if (event.error) throw new Failure(event.error.message, { status: 200, code: event.error.code });
    yield event;
  }
  if (!done) throw new Failure("The answer broke off: the connection ended before the server had finished.");
}

/** The `data:` contents of a stream of server-sent events. */
export async function* frames(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    while (true) {
      const { done, value } = await reader.read().catch((error) => {
        throw error.name === "AbortError" ? error : new Failure(UNREACHABLE);
      });
      if (done) return;
      const parts = (rest + value).split("\n\n");
      rest = parts.pop();
      for (const part of parts) {
        const lines = part.split("\n").filter((line) => line.startsWith("data:"));
        if (lines.length) yield lines.map((line) => line.slice(5).trimStart()).join("\n");
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function send(path, options) {
  let reply;
  try {
    reply = await fetch(path, options);
  } catch (error) {
    throw error.name === "AbortError" ? error : new Failure(UNREACHABLE);
  }
  if (reply.ok) return reply;
  const said = await reply.json().catch(() => null);
  const message = said?.error?.message ?? `The server answered with status ${reply.status}.`;
  throw new Failure(message, { status: reply.status, code: said?.error?.code ?? null });
}

function headers(key) {
  return { "Content-Type": "application/json", ...(key ? { Authorization: `Bearer ${key}` } : {}) };
}
