import assert from "node:assert/strict";
import test from "node:test";

import { driftOf, told } from "../../../web/data/origin.js";

test("a job of nobody says nothing", () => {
  assert.equal(told(null), null);
  assert.equal(driftOf({ source: null, drift: null }), null);
  assert.equal(driftOf({ source: "ops", drift: null }), null);
});

test("whoever looks at a job of a source learns what becomes of their change", () => {
  const origin = { source: "ops", place: "billing/a.yaml", drift: null, changes: null };
  assert.deepEqual(told(origin), {
    tone: "quiet",
    head: "This job comes from ops (billing/a.yaml).",
    rest: "What is changed here is undone when that is applied next.",
  });
  const fields = ["command", "retries", "a", "b", "c", "d", "e"].map((field) => ({ field }));
  const changed = told({ ...origin, drift: "changed", changes: fields });
  assert.equal(changed?.tone, "late");
  assert.match(changed?.rest ?? "", /changed command, retries, a, b, c and 2 more\. The next apply of ops undoes that/);
  // What it was is not kept for ever.
  assert.match(told({ ...origin, drift: "changed" })?.rest ?? "", /^The next apply/);
  assert.match(told({ ...origin, place: "", drift: "gone" })?.head ?? "", /^ops does not have this job any more/);
  assert.equal(driftOf({ source: "ops", drift: "changed" })?.word, "changed by hand");
  assert.equal(driftOf({ source: "ops", drift: "gone" })?.word, "not in its source");
});
