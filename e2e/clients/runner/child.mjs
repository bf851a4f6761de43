// Processes of a run: each is the head of a process group of its own, so that nothing of it is left behind.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

/** How long anything may take to start, in ms. Nobody waits for it in a run that goes well. */
const patience = 30_000;

const running = new Set();

/** Starts a program; `lines` are those of its output, `said` the last of them and of its errors. */
export function start(command, args, env = {}) {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  running.add(child);
  const said = [];
  const note = (line) => (said.push(line), said.splice(0, said.length - 40));
  const lines = createInterface({ input: child.stdout });
  lines.on("line", note);
  createInterface({ input: child.stderr }).on("line", note);
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve(`${command}: ${error.message}`));
    child.once("close", (code, signal) => resolve(`ended with ${signal ?? code}`));
  }).finally(() => running.delete(child));
  const stop = async () => {
    end(child);
    await ended;
  };
  return { pid: child.pid, lines, said, ended, stop };
}

function end(child) {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    // Nothing of the group is left.
    if (error.code !== "ESRCH") throw error;
  }
}

/** Ends whatever still runs. Synchronous, for the very end of the process. */
export function endAll() {
  for (const child of running) if (child.pid) end(child);
}

/** A port that nothing listens on now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Waits until `look` returns something; fails with the last words of `child` when it ends first or says nothing. */
export async function waitFor(what, child, look) {
  let over = null;
  child.ended.then((how) => (over = how));
  const start = Date.now();
  for (;;) {
    const found = await look();
    if (found) return found;
    if (over || Date.now() - start > patience) {
      throw new Error(`${what}: ${over ?? "does not answer"}; its last words:\n${child.said.join("\n")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Whether the URL answers with anything at all, or, with `ok`, well. */
export async function answers(url, { ok = false } = {}) {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => null);
  await response?.body?.cancel();
  return ok ? (response?.ok ?? false) : response !== null;
}
