import assert from "node:assert/strict";
import test from "node:test";
import { instantsOf, partsOf, runsOf } from "../../../web/screens/backfill/progress.js";

test("what is over, what goes on and what is left make up the whole", () => {
  const parts = partsOf({ total: 10, begun: 6, live: 1, ended: { failed: 1, succeeded: 4 } });
  assert.deepEqual(parts.map(({ state, amount }) => [state, amount]), [["succeeded", 4], ["failed", 1], ["running", 1], ["pending", 4]]);
  assert.equal(parts.reduce((sum, part) => sum + part.share, 0), 1);
});

test("a backfill that is done has nothing left, one of nothing has no parts", () => {
  assert.deepEqual(partsOf({ total: 2, begun: 2, live: 0, ended: { succeeded: 2 } }), [{ state: "succeeded", amount: 2, share: 1 }]);
  assert.deepEqual(partsOf({ total: 0, begun: 0, live: 0, ended: {} }), []);
});

test("runs are found by their backfill and instant, the latest of each", () => {
  const run = (/** @type {string} */ id, /** @type {string | null} */ backfill, /** @type {string} */ dueAt) => ({ kind: "run", id, trigger: { backfill, dueAt } });
  const found = runsOf("b1", [run("second", "b1", "x"), run("first", "b1", "x"), run("other", "b2", "y"), { kind: "stretch" }, run("none", null, "z")]);
  assert.deepEqual([...found].map(([dueAt, each]) => [dueAt, each.id]), [["x", "second"]]);
});

test("instants are read in any distance from UTC, and each counts once", () => {
  const { instants, wrong } = instantsOf("2026-01-01T00:00:00Z, 2026-01-01T01:00+01:00\n2026-01-02T00:00:00.000Z 2026-01-03T00:00 tomorrow 2026-13-01T00:00:00Z");
  assert.deepEqual(instants, ["2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"]);
  assert.deepEqual(wrong, ["2026-01-03T00:00", "tomorrow", "2026-13-01T00:00:00Z"]);
  assert.deepEqual(instantsOf(" \n"), { instants: [], wrong: [] });
});
