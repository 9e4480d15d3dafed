import assert from "node:assert/strict";
import { test } from "node:test";
import { offset } from "../../../web/data/format.js";
import { across, drawn, rowPlace, stack, under } from "../../../web/screens/timeline/bars.js";
import { goesOn, laneAt, makeBook, offsetOf, PAGE, put, rows, TO_COME, wanted } from "../../../web/screens/timeline/pages.js";
import { clockChanges, midnights, stepFor, stretches, ticks } from "../../../web/screens/timeline/ticks.js";
import { askedFor, following, LONGEST, panned, paramsOf, SHORTEST, spanName, spanOf, windowOf, zoomed } from "../../../web/screens/timeline/window.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const iso = (at) => new Date(at).toISOString().replace(":00.000Z", "Z");
const parts = (from, to, zone) => stretches(Date.parse(from), Date.parse(to), (at) => offset(at, zone));

test("steps are round and at most as many as there is room for", () => {
  assert.equal(stepFor(HOUR, 12), 5 * 60_000);
  assert.equal(stepFor(DAY, 12), 2 * HOUR);
  assert.equal(stepFor(30 * DAY, 12), 7 * DAY);
  assert.equal(stepFor(1e15, 12), 28 * DAY);
});

test("marks are at round times of day of the zone", () => {
  assert.deepEqual(ticks(parts("2026-11-26T10:10:00Z", "2026-11-26T13:00:00Z", "Asia/Kolkata"), HOUR).map(iso), ["2026-11-26T10:30Z", "2026-11-26T11:30Z", "2026-11-26T12:30Z"]);
  assert.deepEqual(midnights(parts("2026-11-26T00:00:00Z", "2026-11-28T00:00:00Z", "Europe/Berlin")).map(iso), ["2026-11-26T23:00Z", "2026-11-27T23:00Z"]);
});

test("a clock put forward leaves a mark out, one put back has it twice", () => {
  const forward = parts("2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z", "Europe/Berlin");
  assert.deepEqual(clockChanges(forward).map(({ at, by }) => [iso(at), by]), [["2026-03-29T01:00Z", HOUR]]);
  assert.deepEqual(ticks(forward, HOUR).map(iso), ["2026-03-29T00:00Z", "2026-03-29T01:00Z", "2026-03-29T02:00Z"]);
  // 2 o'clock is left out; every second hour goes on with 4.
  assert.deepEqual(ticks(forward, 2 * HOUR).map(iso), ["2026-03-29T02:00Z"]);
  const back = parts("2026-10-24T23:00:00Z", "2026-10-25T03:00:00Z", "Europe/Berlin");
  assert.deepEqual(clockChanges(back).map(({ at, by }) => [iso(at), by]), [["2026-10-25T01:00Z", -HOUR]]);
  assert.deepEqual(ticks(back, 2 * HOUR).map(iso), ["2026-10-25T00:00Z", "2026-10-25T01:00Z"]);
});

test("days are not 24 hours long where the clock changes", () => {
  const days = midnights(parts("2026-10-24T12:00:00Z", "2026-10-27T00:00:00Z", "Europe/Berlin"));
  assert.deepEqual(days.slice(1).map((at, index) => (at - days[index]) / HOUR), [25, 24]);
});

test("a day whose midnight is left out begins when the clock goes on", () => {
  // In Cairo clocks go from 23:59:59 to 01:00 on the last Friday of April.
  const days = midnights(parts("2026-04-23T12:00:00Z", "2026-04-24T12:00:00Z", "Africa/Cairo"));
  assert.deepEqual(days.map(iso), ["2026-04-23T22:00Z"]);
});

test("weeks begin on Mondays", () => {
  for (const at of ticks(parts("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", "UTC"), 7 * DAY)) assert.equal(new Date(at).getUTCDay(), 1);
});

const NOW = Date.parse("2026-11-27T12:00:00Z");

test("an address names a window, and a window its address", () => {
  assert.deepEqual(windowOf({}, NOW), following(DAY, NOW));
  assert.equal(windowOf({ span: "6h" }, NOW).to - windowOf({ span: "6h" }, NOW).from, 6 * HOUR);
  const fixed = windowOf({ from: "2026-11-26T00:00:00Z", to: "2026-11-27T00:00:00Z" }, NOW);
  assert.equal(fixed.follows, false);
  assert.deepEqual(paramsOf(fixed), { from: "2026-11-26T00:00:00Z", to: "2026-11-27T00:00:00Z", span: null });
  assert.deepEqual(windowOf({ from: "2026-11-26T00:00:00Z", span: "1h" }, NOW).to, Date.parse("2026-11-26T01:00:00Z"));
  assert.deepEqual(paramsOf(following(7 * DAY, NOW)), { from: null, to: null, span: "7d" });
  assert.deepEqual(paramsOf(following(DAY, NOW)), { from: null, to: null, span: null });
  assert.deepEqual(windowOf({ from: "nonsense", to: "2026-11-26" }, NOW).follows, false);
  assert.deepEqual(windowOf({ from: "2026-11-27T00:00:00Z", to: "2026-11-26T00:00:00Z" }, NOW).follows, false);
});

