import assert from "node:assert/strict";
import { test } from "node:test";
import { bars, ticks } from "../../../web/screens/run/chain.js";

const at = (/** @type {number} */ second) => new Date(second * 1_000).toISOString();
const step = (/** @type {string} */ run, /** @type {number[]} */ [created, started, ended], /** @type {string[]} */ causes = [], /** @type {string | null} */ retryOf = null) => ({
  run, job: run, state: ended === undefined ? "active" : "ended", verdict: ended === undefined ? null : "succeeded", dueAt: at(0), createdAt: at(created),
  startedAt: started === undefined ? null : at(started), endedAt: ended === undefined ? null : at(ended), waitedMs: null, tookMs: null, causes, retryOf, triggered: [],
});

test("the critical path goes back by the cause that ended last", () => {
  const { bars: all, from, to, path, waited, took } = bars([step("a", [0, 1, 5]), step("b", [0, 1, 9]), step("c", [9, 11, 20], ["a", "b"]), step("d", [5, 5, 6], ["a"])], 0);
  assert.deepEqual(path.map((each) => each.run), ["b", "c"]);
  assert.deepEqual(all.map((bar) => `${bar.step.run}${bar.critical ? "!" : ""}${bar.depth}`), ["a0", "b!0", "c!1", "d1"]);
  assert.deepEqual([from, to, waited, took], [0, 20_000, 3_000, 17_000]);
});

test("a retry is a bar of its own under what it retries", () => {
  const { bars: all, path } = bars([step("a", [0, 0, 2]), step("b", [2, 2, 3], ["a"]), step("c", [3, 3, 4], ["b"]), step("b2", [5, 5, 8], ["a"], "b"), step("b3", [9, 9, 10], ["a"], "b2")], 0);
  assert.deepEqual(all.map((bar) => bar.step.run), ["a", "b", "b2", "b3", "c"]);
  assert.deepEqual(path.map((each) => each.run), ["a", "b", "b2", "b3"]);
});

test("what goes on ends now, and what has not started only waits", () => {
  const [running, waiting] = bars([step("a", [0, 1]), step("b", [2])], 10_000).bars;
  assert.deepEqual([running.started, running.to], [1_000, 10_000]);
  assert.deepEqual([waiting.from, waiting.started, waiting.to], [2_000, 10_000, 10_000]);
});

test("runs that cause each other in a circle end the path", () => {
  assert.deepEqual(bars([step("a", [0, 0, 1], ["b"]), step("b", [0, 0, 2], ["a"])], 0).path.map((each) => each.run), ["a", "b"]);
});

test("an axis has a few round marks", () => {
  assert.deepEqual(ticks(5_000), [1_000, 2_000, 3_000, 4_000, 5_000]);
  assert.deepEqual(ticks(0), []);
  for (const span of [1, 37, 999, 61_000, 3_600_000, 9e7, 4e9, 1e11]) assert.ok(ticks(span).length <= 6 && ticks(span).length > 0, String(span));
});
