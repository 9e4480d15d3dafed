import assert from "node:assert/strict";
import test from "node:test";
import { chart, lateness, took } from "../../../web/screens/job/bars.js";
import { answers, badges, objectives, status } from "../../../web/screens/job/facts.js";

const second = (/** @type {number} */ at) => new Date(at * 1_000).toISOString();
const run = (/** @type {number} */ start, /** @type {number | null} */ end, more = {}) => ({
  kind: "run", id: `j1-s${start}`, state: end === null ? "active" : "ended", verdict: end === null ? null : "succeeded",
  trigger: { kind: "schedule", dueAt: second(start), opensAt: second(start) },
  endedAt: end === null ? null : second(end), attempts: [{ state: "ended", startedAt: second(start) }], ...more,
});

test("a run takes from its first start to its end, or until now", () => {
  assert.equal(took(run(10, 15), 0), 5_000);
  assert.equal(took(run(10, null), 17_000), 7_000);
  assert.equal(took(run(10, 15, { attempts: [] }), 0), null);
  assert.equal(took(run(10, 30, { attempts: [{ startedAt: null }, { startedAt: second(12) }, { startedAt: second(20) }] }), 0), 18_000);
});

test("late is what lies between the opening of the window and the first start", () => {
  assert.equal(lateness(run(10, 15, { attempts: [{ startedAt: second(12) }] })), 2_000);
  assert.equal(lateness(run(10, 15, { trigger: { kind: "manual", dueAt: second(10), opensAt: null } })), null);
});

test("the chart goes from the oldest to the newest, and one very long run does not flatten the others", () => {
  const usual = Array.from({ length: 20 }, (_, index) => run(1_000 - index, 1_002 - index));
  const stretch = { kind: "stretch", verdict: "skipped", count: 4, firstDueAt: second(1), lastDueAt: second(5) };
  const { bars, top, median } = chart([...usual, run(5, 500), stretch], (each) => each.verdict, 0);
  assert.equal(median, 2_000);
  assert.equal(top, 6_000);
  assert.deepEqual({ state: bars[0].state, count: bars[0].count, share: bars[0].share, run: bars[0].run }, { state: "skipped", count: 4, share: 0, run: null });
  assert.equal(bars[1].share, 1);
  assert.ok(Math.abs(bars[2].share - 1 / 3) < 1e-9);
});

test("nothing is a chart too", () => {
  assert.deepEqual(chart([], () => "", 0), { bars: [], top: 1, median: null });
});

test("the later of success and failure counts", () => {
  assert.equal(status({ lastSuccess: "", lastError: "" }), "fresh");
  assert.equal(status({ lastSuccess: "2026-01-02T00:00:00.000Z", lastError: "2026-01-01T00:00:00.000Z" }), "success");
  assert.equal(status({ lastSuccess: "no instant", lastError: "2026-01-01T00:00:00.000Z" }), "failure");
});

test("what holds a job back is said before how it stands", () => {
  const reasons = [{ code: "disabled", text: "it is disabled" }, { code: "paused", text: "paused" }, { code: "lastRun", text: "…" }];
  const words = (/** @type {any[]} */ live) => badges({ lastError: "2026-01-01T00:00:00Z" }, reasons, live, { paused: { until: "x" } }).map((badge) => badge.word);
  assert.deepEqual(words([]), ["disabled", "paused", "idle", "failing"]);
  assert.deepEqual(words([{ attempts: [{ state: "running" }] }]), ["disabled", "paused", "running", "failing"]);
  assert.deepEqual(words([{ attempts: [] }, { attempts: [{ state: "launching" }] }]), ["disabled", "paused", "2 queued", "failing"]);
  assert.equal(badges({}, reasons, [], { paused: { until: "x" } })[1].until, "x");
});

test("its own pause and that of everything are two", () => {
  const reasons = [{ code: "paused", text: "it" }, { code: "paused", text: "all" }];
  const told = (/** @type {any} */ pauses, why = reasons) => badges({}, why, [], pauses).slice(0, -2).map(({ word, until, why: text }) => [word, until, text]);
  const [own, all] = [["paused", "x", "it"], ["everything paused", null, "all"]];
  assert.deepEqual(told({ paused: { until: "x" }, everything: { until: null } }), [own, all]);
  assert.deepEqual(told({ paused: { until: "x" }, everything: null }, reasons.slice(0, 1)), [own]);
  assert.deepEqual(told({ paused: null, everything: { until: null } }, reasons.slice(1)), [all]);
});

test("each sentence has its question, and one of a kind that is not known is not lost", () => {
  const reasons = ["paused", "waitsForParents", "nextDue", "lastRun", "ofLater"].map((code) => ({ code, text: code }));
  assert.deepEqual(answers(reasons), { held: ["paused"], waits: ["waitsForParents", "ofLater"], next: ["nextDue"], last: ["lastRun"] });
});

test("objectives are one line, of what is said alone", () => {
  assert.equal(objectives({}), "");
  assert.equal(objectives({ startBy: "06:30:15" }), "start by 06:30:15");
  assert.equal(
    objectives({ startBy: "PT10M", finishBy: "P1M", maxLateness: "PT90S", expectedDuration: "PT2H" }),
    "start within 10 min after it is due, succeed within P1M after it is due, start at most 1 min 30 s late, take at most 2 h",
  );
});