test("spans are read and kept within bounds", () => {
  assert.equal(spanOf("95m"), 95 * 60_000);
  assert.equal(spanName(95 * 60_000), "95m");
  assert.equal(spanOf("999d"), LONGEST);
  assert.equal(spanOf("0m"), SHORTEST);
  assert.equal(spanOf("a week"), DAY);
});

test("zooming keeps the instant under the pointer, or follows on", () => {
  const before = { from: 0, to: DAY, follows: false };
  const after = zoomed(before, 0.5, 0.25, NOW);
  assert.equal(after.from + 0.25 * (after.to - after.from), 0.25 * DAY);
  assert.equal(after.to - after.from, DAY / 2);
  assert.deepEqual(zoomed(following(DAY, NOW), 0.25, 0.9, NOW), following(DAY / 4, NOW));
  assert.equal(zoomed(before, 1e9, 0.5, NOW).to - zoomed(before, 1e9, 0.5, NOW).from, LONGEST);
  assert.deepEqual(panned(following(DAY, NOW), 0.5).follows, false);
});

test("what is asked for holds the window, in steps, and never more than 62 days", () => {
  for (const span of [SHORTEST, HOUR, DAY, LONGEST]) {
    const window = following(span, NOW + 12_345);
    const asked = askedFor(window);
    assert.ok(asked.from <= window.from && asked.to >= window.to);
    assert.ok(asked.to - asked.from <= 62 * DAY);
    assert.deepEqual(askedFor(panned(window, 0)), asked);
  }
});

const run = (from, to, more = {}) => ({
  run: `r${from}`, state: to === null ? "active" : "ended", verdict: to === null ? null : "succeeded", why: "schedule",
  dueAt: iso(NOW + from * 1000), createdAt: new Date(NOW + from * 1000).toISOString(), startedAt: new Date(NOW + from * 1000).toISOString(),
  endedAt: to === null ? null : new Date(NOW + to * 1000).toISOString(), ...more,
});
const lane = (more) => ({ job: "a", words: "", runs: [], runsLeftOut: false, stretches: [], ahead: [], aheadLeftOut: false, typicalMs: null, ...more });

test("bars that overlap are stacked, those that follow each other are not, and each heap shares its own height", () => {
  const bar = (waitFrom, to) => ({ waitFrom, from: waitFrom, to, expectedTo: to, row: 9, rows: 9 });
  const bars = [bar(0, 10), bar(10, 20), bar(5, 15), bar(6, 7), bar(20, 30), bar(40, 41)];
  stack(bars);
  assert.deepEqual(bars.map(({ waitFrom, row, rows }) => [waitFrom, row, rows]), [[0, 0, 3], [5, 1, 3], [6, 2, 3], [10, 0, 3], [20, 0, 1], [40, 0, 1]]);
});

test("a run waits from when it was due, if a schedule says when; else from when it was recorded", () => {
  const late = run(0, 60, { startedAt: new Date(NOW + 20_000).toISOString(), createdAt: new Date(NOW + 5_000).toISOString() });
  assert.equal(drawn(lane({ runs: [late] }), NOW).bars[0].waitFrom, NOW);
  assert.equal(drawn(lane({ runs: [{ ...late, why: "parents" }] }), NOW).bars[0].waitFrom, NOW + 5_000);
});

test("what goes on ends now and is expected to end as usual; what has not started only waits", () => {
  const going = drawn(lane({ runs: [run(-30, null)], typicalMs: 100_000 }), NOW);
  assert.equal(going.bars[0].to, NOW);
  assert.equal(going.bars[0].expectedTo, NOW + 70_000);
  assert.ok(going.live);
  const waits = drawn(lane({ runs: [run(-30, null, { state: "queued", startedAt: null })] }), NOW).bars[0];
  assert.deepEqual([waits.waitFrom, waits.from, waits.to], [NOW - 30_000, NOW, NOW]);
  const neverBegan = drawn(lane({ runs: [run(-30, -10, { verdict: "killed", startedAt: null })] }), NOW).bars[0];
  assert.deepEqual([neverBegan.from, neverBegan.to], [NOW - 10_000, NOW - 10_000]);
});

