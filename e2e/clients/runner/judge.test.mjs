// The judge must be able to say no.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deviations, fits } from "./judge.mjs";
import { meeting, rows } from "./plan.mjs";

test("what is seen may say more, and never less", () => {
  assert.ok(fits({ a: 1 }, { a: 1, b: 2 }));
  assert.ok(!fits({ a: 1, b: 2 }, { a: 1 }));
  assert.ok(!fits([1, 2], [1, 2, 3]));
  assert.ok(!fits(null, undefined));
});

test("matchers refuse what does not fit", () => {
  assert.ok(fits({ $set: ["b", "a"] }, ["a", "b"]) && !fits({ $set: ["a"] }, ["a", "b"]));
  assert.ok(fits({ $has: ["a"] }, ["a", "b"]) && !fits({ $has: ["c"] }, ["a", "b"]));
  assert.ok(fits({ $butLast: [1, 2, 3] }, [1, 2]));
  for (const seen of [[1], [2, 1], [1, 2, 3, 4], undefined]) assert.ok(!fits({ $butLast: [1, 2, 3] }, seen));
  assert.ok(fits({ $match: "^a" }, "ab") && !fits({ $match: "^a" }, "ba") && !fits({ $match: "^a" }, undefined));
  assert.ok(fits({ $absent: true }, undefined) && !fits({ $absent: true }, null));
  assert.ok(fits({ $oneOf: [1, 2] }, 2) && !fits({ $oneOf: [1, 2] }, 3));
  assert.throws(() => fits({ $like: 1 }, 1), /no matcher/);
});

test("an error that nobody expects is a deviation even when nothing else had to hold", () => {
  assert.equal(deviations({}, { error: { code: -1 } }).length, 1);
  assert.equal(deviations({ error: { code: -1 } }, { error: { code: -1, message: "so" } }).length, 0);
  assert.equal(deviations({ error: { code: -2 } }, { error: { code: -1 } }).length, 1);
  assert.equal(deviations({ error: { $absent: true } }, { error: { code: -1 } }).length, 1);
});

test("rules add up in their order, and the first reason not to act is the one that is told", () => {
  const client = { name: "c", program: "python", generation: "v2", transport: "http", revision: "2025-06-18" };
  const upstream = { server: "s", eras: ["legacy"], revision: "2025-11-25", transport: "http" };
  const pair = meeting(client, "u", upstream, "runtime");
  const judged = (...rules) => rows({ actions: [{ action: "a", verb: "v", rules }] }, client, pair)[0];
  assert.deepEqual(judged({ hold: { x: "$revision" } }, { when: { era: "modern" }, hold: { x: 2 } }).hold, { x: "2025-06-18" });
  assert.deepEqual(judged({ when: { revision: { from: "2025-06-18" } }, hold: { x: 1 } }).hold, { x: 1 });
  assert.deepEqual(judged({ when: { revision: { before: "2025-06-18" } }, hold: { x: 1 } }).hold, {});
  assert.equal(judged({ lacks: "one" }, { lacks: "two" }).lacks, "one");
  assert.throws(() => judged({ when: { colour: "red" } }), /no pair has/);
});

test("clients and servers without a common revision or transport do not meet", () => {
  const modern = { transport: "http", revision: "2026-07-28" };
  const legacy = { server: "s", eras: ["legacy"], revision: "2025-11-25", transport: "http" };
  assert.equal(meeting(modern, "u", legacy, "direct"), null);
  assert.equal(meeting({ ...modern, fallback: "2025-11-25" }, "u", legacy, "direct").revision, "2025-11-25");
  assert.equal(meeting({ ...modern, transport: "sse" }, "u", legacy, "direct"), null);
  assert.equal(meeting(modern, "u", legacy, "runtime").era, "modern");
});
