// One row for each kind of upstream: it is listed, called, streams, crashes, hangs, changes; another upstream of the
// same server must not notice.

import { call, CallFailed, listen, tools } from "./client.mjs";
import { fixture, kinds, runtime } from "./kinds.mjs";
import { endAll } from "../../clients/runner/child.mjs";

const columns = ["list", "call", "stream", "crash", "hang", "change"];
/** How long recovery is waited for. Nobody waits for it in a run that goes well. */
const patience = 60_000;

const until = async (what, look) => {
  const begin = Date.now();
  for (let last; ; ) {
    try {
      const found = await look();
      if (found) return found;
    } catch (error) {
      last = error;
    }
    if (Date.now() - begin > patience) throw new Error(`${what}: ${last?.message ?? "never"}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

const expect = (holds, message) => {
  if (!holds) throw new Error(message);
};

/** What is tried in each column; a string says why it is not. */
const cells = {
  async list({ kind, server, at }) {
    const { name } = toolOf(kind, at);
    await until(`tool ${name} listed`, async () => (await tools(server.url)).includes(`kind_${name}`));
  },
  async call({ kind, server, at }) {
    await works(kind, server, at);
  },
  async stream({ kind, server }) {
    if (!kind.progress) return "it reports no progress";
    const seen = [];
    const onNotification = ({ method, params }) => method === "notifications/progress" && seen.push(params.progress);
    await call(server.url, `kind_${kind.progress.name}`, kind.progress.arguments, { onNotification, token: "t" });
    expect(seen.length >= kind.progress.least, `${seen.length} messages before the answer`);
  },
  async crash({ kind, server, at }) {
    const begun = new Promise((resolve) => setTimeout(resolve, 500));
    const pending = kind.slow && outcome(call(server.url, `kind_${kind.slow.name}`, kind.slow.arguments));
    await begun;
    await signal(at, server, "SIGKILL");
    if (pending) expect((await pending) instanceof Error, "a call to a killed server has succeeded");
    await bystander(server);
    await at.restart();
    await until("a call after the crash", () => works(kind, server, at).then(() => true));
  },
  async hang({ kind, server, at }) {
    await signal(at, server, "SIGSTOP");
    try {
      const { name, arguments: args } = toolOf(kind, at);
      const stuck = outcome(call(server.url, `kind_${name}`, args));
      await bystander(server);
      const answer = await stuck;
      expect(answer instanceof CallFailed, `a stopped server: ${answer}`);
      await bystander(server);
      expect(await server.ready(), "the server is not ready");
    } finally {
      await signal(at, server, "SIGCONT");
    }
    await until("a call after the hang", () => works(kind, server, at).then(() => true));
  },
  async change({ kind, server }) {
    if (!kind.grow) return "its tools do not change";
    const listener = await listen(server.url);
    try {
      const { name, arguments: args, untold } = kind.grow;
      await call(server.url, `kind_${name}`, args);
      if (untold) return untold;
      await until("list_changed", () => listener.count() > 0);
      expect((await tools(server.url)).includes(`kind_${args.name}`), "the new tool is not listed");
    } finally {
      listener.stop();
    }
  },
};

const toolOf = (kind, at) => (typeof kind.tool === "function" ? kind.tool(at) : kind.tool);
const outcome = (promise) => promise.then((text) => text, (error) => error);

async function works(kind, server, at) {
  const { name, arguments: args, says } = toolOf(kind, at);
  const text = await call(server.url, `kind_${name}`, args);
  expect(text.includes(says), `it says ${JSON.stringify(text)}`);
}

async function bystander(server) {
  const text = await call(server.url, "other_test_simple_text");
  expect(text.length > 0, "the other upstream says nothing");
}

async function signal(at, server, name) {
  const found = await at.processes(server.pid);
  expect(found.length > 0, "there is no process");
  for (const pid of found) process.kill(pid, name);
}

async function row(kind) {
  const other = await fixture();
  const at = await kind.open();
  const upstreams = { kind: { declared: at.declared, timeout: "5s" }, other: { declared: other.declared } };
  const server = await runtime(upstreams, { others: at.others });
  const said = {};
  try {
    for (const column of columns) {
      try {
        said[column] = (await cells[column]({ kind, server, at })) ?? "ok";
      } catch (error) {
        said[column] = `FAILED: ${error.message}`;
      }
    }
  } finally {
    await Promise.all([server.stop(), at.stop(), other.stop()]);
  }
  return said;
}

export async function matrix(wanted) {
  const reasons = new Map();
  let failed = 0;
  console.log(`| upstream | ${columns.join(" | ")} |\n| --- |${" :-: |".repeat(columns.length)}`);
  for (const [name, kind] of Object.entries(kinds).filter(([name]) => name.includes(wanted ?? ""))) {
    const said = await row(kind);
    const shown = columns.map((column) => {
      const text = said[column];
      if (text === "ok") return "ok";
      if (text.startsWith("FAILED")) {
        failed += 1;
        console.error(`${name}, ${column}: ${text}`);
        return "**fails**";
      }
      reasons.set(`${column}: ${text}`, [...(reasons.get(`${column}: ${text}`) ?? []), name]);
      return "-";
    });
    console.log(`| ${name} | ${shown.join(" | ")} |`);
  }
  for (const [reason, names] of reasons) console.log(`\n- ${reason} (${names.join("; ")})`);
  endAll();
  return failed;
}
