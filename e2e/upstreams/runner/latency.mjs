// What aggregation adds to a call: the same tool of the same server, asked directly and through 1, 12 and 100
// upstreams. Interleaved rounds in one run; only the differences within a run mean anything.

import { performance } from "node:perf_hooks";
import { call, tools } from "./client.mjs";
import { fixture, runtime } from "./kinds.mjs";
import { endAll } from "../../clients/runner/child.mjs";

const sizes = [1, 12, 100];
const rounds = 5;
const calls = 300;

export async function latency() {
  const upstream = await fixture("modern");
  const ways = [{ name: "direct", url: upstream.url, tool: "test_simple_text" }];
  const servers = [];
  for (const size of sizes) {
    const names = Array.from({ length: size }, (_, index) => [`u${index}`, upstream]);
    const server = await runtime(Object.fromEntries(names));
    servers.push(server);
    while (!(await tools(server.url)).includes(`u${size - 1}_test_simple_text`)) await new Promise((next) => setTimeout(next, 100));
    ways.push({ name: `${size} upstream${size > 1 ? "s" : ""}`, url: server.url, tool: `u${size - 1}_test_simple_text` });
  }
  for (const way of ways) way.medians = [];
  for (let round = 0; round <= rounds; round += 1) {
    for (const way of ways) {
      const times = await timed(way);
      // The first round warms up.
      if (round > 0) way.medians.push({ p50: times[calls >> 1], p99: times[Math.floor(calls * 0.99)] });
    }
  }
  print(ways);
  await Promise.all([upstream.stop(), ...servers.map((server) => server.stop())]);
  endAll();
  return 0;
}

async function timed({ url, tool }) {
  const times = [];
  for (let count = 0; count < calls; count += 1) {
    const begin = performance.now();
    await call(url, tool);
    times.push((performance.now() - begin) * 1000);
  }
  return times.sort((a, b) => a - b);
}

function print(ways) {
  const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
  const direct = median(ways[0].medians.map(({ p50 }) => p50));
  console.log("| way | p50 us (min-max of rounds) | p99 us | added to direct, us |\n| --- | --- | --- | --- |");
  for (const { name, medians } of ways) {
    const p50 = medians.map((each) => each.p50);
    const spread = `${Math.min(...p50).toFixed(0)}-${Math.max(...p50).toFixed(0)}`;
    const p99 = median(medians.map((each) => each.p99));
    console.log(`| ${name} | ${median(p50).toFixed(0)} (${spread}) | ${p99.toFixed(0)} | ${(median(p50) - direct).toFixed(0)} |`);
  }
}
