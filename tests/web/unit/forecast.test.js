import assert from "node:assert/strict";
import { test } from "node:test";
import { offset } from "../../../web/data/format.js";
import { csv, ics } from "../../../web/screens/forecast/exports.js";
import { barsOf, countsOf, crowded, instantOf, offsetOf, sizeFor } from "../../../web/screens/forecast/load.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const at = (text) => Date.parse(`2026-11-27T${text}Z`);

test("bars are as high as the most crowded minute in them, and there is one where nothing starts", () => {
  const counts = countsOf({
    perMinute: [
      { minute: "2026-11-27T02:00:00.000Z", count: 14, jobs: ["a"] },
      { minute: "2026-11-27T02:03:00.000Z", count: 20, jobs: ["b", "c"] },
      { minute: "2026-11-27T02:25:00.000Z", count: 1, jobs: ["d"] },
    ],
  });
  const bars = barsOf(counts, at("02:00"), at("02:30"), 10 * MINUTE);
  assert.deepEqual(bars.map(({ most, total }) => [most, total]), [[20, 34], [0, 0], [1, 1]]);
  assert.equal(bars[0].mostAt, at("02:03"));
  assert.deepEqual(bars[0].jobs, ["b", "c"]);
});

test("a forecast that begins within a bar counts all of it, and nothing beyond its end", () => {
  const counts = [{ at: at("02:07"), count: 3, jobs: [] }, { at: at("03:00"), count: 9, jobs: [] }];
  assert.deepEqual(barsOf(counts, at("02:05"), at("02:20"), 10 * MINUTE).map(({ total }) => total), [3, 0]);
});

test("hours are counted where minutes are not told", () => {
  assert.deepEqual(countsOf({ perMinute: [], perHour: [{ hour: "2026-11-27T02:00:00.000Z", count: 5, jobs: [] }] }), [{ at: at("02:00"), count: 5, jobs: [] }]);
  assert.equal(sizeFor(24 * HOUR, HOUR, 1_000), HOUR);
  assert.equal(sizeFor(24 * HOUR, MINUTE, 300), 5 * MINUTE);
  assert.equal(sizeFor(1e15, MINUTE, 300), 7 * 24 * HOUR);
});

test("the most crowded come first, the earlier of equals before the later", () => {
  const counts = [{ at: 1, count: 2 }, { at: 2, count: 5 }, { at: 3, count: 5 }, { at: 4, count: 1 }];
  assert.deepEqual(crowded(counts, 3).map((each) => each.at), [2, 3, 1]);
});

test("a time on the wall is an instant of its zone", () => {
  const berlin = (instant) => offset(instant, "Europe/Berlin");
  const iso = (text) => new Date(instantOf(text, berlin)).toISOString();
  assert.equal(iso("2026-11-27T13:00"), "2026-11-27T12:00:00.000Z");
  assert.equal(iso("2026-07-01T13:00"), "2026-07-01T11:00:00.000Z");
  // Shown twice: the first. Left out: when it would have been.
  assert.equal(iso("2026-10-25T02:30"), "2026-10-25T00:30:00.000Z");
  assert.equal(iso("2026-03-29T02:30"), "2026-03-29T01:30:00.000Z");
  assert.equal(instantOf("", berlin), null);
});

test("distances from UTC are read", () => {
  assert.deepEqual(["+02:00", "-04:30", "+00:00", "-00:44:30", "nonsense"].map(offsetOf), [2 * HOUR, -4.5 * HOUR, 0, -44.5 * MINUTE, 0]);
});

const start = (job) => ({ job, dueAt: "2026-11-27T02:00:00.000Z", opensAt: "2026-11-27T02:05:00.000Z", local: "2026-11-27T03:00:00+01:00" });

test("a table quotes what it must, and holds no formulas", () => {
  const lines = csv([start('say "a", b'), start("=1+1"), start("-x")]).split("\r\n");
  assert.equal(lines[0], "job,opensAt,dueAt,local");
  assert.equal(lines[1], '"say ""a"", b","2026-11-27T02:05:00.000Z","2026-11-27T02:00:00.000Z","2026-11-27T03:00:00+01:00"');
  assert.ok(lines[2].startsWith(`"'=1+1"`) && lines[3].startsWith(`"'-x"`));
  assert.equal(lines[4], "");
});

test("a calendar has an event for each start, with texts escaped and lines folded", () => {
  const text = ics([start("a,b;c\\d"), start("日本語のジョブ".repeat(8))], "2026-11-26T00:00:00Z");
  assert.ok(text.startsWith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n") && text.endsWith("END:VCALENDAR\r\n"));
  assert.ok(text.includes("DTSTART:20261127T020500Z\r\n"));
  assert.ok(text.includes("SUMMARY:a\\,b\\;c\\\\d\r\n"));
  for (const line of text.split("\r\n")) assert.ok(new TextEncoder().encode(line).length <= 75, line);
  assert.ok(text.replaceAll("\r\n ", "").includes(`SUMMARY:${"日本語のジョブ".repeat(8)}\r\n`));
  assert.equal(text.match(/BEGIN:VEVENT/g).length, 2);
});
