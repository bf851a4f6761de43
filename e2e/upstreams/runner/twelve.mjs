// One client, twelve upstreams at once: one hangs, one crashes again and again, one changes its tools all the time.
// Every call to the nine others is answered, and answered right.

import { call, CallFailed, listen, tools } from "./client.mjs";
import { fixture, kinds, runtime } from "./kinds.mjs";
import { endAll } from "../../clients/runner/child.mjs";

const rounds = 40;
const sound = {
  everything: { open: () => fixture("both"), tool: { name: "test_simple_text", arguments: {}, says: "" } },
  legacy: { open: () => fixture("legacy"), tool: { name: "test_simple_text", arguments: {}, says: "" } },
  modern: { open: () => fixture("modern"), tool: { name: "test_simple_text", arguments: {}, says: "" } },
  http: kinds["remote: server-everything, Streamable HTTP"],
  sse: kinds["remote: server-everything, HTTP+SSE"],
  fastmcp: kinds["remote: FastMCP"],
  node: kinds["stdio: server-everything"],
  time: kinds["stdio: mcp-server-time"],
  git: kinds["stdio: mcp-server-git"],
};

export async function twelve() {
  const opened = {};
  for (const [name, { open }] of Object.entries(sound)) opened[name] = await open();
  const hanging = await fixture("both");
  const crashing = await kinds["remote: Go SDK"].open();
  const changing = await kinds["stdio: Go SDK"].open();
  const upstreams = { ...opened, hanging: { ...hanging, timeout: "3s" }, crashing, changing };
  const server = await runtime(upstreams);
  try {
    await allListed(server, upstreams);
    return await trouble(server, { opened, hanging, crashing });
  } finally {
    await Promise.all([server.stop(), ...Object.values(upstreams).map((upstream) => upstream.stop())]);
    endAll();
  }
}

async function allListed(server, upstreams) {
  for (let tries = 0; ; tries += 1) {
    const listed = await tools(server.url);
    const missing = Object.keys(upstreams).filter((name) => !listed.some((tool) => tool.startsWith(`${name}_`)));
    if (missing.length === 0) return;
    if (tries > 300) throw new Error(`not listed: ${missing.join(", ")}; ${server.said.join("\n")}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function trouble(server, { opened, hanging, crashing }) {
  const listener = await listen(server.url);
  const counts = { right: 0, wrong: [], hanging: 0, crashing: { right: 0, error: 0 }, crashes: 0, added: 0, unready: 0 };
  for (const pid of await hanging.processes()) process.kill(pid, "SIGSTOP");
  let over = false;
  const crashes = (async () => {
    while (!over) {
      for (const pid of await crashing.processes()) process.kill(pid, "SIGKILL");
      counts.crashes += 1;
      await crashing.restart();
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  })();
  for (let round = 0; round < rounds; round += 1) {
    const calls = Object.keys(opened).map((name) => right(server, opened, name, counts));
    calls.push(stuck(server, counts), shaky(server, counts), change(server, round, counts));
    calls.push(server.ready().then((ready) => (counts.unready += ready ? 0 : 1)));
    await Promise.all(calls);
  }
  over = true;
  await crashes;
  const listed = await tools(server.url);
  counts.listed = listed.filter((name) => name.startsWith("changing_added_")).length;
  counts.told = listener.count();
  listener.stop();
  for (const pid of await hanging.processes()) process.kill(pid, "SIGCONT");
  return judge(counts);
}

async function right(server, opened, name, counts) {
  const tool = typeof sound[name].tool === "function" ? sound[name].tool(opened[name]) : sound[name].tool;
  try {
    const text = await call(server.url, `${name}_${tool.name}`, tool.arguments);
    if (text.includes(tool.says)) counts.right += 1;
    else counts.wrong.push(`${name}: ${text}`);
  } catch (error) {
    counts.wrong.push(`${name}: ${error.message}`);
  }
}

/** The one that hangs: an error each time, in its own time. */
async function stuck(server, counts) {
  const answer = await call(server.url, "hanging_test_simple_text").catch((error) => error);
  if (answer instanceof CallFailed) counts.hanging += 1;
  else counts.wrong.push(`hanging: ${answer}`);
}

/** The one that crashes: right or an error, never anything else. */
async function shaky(server, counts) {
  const answer = await call(server.url, "crashing_echo", { message: "m" }).catch((error) => error);
  if (answer === "Echo: m") counts.crashing.right += 1;
  else if (answer instanceof CallFailed) counts.crashing.error += 1;
  else counts.wrong.push(`crashing: ${answer}`);
}

async function change(server, round, counts) {
  const text = await call(server.url, "changing_add_tool", { name: `added_${round}` }).catch((error) => error.message);
  if (text === `Added added_${round}`) counts.added += 1;
  else counts.wrong.push(`changing: ${text}`);
}

function judge(counts) {
  const wanted = rounds * Object.keys(sound).length;
  const faults = [
    counts.right === wanted || `${counts.right} of ${wanted} calls were answered right`,
    counts.wrong.length === 0 || counts.wrong.slice(0, 10).join("\n"),
    counts.hanging === rounds || `${counts.hanging} of ${rounds} calls to the one that hangs ended with an error`,
    counts.added === rounds || `${counts.added} of ${rounds} changes were made`,
    counts.listed === rounds || `${counts.listed} of ${rounds} new tools are listed at the end`,
    counts.told > 0 || "nobody was told that the tools changed",
    counts.unready === 0 || `the server was not ready ${counts.unready} times`,
    counts.crashes > 1 || "nothing crashed",
  ].filter((fault) => fault !== true);
  console.log(JSON.stringify({ ...counts, wrong: counts.wrong.length }));
  faults.forEach((fault) => console.error(fault));
  return faults.length;
}