test("starts to come are as long as runs usually take, and overlap when they will", () => {
  const ahead = [0, 60, 120].map((seconds) => ({ dueAt: new Date(NOW + seconds * 1000).toISOString(), opensAt: new Date(NOW + seconds * 1000).toISOString() }));
  assert.deepEqual(drawn(lane({ ahead, typicalMs: 90_000 }), NOW).bars.map(({ row, rows }) => [row, rows]), [[0, 2], [1, 2], [0, 2]]);
  assert.deepEqual(drawn(lane({ ahead, typicalMs: 60_000 }), NOW).bars.map(({ row, rows }) => [row, rows]), [[0, 1], [0, 1], [0, 1]]);
  assert.equal(drawn(lane({ ahead }), NOW).latest, NOW + 120_000);
});

test("rows share the height, and never leave it", () => {
  for (const rows of [1, 2, 5, 40]) {
    for (let row = 0; row < rows; row += 1) {
      const { y, height } = rowPlace(row, rows, 36, true);
      assert.ok(y >= 4 && y + height <= 36 - 4 && height >= 3, `${row} of ${rows}: ${y} ${height}`);
    }
  }
});

test("a point finds the bar that is drawn there, however thin it is", () => {
  const window = { from: NOW, to: NOW + DAY };
  const made = drawn(lane({ runs: [run(3600, 3601), run(7200, 9000)], stretches: [{ verdict: "missed", firstDueAt: iso(NOW + 12 * HOUR), lastDueAt: iso(NOW + 13 * HOUR), count: 5 }] }), NOW);
  const x = (seconds) => (seconds * 1000 * 960) / DAY;
  assert.ok(across({ from: NOW, to: NOW }, window, 960).width === 3);
  assert.equal(under(made, window, 960, 36, x(3600) + 1, 10)?.about.run, "r3600");
  assert.equal(under(made, window, 960, 36, x(8000), 10)?.about.run, "r7200");
  assert.equal(under(made, window, 960, 36, x(12.5 * 3600), 30)?.about.count, 5);
  assert.equal(under(made, window, 960, 36, x(20 * 3600), 10), null);
});

const lanes = (from, count) => Array.from({ length: count }, (_, index) => lane({ job: `j${from + index}` }));

test("pages are found by their place in the list of jobs", () => {
  const book = makeBook(false);
  assert.equal(book.total, null);
  assert.deepEqual(wanted(book, 0, 100), [0], "how many there are is not known yet");
  assert.deepEqual(wanted(book, 90, 130), [2], "nor how many there are before");
  put(book, 0, { total: 100, lanes: lanes(0, PAGE) }, "r");
  assert.deepEqual(wanted(book, 0, 100), [0, 1, 2]);
  assert.deepEqual(wanted(book, 45, 70), [1]);
  put(book, 2, { total: 100, lanes: lanes(80, 20) }, "r");
  assert.equal(rows(book), 100);
  assert.deepEqual([39, 40, 85, 99, 100].map((row) => laneAt(book, row)?.job ?? null), ["j39", null, "j85", "j99", null]);
  assert.equal(goesOn(book), false);
});

test("where each page says where the next one begins, they are asked for in turn", () => {
  const book = makeBook(true);
  assert.deepEqual(wanted(book, 0, 30), [0]);
  put(book, 0, { total: 9_000, lanes: lanes(0, 3), next: 2_000 }, "r");
  assert.equal(rows(book), 3 + TO_COME);
  assert.deepEqual(wanted(book, 0, 30), [0, 1], "three lanes do not fill the screen");
  assert.equal(offsetOf(book, 1), 2_000);
  // Among so many jobs there was none.
  put(book, 1, { total: 9_000, lanes: [], next: 4_000 }, "r");
  assert.deepEqual(wanted(book, 0, 30), [0, 1, 2]);
  put(book, 2, { total: 9_000, lanes: lanes(3, 40), next: null }, "r");
  assert.equal(rows(book), 43);
  assert.equal(goesOn(book), false);
  assert.equal(laneAt(book, 3)?.job, "j3");
  assert.deepEqual(wanted(book, 10, 40), [1, 2]);
});

test("what followed a page is forgotten once the next one begins elsewhere", () => {
  const book = makeBook(true);
  put(book, 0, { total: 90, lanes: lanes(0, 40), next: 50 }, "r");
  put(book, 1, { total: 90, lanes: lanes(50, 40), next: null }, "r");
  put(book, 0, { total: 90, lanes: lanes(0, 40), next: 50 }, "later");
  assert.equal(rows(book), 80);
  put(book, 0, { total: 90, lanes: lanes(1, 40), next: 60 }, "later");
  assert.equal(rows(book), 40 + TO_COME);
  assert.deepEqual(wanted(book, 0, 60), [0, 1]);
});
