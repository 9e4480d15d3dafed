import assert from "node:assert/strict";
import test from "node:test";
import { compare, lines, localOffset, offsetName, sameClock } from "../../../web/data/occurrences.js";

const at = (/** @type {string} */ utc, local = utc) => ({ utc, local });

test("distances from UTC", () => {
  assert.equal(localOffset("2026-11-26T13:00:00+01:00"), 3_600_000);
  assert.equal(localOffset("2026-11-26T13:00:00-03:30"), -12_600_000);
  assert.equal(localOffset("2026-11-26T13:00:00Z"), 0);
  assert.deepEqual([3_600_000, -12_600_000, 0].map(offsetName), ["UTC+1", "UTC−3:30", "UTC"]);
});

test("a change of clock is said on the line that comes after it, for either clock", () => {
  const list = lines(
    [at("2026-10-24T00:30:00.000Z", "2026-10-24T02:30:00+02:00"), at("2026-10-25T01:30:00.000Z", "2026-10-25T02:30:00+01:00")],
    "America/New_York",
  );
  assert.deepEqual(list.map((line) => line.jobShift), ["", "UTC+2 → UTC+1"]);
  assert.deepEqual(list.map((line) => line.mineShift), ["", ""]);
  assert.equal(list[1].job, "2026-10-25 02:30:00");
  assert.equal(list[1].mine, "2026-10-24 21:30:00");
  assert.ok(!sameClock(list));
  assert.ok(sameClock(lines([at("2026-10-24T00:30:00.000Z", "2026-10-24T00:30:00Z")], "UTC")));
});

test("a start that is spread says when, one that is not says nothing", () => {
  const [spread, exactly] = lines(
    [{ ...at("2026-01-01T00:00:00.000Z"), opensAt: "2026-01-01T00:03:00.000Z" }, { ...at("2026-01-02T00:00:00.000Z"), opensAt: "2026-01-02T00:00:00.000Z" }],
    "UTC",
  );
  assert.equal(spread.opensAt, Date.parse("2026-01-01T00:03:00.000Z"));
  assert.equal(exactly.opensAt, null);
});

test("a comparison says what comes, what goes and what stays before its end", () => {
  const before = [at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"), at("2026-01-09T00:00:00Z")];
  const after = [at("2026-01-02T00:00:00Z"), at("2026-01-03T00:00:00Z")];
  const found = compare(before, after, 200, Date.parse("2026-01-08T00:00:00Z"));
  assert.deepEqual(found.added.map((each) => each.utc), ["2026-01-03T00:00:00Z"]);
  assert.deepEqual(found.removed.map((each) => each.utc), ["2026-01-01T00:00:00Z"]);
  assert.equal(found.kept, 1);
});

test("a list that was cut off ends the comparison, so that nothing is called gone that was not asked for", () => {
  const before = [at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z")];
  const after = [at("2026-01-02T00:00:00Z"), at("2026-01-03T00:00:00Z")];
  const found = compare(before, after, 2, Date.parse("2026-01-08T00:00:00Z"));
  assert.deepEqual(found.added, []);
  assert.deepEqual(found.removed.map((each) => each.utc), ["2026-01-01T00:00:00Z"]);
  assert.equal(found.until, Date.parse("2026-01-02T00:00:00Z") + 1);
});
