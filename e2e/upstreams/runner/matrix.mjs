// One row for each kind of upstream: it is listed, called, streams, crashes, hangs, changes; another upstream of the
// same server must not notice.

import { readFile } from "node:fs/promises";
import { call, CallFailed, listen, tools } from "./client.mjs";
import { fixture, kinds, runtime } from "./kinds.mjs";
import { endAll } from "../../clients/runner/child.mjs";

const columns = ["list", "call", "stream", "crash", "hang", "change"];
/** How long recovery is waited for. Nobody waits for it in a run that goes well. */
const patience = 60_000;
/** Rows at a time. */
const together = 4;

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
  async crash({ kind, server, at, told }) {
    const begun = new Promise((resolve) => setTimeout(resolve, 500));
    const pending = kind.slow && outcome(call(server.url, `kind_${kind.slow.name}`, kind.slow.arguments));
    await begun;
    await signal(at, server, "SIGKILL");
    if (pending) {
      const answer = await pending;
      expect(answer instanceof CallFailed, `a call to a killed server: ${answer}`);
      told.push(`killed: ${answer.message}`);
    }
    await bystander(server);
    await at.restart();
    await until("a call after the crash", () => works(kind, server, at).then(() => true));
  },
  async hang({ kind, server, at, told }) {
    await stop(at, server);
    try {
      const { name, arguments: args } = toolOf(kind, at);
      const stuck = outcome(call(server.url, `kind_${name}`, args));
      await bystander(server);
      const answer = await stuck;
      expect(answer instanceof CallFailed, `a stopped server (${(await states(at, server)).join(" ")}): ${answer}`);
      told.push(`stopped: ${answer.message}`);
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

/** Stops its processes, and waits until they stand still. */
async function stop(at, server) {
  await signal(at, server, "SIGSTOP");
  await until("its processes stand still", async () => (await states(at, server)).every((state) => state === "T"));
}

async function states(at, server) {
  const stats = (await at.processes(server.pid)).map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "(gone) X"));
  return (await Promise.all(stats)).map((stat) => stat.slice(stat.lastIndexOf(")") + 2)[0]);
}

async function row(kind) {
  const other = await fixture();
  const at = await kind.open();
  const upstreams = { kind: { declared: at.declared, timeout: "10s" }, other: { declared: other.declared } };
  const server = await runtime(upstreams, { others: at.others });
  const said = { told: [] };
  try {
    for (const column of columns) {
      try {
        said[column] = (await cells[column]({ kind, server, at, told: said.told })) ?? "ok";
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
  const chosen = Object.entries(kinds).filter(([name]) => name.includes(wanted ?? ""));
  const rows = await inTurn(chosen.map(([name, kind]) => async () => ({ name, said: await row(kind) })));
  endAll();
  return print(rows);
}

/** Runs what `jobs` does, a few at a time: they wait more than they work. */
async function inTurn(jobs) {
  const results = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < jobs.length; index = next++) results[index] = await jobs[index]();
  };
  await Promise.all(Array.from({ length: together }, worker));
  return results;
}

/** The table, why cells are empty, and what callers were told; resolves with the number of failures. */
function print(rows) {
  const reasons = new Map();
  const failures = [];
  const cell = (name, column, text) => {
    if (text === "ok") return "ok";
    if (text.startsWith("FAILED")) {
      failures.push(`${name}, ${column}: ${text}`);
      return "**fails**";
    }
    const reason = `${column}: ${text}`;
    reasons.set(reason, [...(reasons.get(reason) ?? []), name]);
    return "-";
  };
  console.log(`| upstream | ${columns.join(" | ")} |\n| --- |${" :-: |".repeat(columns.length)}`);
  for (const { name, said } of rows) {
    console.log(`| ${name} | ${columns.map((column) => cell(name, column, said[column])).join(" | ")} |`);
  }
  console.log("");
  for (const [reason, names] of reasons) console.log(`- ${reason} (${names.join("; ")})`);
  console.log("\nWhat the caller of a call in flight was told:\n");
  for (const { name, said } of rows) said.told.forEach((text) => console.log(`- ${name}, ${text}`));
  failures.forEach((failure) => console.error(failure));
  return failures.length;
}
