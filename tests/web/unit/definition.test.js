import assert from "node:assert/strict";
import test from "node:test";
import { body, definition, duplicate, kindOf, pathOf, rebase, same, turnInto } from "../../../web/data/definition.js";

test("what is told beside a definition is not sent back, and what is not known is", () => {
  const job = { name: "a", command: "true", schedule: "@daily", successCount: 3, nextDue: "2026-01-01T00:00:00Z", waitsFor: "b", ofLater: { x: 1 } };
  assert.deepEqual(definition(job), { name: "a", command: "true", schedule: "@daily", ofLater: { x: 1 } });
});

test("each kind has its door", () => {
  assert.equal(pathOf({ schedule: "R/2026-01-01T00:00:00Z/P1D" }), "iso8601");
  assert.equal(pathOf({ schedule: "R5//PT1H" }), "iso8601");
  assert.equal(pathOf({ schedule: "0 2 * * *" }), "cron");
  assert.equal(pathOf({ schedule: "@reboot" }), "cron");
  assert.equal(pathOf({ parents: [], schedule: "0 2 * * *" }), "dependency");
});

test("a time-out, a shadow and an overlap that were taken away are taken away by a word", () => {
  const stored = { name: "a", timeout: "PT1H", shadow: true };
  assert.deepEqual(body({ name: "a" }, stored), { name: "a", timeout: "PT0S", shadow: false });
  assert.deepEqual(body({ name: "a", timeout: "PT2H", shadow: { until: "x" } }, stored), { name: "a", timeout: "PT2H", shadow: { until: "x" } });
  assert.deepEqual(body({ name: "a", maxCompletionTime: 5, shadow: true }, stored), { name: "a", maxCompletionTime: 5, shadow: true });
  assert.deepEqual(body({ name: "a" }, { overlap: { queue: 2 } }), { name: "a", overlap: "skip" });
  assert.deepEqual(body({ name: "a", concurrent: true }, { overlap: "allow" }), { name: "a", concurrent: true });
  assert.deepEqual(body({ name: "a" }, null), { name: "a" });
});

test("a stored secret stays one whatever the draft says of it, until it has another value", () => {
  const stored = { environmentVariables: [{ name: "S", value: "***", secret: true }, { name: "A", value: "***" }] };
  const sent = (/** @type {any} */ list) => body({ environmentVariables: list }, stored).environmentVariables;
  assert.deepEqual(sent([{ name: "S", value: "***" }, { name: "A", value: "***" }]), stored.environmentVariables);
  assert.deepEqual(sent([{ name: "S", value: "x" }, null]), [{ name: "S", value: "x" }, null]);
  assert.equal(sent("no list"), "no list");
});

test("a duplicate has another name and no values of secrets", () => {
  const job = { name: "a", environmentVariables: [{ name: "KEY", value: "***", secret: true }, { name: "LEVEL", value: "9" }] };
  const { draft, secrets } = duplicate(job, "b");
  assert.deepEqual(secrets, ["KEY"]);
  assert.deepEqual(draft, { name: "b", environmentVariables: [{ name: "KEY", value: "", secret: true }, { name: "LEVEL", value: "9" }] });
  assert.equal(job.environmentVariables[0].value, "***");
});

test("another kind keeps all that is not of the kind before", () => {
  const cron = { name: "a", command: "x", schedule: "0 1 * * *", scheduleTimeZone: "Europe/Berlin", retries: 3 };
  assert.deepEqual(turnInto(cron, "dependent", ""), { name: "a", command: "x", retries: 3, parents: [] });
  const child = { name: "a", parents: ["b"], triggerRule: "all-done", join: "due", owner: "o" };
  const turned = turnInto(child, "schedule", "2026-01-01T00:00:00Z");
  assert.deepEqual(turned, { name: "a", owner: "o", schedule: "R/2026-01-01T00:00:00Z/PT1H", scheduleTimeZone: "" });
  assert.equal(kindOf(turned), "schedule");
  assert.equal(turnInto(cron, "cron", ""), cron);
});

test("a look at another kind loses nothing of what was said as the kind before", () => {
  /** @type {import("../../../web/data/definition.js").Said} */
  const said = {};
  const cron = { name: "a", schedule: "0 1 * * *", scheduleTimeZone: "Europe/Berlin" };
  const child = { ...turnInto(cron, "dependent", "", said), parents: ["b"], join: "due" };
  const interval = { ...turnInto(child, "schedule", "2026-01-01T00:00:00Z", said), schedule: "R/2026-01-01T00:00:00Z/PT5M" };
  assert.equal(interval.scheduleTimeZone, "Europe/Berlin");
  assert.deepEqual(turnInto(interval, "dependent", "", said), child);
  assert.deepEqual(turnInto(child, "schedule", "2027-01-01T00:00:00Z", said), interval);
  assert.deepEqual(turnInto(interval, "cron", "", said), cron);
  assert.deepEqual(turnInto({ ...cron, scheduleTimeZone: "UTC" }, "schedule", "", said), { ...interval, scheduleTimeZone: "UTC" });
});

test("what two people changed is both in the result, and where they differ it is said", () => {
  const base = { command: "a", retries: 2, owner: "x", gone: 1 };
  const mine = { command: "b", retries: 2, owner: "y" };
  const theirs = { command: "c", retries: 5, owner: "y", gone: 1, added: true };
  const { merged, conflicts } = rebase(base, mine, theirs);
  assert.deepEqual(merged, { command: "b", retries: 5, owner: "y", added: true });
  assert.deepEqual(conflicts, ["command"]);
});

test("the order of keys says nothing, that of items does", () => {
  assert.ok(same({ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 }));
  assert.ok(!same([1, 2], [2, 1]));
  assert.ok(!same({ a: undefined }, { b: undefined }));
  assert.ok(!same([], {}));
});
