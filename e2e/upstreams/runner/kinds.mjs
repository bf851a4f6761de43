// Real MCP servers of every kind that can stand behind one of ours: how each is declared, started, killed and stopped.

import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answers, freePort, start, waitFor } from "../../clients/runner/child.mjs";

const { EVERYTHING, UPSTREAMS_GO, UPSTREAMS_PYTHON, CLIENTS_TYPESCRIPT, CLIENTS_PYTHON, MCP_RUNTIME } = process.env;
const reference = join(CLIENTS_TYPESCRIPT, "node_modules/@modelcontextprotocol/server-everything/dist/index.js");
const fastmcp = join(import.meta.dirname, "../../clients/python/server.py");

const echo = { name: "echo", arguments: { message: "grüezi" }, says: "Echo: grüezi" };
const ofReference = {
  tool: echo,
  progress: { name: "trigger-long-running-operation", arguments: { duration: 0.2, steps: 4 }, least: 3 },
  slow: { name: "trigger-long-running-operation", arguments: { duration: 20, steps: 20 } },
};
const ofGo = {
  tool: echo,
  progress: { name: "count", arguments: { n: 4 }, least: 3 },
  slow: { name: "slow", arguments: { ms: 20_000 } },
  grow: { name: "add_tool", arguments: { name: "added" } },
};

/** By name: what it offers, and `open`, which starts it and says how it is declared. */
export const kinds = {
  "remote: server-everything, Streamable HTTP": { ...ofReference, open: () => served(process.execPath, [reference, "streamableHttp"], "/mcp") },
  "remote: server-everything, HTTP+SSE": { ...ofReference, open: () => served(process.execPath, [reference, "sse"], "/sse") },
  "remote: FastMCP": {
    tool: echo,
    progress: { name: "count", arguments: { n: 4 }, least: 3 },
    slow: { name: "slow", arguments: { ms: 20_000 } },
    grow: { name: "add_tool", arguments: { name: "added" }, untold: "FastMCP announces changes to legacy clients only" },
    open: () => served(join(CLIENTS_PYTHON, "fastmcp-4.1.2/bin/python"), ["-W", "ignore", fastmcp, "$PORT"], "/mcp"),
  },
  "remote: Go SDK": { ...ofGo, open: () => served(UPSTREAMS_GO, ["-http", "127.0.0.1:$PORT"], "/mcp") },
  "serverRef: another McpServer": { ...ofGo, open: behindAnother },
  "stdio: server-everything": { ...ofReference, open: () => program([process.execPath, reference, "stdio"]) },
  "stdio: Go SDK": { ...ofGo, open: () => program([UPSTREAMS_GO]) },
  "stdio: mcp-server-time": {
    tool: { name: "convert_time", arguments: { source_timezone: "UTC", time: "12:00", target_timezone: "Asia/Tokyo" }, says: "21:00" },
    open: () => program([join(UPSTREAMS_PYTHON, "bin/mcp-server-time"), "--local-timezone", "UTC"]),
  },
  "stdio: mcp-server-git": {
    tool: (at) => ({ name: "git_log", arguments: { repo_path: at.repository }, says: "Begin" }),
    open: repository,
  },
};

/** A server at a port of its own: the same port after it was killed. */
async function served(command, args, path) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}${path}`;
  let child;
  const begin = async () => {
    child = start(command, args.map((arg) => arg.replace("$PORT", port)), { PORT: String(port) });
    await waitFor(command, child, () => answers(`http://127.0.0.1:${port}/`));
  };
  await begin();
  return {
    declared: `remote: {url: "${url}"}`,
    url,
    processes: () => withDescendants(child.pid),
    restart: begin,
    stop: () => child.stop(),
  };
}

/** A program that the runtime starts, and starts again. */
function program(command) {
  return {
    declared: `stdio: {image: "none", command: ${JSON.stringify(command)}}`,
    processes: (runtime) => descendants(runtime, command[0]),
    restart: async () => {},
    stop: async () => {},
  };
}

