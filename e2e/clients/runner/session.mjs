// One client in front of one server: runs its plan, and judges each line that it prints.

import { join } from "node:path";
import { start } from "./child.mjs";
import { deviations } from "./judge.mjs";
import { between, tap } from "./tap.mjs";

/** How long a client may take for its whole plan, in ms. Each of its waits ends much sooner. */
const patience = 240_000;

/**
 * Runs `client` against `target` ({url, command, ledger}) and returns a cell for each row: {action, state: ok|failed|none,
 * lacks, wrong, seen, evidence}.
 */
export async function meet(client, target, rows, places) {
  const wire = client.transport === "stdio" ? null : await tap(target.url);
  const steps = rows.filter((row) => row.step).map((row) => row.step);
  const plan = { ...client, ...target, url: wire?.url, steps };
  const child = start(...command(client, places, JSON.stringify(plan)));
  const seen = new Map();
  child.lines.on("line", (line) => {
    const facts = parsed(line);
    if (!facts) return;
    wire?.mark(facts.action);
    seen.set(facts.action, facts);
  });
  const timer = setTimeout(child.stop, patience);
  const how = await child.ended;
  clearTimeout(timer);
  const closed = seen.get("close");
  if (closed && wire) Object.assign(closed, await goodbye(wire.exchanges, target.url));
  await wire?.stop();
  const words = child.said.slice(-4).map((line) => line.slice(0, 300));
  const missing = { error: { code: null, message: `never came: the client ${how}; its last words: ${words.join(" | ")}` } };
  return rows.map((row) => cell(row, seen.get(row.action) ?? missing, wire));
}

function command(client, { here, typescript, python }, plan) {
  return client.program === "typescript"
    ? [process.execPath, [join(typescript, "script/main.mjs"), plan]]
    : [python(client.environment), ["-W", "ignore", join(here, "python/script"), plan]];
}

function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    // Some libraries print warnings of their own; they are among the last words if they matter.
    return null;
  }
}

function cell(row, seen, wire) {
  if (row.lacks) return { action: row.action, state: "none", lacks: row.lacks };
  const wrong = deviations(row.hold, seen);
  if (wrong.length === 0) return { action: row.action, state: "ok", seen };
  return { action: row.action, state: "failed", wrong, seen, evidence: wire ? between(wire.exchanges, row.action) : [] };
}

/** How the session was ended: the status of its DELETE, and of a request that comes after; null where there is none. */
async function goodbye(exchanges, url) {
  const ended = exchanges.findLast((exchange) => exchange.asked?.method === "DELETE");
  if (!ended) return { delete: null, after: null };
  const session = ended.asked["mcp-session-id"];
  const headers = {
    accept: "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-session-id": session,
    "mcp-protocol-version": ended.asked["mcp-protocol-version"] ?? "2025-03-26",
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id: "after", method: "ping" });
  const response = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(5000) });
  await response.body?.cancel();
  return { delete: ended.status, after: response.status };
}
