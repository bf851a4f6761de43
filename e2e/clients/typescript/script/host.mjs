// The application around a client: it answers what servers ask, and remembers what they said unasked.

/** How long anything is waited for, in ms. Nobody waits that long in a run that goes well. */
const patience = 10_000;

/** What one connection has heard so far, and what it answers. */
export class Host {
  /** Log messages: {level, data}. */
  logs = [];
  /** URIs of resources that changed. */
  updated = [];
  /** How often the list of tools changed. */
  changes = 0;
  /** What the server asked, in order: the message of an elicitation, the text to sample from, or "roots". */
  asked = [];
  /** What the user fills into the next form. */
  form = {};

  heardLog({ level, data }) {
    this.logs.push({ level, data });
  }

  elicit({ message }) {
    this.asked.push(message);
    return { action: "accept", content: this.form };
  }

  sample({ messages }) {
    const [first] = [messages[0].content].flat();
    this.asked.push(first.text);
    return { role: "assistant", model: "e2e", stopReason: "endTurn", content: { type: "text", text: "sampled" } };
  }

  roots() {
    this.asked.push("roots");
    return { roots: [{ uri: "file:///e2e", name: "e2e" }] };
  }
}

/** Waits until `holds` says so; gives up, with what was waited for, when nobody would wait any longer. */
export async function until(what, holds) {
  const start = Date.now();
  while (!(await holds())) {
    if (Date.now() - start > patience) throw new Error(`waited ${patience / 1000} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What `work` comes to, unless it takes longer than anything in it may. */
export function bounded(work) {
  const late = new Promise((_, reject) => {
    const give = () => reject(new Error(`no answer in ${(2 * patience) / 1000} s`));
    setTimeout(give, 2 * patience).unref();
  });
  return Promise.race([work, late]);
}
