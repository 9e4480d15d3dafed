import assert from "node:assert/strict";
import { test } from "node:test";
import { offset } from "../../../web/data/format.js";
import { csv, facts, fromField, refreshed, toField, told } from "../../../web/screens/history_rows.js";

const run = (/** @type {number} */ sequence, /** @type {any} */ more = {}) => ({
  kind: "run", id: `j1-s${sequence}`, sequence, job: "a", trigger: { kind: "schedule", dueAt: "2026-01-01T00:00:00.000Z", opensAt: "2026-01-01T00:00:10.000Z", finishedAt: null },
  createdAt: "2026-01-01T00:00:00.000Z", state: "ended", verdict: "failed", reason: "the command ended with exit code 3", endedAt: "2026-01-01T00:00:14.500Z",
  attempts: [{ attempt: 0, agent: "host", state: "ended", startedAt: "2026-01-01T00:00:12.000Z", endedAt: "2026-01-01T00:00:14.500Z", exit: { code: 3 }, reason: null }], ...more,
});
const stretch = { kind: "stretch", sequence: 5, job: "b", verdict: "missed", reason: "the server did not run", firstDueAt: "2026-01-01T00:00:00.000Z", lastDueAt: "2026-01-01T01:00:00.000Z", count: 12 };
const sequences = (/** @type {any[]} */ rows) => rows.map((each) => each.sequence);

test("a fresh page takes the place of what it covers", () => {
  const known = [run(9), run(8), run(7), run(6), run(5)];
  const { rows, joined } = refreshed(known, [run(11), run(10), run(9), run(7)], "7");
  assert.deepEqual([sequences(rows), joined], [[11, 10, 9, 7, 6, 5], true]);
});

test("what is not connected with what is known is read again", () => {
  const apart = refreshed([run(3), run(2)], [run(11), run(10)], "10");
  assert.deepEqual([sequences(apart.rows), apart.joined], [[11, 10], false]);
  assert.deepEqual(sequences(refreshed([run(9)], [run(11), run(10)], null).rows), [11, 10]);
  assert.deepEqual(sequences(refreshed([], [run(2), run(1)], "1").rows), [2, 1]);
  assert.deepEqual(sequences(refreshed([run(3)], [], "1").rows), []);
});

test("an event moves the run that it is about, and no other", () => {
  const rows = [run(2, { state: "pending", verdict: null, endedAt: null, attempts: [] }), run(1)];
  const started = told(rows, { kind: "run", what: "started", run: "j1-s2", attempt: 0, startedAt: "2026-01-01T00:00:12.000Z" });
  assert.deepEqual([started[0].state, started[0].attempts[0].state, started[1]], ["active", "running", rows[1]]);
  const ended = told(started, { kind: "run", what: "ended", run: "j1-s2", attempt: 0, endedAt: "2026-01-01T00:00:13.000Z", verdict: "succeeded", exit: { code: 0 } });
  assert.deepEqual([ended[0].state, ended[0].verdict, facts(ended[0]).tookMs, facts(ended[0]).exit?.text], ["ended", "succeeded", 1_000, "0"]);
  assert.equal(rows[0].state, "pending");
  assert.equal(told(rows, { kind: "run", what: "ended", run: "other" }), rows);
  assert.equal(told(rows, { kind: "job", what: "deleted", job: "a" }), rows);
});

test("an entry has the figures that are shown", () => {
  assert.deepEqual(facts(run(1)), { due: "2026-01-01T00:00:00.000Z", started: "2026-01-01T00:00:12.000Z", lateMs: 2_000, tookMs: 2_500, agent: "host", exit: { text: "3", tone: "bad" }, why: "schedule", reason: "the command ended with exit code 3" });
  assert.equal(facts(stretch).reason, "the server did not run");
});

test("a file has a line for each entry, and no text becomes a formula or another cell", () => {
  const text = csv([run(1, { job: "=cmd()", reason: 'said "no",\nthen left' }), stretch]);
  const lines = text.split("\r\n");
  assert.equal(lines.length, 4);
  assert.ok(lines[1].startsWith("run,j1-s1,'=cmd(),ended,failed,2026-01-01T00:00:00.000Z,,1,"));
  assert.ok(lines[1].endsWith(',host,3,1,"said ""no"",\nthen left"'));
  assert.ok(lines[2].startsWith("stretch,,b,ended,missed,2026-01-01T00:00:00.000Z,2026-01-01T01:00:00.000Z,12,"));
});

test("a field names an instant in the zone that is shown, on days of change too", () => {
  const zone = "Europe/Berlin";
  for (const instant of ["2026-07-01T10:00:00.000Z", "2026-01-01T10:00:00.000Z", "2026-03-29T00:59:00.000Z", "2026-03-29T01:00:00.000Z", "2026-10-25T00:30:00.000Z"]) {
    assert.equal(fromField(toField(instant, zone), zone, offset), instant);
  }
  assert.equal(fromField("2026-03-29T02:30", zone, offset), "2026-03-29T01:30:00.000Z");
  assert.equal(fromField("", zone, offset), null);
  assert.equal(toField(undefined, zone), "");
});
