// Runs every client in front of every upstream, checks each line that they print against expected.json, and prints the
// tables. Exits 1 when anything deviates.
//
//   node runner/main.mjs quick|all|direct [--upstream NAME]... [--client NAME]...
//
// quick and all go through mcp-runtime; direct measures the clients with the upstreams themselves.
// Environment, set by e2e/scripts/clients: CLIENTS_TYPESCRIPT, CLIENTS_PYTHON (where the libraries are), MCP_RUNTIME,
// EVERYTHING (binaries), CLIENTS_RESULTS (a directory for everything that was seen; optional).

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { endAll } from "./child.mjs";
import { meeting, rows } from "./plan.mjs";
import { complaint, reasons, table } from "./report.mjs";
import { startRuntime } from "./runtime.mjs";
import { meet } from "./session.mjs";
import { tap } from "./tap.mjs";
import { upstreams } from "./upstreams.mjs";

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const read = async (name) => JSON.parse(await readFile(join(here, name), "utf8"));
const say = (text) => process.stderr.write(`${text}\n`);

function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run this by e2e/scripts/clients`);
  return value;
}

function places() {
  const typescript = needed("CLIENTS_TYPESCRIPT");
  const environments = needed("CLIENTS_PYTHON");
  return {
    here,
    typescript,
    modules: join(typescript, "node_modules"),
    python: (environment) => join(environments, environment, "bin/python"),
    everything: needed("EVERYTHING"),
    runtime: needed("MCP_RUNTIME"),
  };
}

/** All clients that can meet this upstream, one after the other: they share its ledger and its list of tools. */
async function runUpstream(name, clients, expected, through, all) {
  const upstream = upstreams[name];
  const pairs = clients.map((client) => ({ client, pair: meeting(client, name, upstream, through) }));
  const possible = pairs.filter(({ pair }) => pair);
  if (possible.length === 0) return [];
  const behind = await upstream.start(all);
  const wire = through === "runtime" ? await tap(behind.url) : null;
  const runtime = wire && (await startRuntime(needed("MCP_RUNTIME"), wire.url));
  const target = { url: (runtime ?? behind).url, command: runtime?.command, ledger: behind.ledger };
  const runs = [];
  for (const { client, pair } of possible) {
    say(`    ${pair.client} in front of ${name} (${through})`);
    wire?.mark(client.name);
    const cells = await meet(client, target, rows(expected, client, pair), all);
    for (const cell of cells) if (cell.state === "failed") say(complaint(pair, cell));
    runs.push({ pair, cells });
  }
  if (wire) await keep(`${through}.${name}.upstream`, wire.exchanges);
  await runtime?.stop();
  await wire?.stop();
  await behind.stop();
  return runs;
}

async function keep(name, what) {
  const directory = process.env.CLIENTS_RESULTS;
  if (!directory) return;
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, `${name}.json`), JSON.stringify(what, null, 1));
}

async function main() {
  const options = { upstream: { type: "string", multiple: true }, client: { type: "string", multiple: true } };
  const { positionals, values } = parseArgs({ options, allowPositionals: true });
  const [mode] = positionals;
  if (!["quick", "all", "direct"].includes(mode)) throw new Error("usage: main.mjs quick|all|direct [--upstream NAME]... [--client NAME]...");
  const [everyone, expected] = await Promise.all([read("clients.json"), read("expected.json")]);
  const chosen = everyone.filter(({ name, quick }) => values.client?.includes(name) ?? (mode !== "quick" || quick));
  const actions = expected.actions.map(({ action }) => action);
  const through = mode === "direct" ? "direct" : "runtime";
  const all = places();
  const runs = [];
  for (const name of values.upstream ?? Object.keys(upstreams)) {
    const of = await runUpstream(name, chosen, expected, through, all);
    if (of.length > 0) console.log(table(name, actions, of));
    await keep(`${through}.${name}`, of);
    runs.push(...of);
  }
  console.log(`Empty cells:\n\n${reasons(runs)}\n`);
  const cells = runs.flatMap((run) => run.cells);
  const count = (state) => cells.filter((cell) => cell.state === state).length;
  console.log(`${count("ok")} as expected, ${count("failed")} not, ${count("none")} not applicable.`);
  // Nothing was checked when no client met any upstream: that is no success either.
  return count("failed") === 0 && count("ok") > 0 ? 0 : 1;
}

process.on("exit", endAll);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));
process.exit(await main());
