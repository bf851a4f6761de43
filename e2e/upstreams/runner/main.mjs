// node main.mjs matrix [NAME] | twelve | latency

import { endAll } from "../../clients/runner/child.mjs";
import { latency } from "./latency.mjs";
import { matrix } from "./matrix.mjs";
import { twelve } from "./twelve.mjs";

const runs = { matrix, twelve, latency };
process.on("exit", endAll);
const run = runs[process.argv[2]];
if (!run) throw new Error(`usage: main.mjs ${Object.keys(runs).join("|")}`);
process.exitCode = (await run(process.argv[3])) === 0 ? 0 : 1;
