// Drives one generation of the TypeScript client library through a plan, and prints one JSON line for each step:
//   {"action": NAME, ...what was seen}, or {"action": NAME, "error": {"code", "message"}}
//
//   node main.mjs PLAN    where PLAN is JSON: {generation: v1|v2, alias, transport: http|sse|stdio, url, command,
//                         negotiation, ledger: URL or null, steps: [{action, verb, ...}]}
//
// A step that fails does not end the plan, except the first: without a connection there is nothing to see.

import { thrown } from "./facts.mjs";
import { bounded, Host } from "./host.mjs";
import { verbs } from "./verbs.mjs";

const say = (line) => console.log(JSON.stringify(line));

/** How often tools began and were cancelled at the upstream, asked of it directly. */
function ledgerAt(url) {
  return {
    async counts(tool) {
      const book = await (await fetch(url)).json();
      return { began: 0, cancelled: 0, ...book.tools[tool] };
    },
  };
}

async function main(plan) {
  const host = new Host();
  const { open } = await import(`./${plan.generation}.mjs`);
  const connection = await open(plan, host);
  const ledger = plan.ledger && ledgerAt(plan.ledger);
  for (const step of plan.steps) {
    try {
      say({ action: step.action, ...(await bounded(verbs[step.verb](connection, host, step, ledger))) });
    } catch (error) {
      say({ action: step.action, ...thrown(error) });
      if (step.verb === "connect") break;
    }
  }
}

await main(JSON.parse(process.argv[2]));
// Some libraries leave timers or streams behind that would keep the process alive.
process.exit(0);