/** A server of ours, with a server built on the Go SDK behind it. */
async function behindAnother() {
  const inner = await served(UPSTREAMS_GO, ["-http", "127.0.0.1:$PORT"], "/mcp");
  const others = `---
apiVersion: mcpfleet.dev/v1alpha1
kind: McpServer
metadata: {name: inner, namespace: default}
spec: {auth: {anonymous: {}}, upstreams: [{name: go, ${inner.declared}}]}
`;
  return { ...inner, declared: "serverRef: {name: inner}", others };
}

async function repository() {
  const at = await mkdtemp(join(tmpdir(), "mcpfleet-repository-"));
  const git = (...args) => execFileSync("git", ["-C", at, "-c", "user.name=a", "-c", "user.email=a@b", ...args]);
  git("init", "-q");
  git("commit", "-q", "--allow-empty", "-m", "Begin");
  const opened = program([join(UPSTREAMS_PYTHON, "bin/mcp-server-git"), "--repository", at]);
  return { ...opened, repository: at, stop: () => rm(at, { recursive: true, force: true }) };
}

/** Our fixture, which keeps a ledger. */
export async function fixture(era = "both") {
  const child = start(EVERYTHING, ["--listen", "127.0.0.1:0", "--era", era]);
  let at = null;
  child.lines.once("line", (line) => (at = JSON.parse(line).listening));
  await waitFor("everything", child, () => at);
  return { declared: `remote: {url: "http://${at}/mcp"}`, url: `http://${at}/mcp`, ledger: `http://${at}/ledger`, processes: () => withDescendants(child.pid), stop: child.stop };
}

/** A runtime in front of these upstreams: {name: {declared, extra}}. Each has `name_` as its prefix. */
export async function runtime(upstreams, { others = "", ready = true } = {}) {
  const manifests = await mkdtemp(join(tmpdir(), "mcpfleet-upstreams-"));
  const list = Object.entries(upstreams).map(([name, { declared, timeout = "10s" }]) =>
    `  - {name: ${name}, prefix: "${name}_", timeout: ${timeout}, ${declared}}`);
  const manifest = `apiVersion: mcpfleet.dev/v1alpha1
kind: McpServer
metadata: {name: outer, namespace: default}
spec:
  auth: {anonymous: {}}
  upstreams:
${list.join("\n")}
${others}`;
  const { writeFile } = await import("node:fs/promises");
  await writeFile(join(manifests, "servers.yaml"), manifest);
  const [port, admin] = [await freePort(), await freePort()];
  const child = start(MCP_RUNTIME, ["serve", "-f", manifests, "--listen", `127.0.0.1:${port}`, "--admin", `127.0.0.1:${admin}`]);
  const health = `http://127.0.0.1:${admin}`;
  if (ready) await waitFor("mcp-runtime", child, () => answers(`${health}/readyz`, { ok: true }));
  return {
    url: `http://127.0.0.1:${port}/default/outer/mcp`,
    ready: () => answers(`${health}/readyz`, { ok: true }),
    pid: child.pid,
    said: child.said,
    child,
    async stop() {
      await child.stop();
      await rm(manifests, { recursive: true, force: true });
    },
  };
}

async function table() {
  const found = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (stat) found.push({ pid: Number(pid), parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]), command });
  }
  return found;
}

/** Processes below `top` whose command line has `text`. */
async function descendants(top, text) {
  const all = await table();
  const below = new Set([top]);
  for (let before = 0; before !== below.size; ) {
    before = below.size;
    all.filter(({ parent }) => below.has(parent)).forEach(({ pid }) => below.add(pid));
  }
  below.delete(top);
  return all.filter(({ pid, command }) => below.has(pid) && command.includes(text)).map(({ pid }) => pid);
}

async function withDescendants(pid) {
  return [pid, ...(await descendants(pid, ""))];
}
