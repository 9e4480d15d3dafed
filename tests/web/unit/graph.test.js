import assert from "node:assert/strict";
import { test } from "node:test";
import { criticalPath, linkName } from "../../../web/screens/graph/critical.js";
import { inOrder, kin, line, unseen } from "../../../web/screens/graph/kin.js";
import { arrow, curve, nameIn, rough, shortened } from "../../../web/screens/graph/shape.js";
import { after, jobLook, SHOWN, standingOf } from "../../../web/screens/graph/states.js";
import * as view from "../../../web/screens/graph/view.js";

const near = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`);
const node = (job, x, y) => ({ job, x, y, width: 100, height: 34 });

test("fit shows all of a graph in the middle, and never enlarges it", () => {
  const box = { width: 1000, height: 600 };
  const large = view.fit({ width: 4000, height: 1000 }, box);
  assert.ok(large.x >= 0 && large.y >= 0);
  assert.ok(large.x + 4000 * large.scale <= 1000 && large.y + 1000 * large.scale <= 600);
  near(large.x * 2 + 4000 * large.scale, 1000);
  assert.equal(view.fit({ width: 100, height: 34 }, box).scale, 1);
});

test("a long chain is looked at from its beginning, any other graph as a whole", () => {
  const box = { width: 1000, height: 600 };
  const chain = { width: 60_000, height: 34, nodes: [node("b", 200, 0), node("a", 0, 0), node("z", 59_900, 0)] };
  const opened = view.opening(view.fit(chain, box), chain, box);
  assert.ok(opened.scale >= view.READABLE);
  near(opened.x, 32);
  near(opened.y + 17 * opened.scale, 300);
  const wide = { width: 8_000, height: 4_000, nodes: chain.nodes };
  const whole = view.fit(wide, box);
  assert.equal(view.opening(whole, wide, box), whole);
});

test("zooming leaves the point under the pointer where it is, and keeps within bounds", () => {
  const before = { scale: 0.8, x: -120, y: 40 };
  const after = view.zoomAt(before, 1.7, 333, 222, 0.1);
  near((333 - before.x) / before.scale, (333 - after.x) / after.scale);
  near((222 - before.y) / before.scale, (222 - after.y) / after.scale);
  assert.equal(view.zoomAt(before, 1e6, 0, 0, 0.1).scale, view.LARGEST);
  assert.equal(view.zoomAt(before, 1e-6, 0, 0, 0.1).scale, 0.1);
});

test("a graph cannot be lost out of sight", () => {
  const box = { width: 800, height: 600 };
  const graph = { width: 1000, height: 500 };
  for (const far of [1e6, -1e6]) {
    const kept = view.keepInSight({ scale: 1, x: far, y: far }, graph, box);
    const seen = view.inSight(kept, box, 0);
    assert.ok(view.touches(seen, { x: 0, y: 0, width: graph.width, height: graph.height }));
  }
});

test("what is centred is in the middle and readable", () => {
  const box = { width: 800, height: 600 };
  const shown = view.centred({ scale: 0.1, x: 0, y: 0 }, node("a", 3000, 900), box);
  assert.ok(shown.scale >= view.READABLE);
  near(3050 * shown.scale + shown.x, 400);
  near(917 * shown.scale + shown.y, 300);
});

test("a node is found under a point, the nearest one beside it, and none far off", () => {
  const nodes = [node("a", 0, 0), node("b", 200, 0)];
  assert.equal(view.nodeAt(nodes, 50, 10, 0)?.job, "a");
  assert.equal(view.nodeAt(nodes, 190, 10, 15)?.job, "b");
  assert.equal(view.nodeAt(nodes, 150, 10, 15), null);
});

test("arrows go to the next node that lies in that direction", () => {
  const nodes = [node("a", 0, 0), node("b", 200, 0), node("c", 200, 60), node("d", 400, 0)];
  assert.equal(view.towards(nodes, nodes[0], "right").job, "b");
  assert.equal(view.towards(nodes, nodes[1], "down").job, "c");
  assert.equal(view.towards(nodes, nodes[1], "right").job, "d");
  assert.equal(view.towards(nodes, nodes[3], "right").job, "d");
  assert.equal(view.towards(nodes, nodes[2], "left").job, "a");
});

test("after a new layout the job one looks at stays where it was", () => {
  const box = { width: 800, height: 600 };
  const looked = { scale: 0.5, x: 10, y: 20 };
  const before = [node("a", 0, 0), node("b", 200, 100)];
  const after = [node("new", 0, 0), node("a", 0, 60), node("b", 260, 160)];
  const now = view.anchored(looked, before, after, box, "b");
  near(260 * now.scale + now.x, 200 * looked.scale + looked.x);
  near(160 * now.scale + now.y, 100 * looked.scale + looked.y);
  // Without one, that in the middle; and where nothing is left of what was, the view stays.
  assert.deepEqual(view.anchored(looked, before, [node("z", 9, 9)], box, "b"), looked);
});

test("kin: what a job depends on and what depends on it, through diamonds and around circles", () => {
  const known = kin([{ from: "a", to: "b" }, { from: "a", to: "c" }, { from: "b", to: "d" }, { from: "c", to: "d" }, { from: "d", to: "e" }]);
  const ofD = line(known, "d");
  assert.deepEqual([...ofD.ancestors].sort(), ["a", "b", "c"]);
  assert.deepEqual([...ofD.descendants], ["e"]);
  const circle = line(kin([{ from: "a", to: "b" }, { from: "b", to: "a" }]), "a");
  assert.deepEqual([...circle.ancestors], ["b"]);
});

test("what is not in the picture is counted, where the server says how many there are", () => {
  const known = kin([{ from: "a", to: "b" }]);
  assert.deepEqual(unseen({ job: "a", parents: 2, children: 1 }, known), { before: 2, after: 0 });
  assert.deepEqual(unseen({ job: "b", parents: 1, children: 7 }, known), { before: 0, after: 7 });
  assert.deepEqual(unseen({ job: "b" }, known), { before: 0, after: 0 });
});

test("jobs are read generation by generation", () => {
  assert.deepEqual(inOrder([node("c", 200, 0), node("b", 0, 60), node("a", 0, 0)]).map(({ job }) => job), ["a", "b", "c"]);
});

const at = (seconds) => new Date(Date.UTC(2026, 10, 27, 0, 0, 0) + seconds * 1000).toISOString();
const step = (run, created, started, ended, causes = [], retryOf = null) => ({
  run, job: run.split("-")[0], state: ended === null ? "active" : "ended", verdict: ended === null ? null : "succeeded",
  createdAt: at(created), startedAt: started === null ? null : at(started), endedAt: ended === null ? null : at(ended), causes, retryOf,
});

test("the critical path follows the cause that ended last", () => {
  const steps = [step("a-1", 0, 1, 5), step("b-1", 5, 5, 9, ["a-1"]), step("c-1", 5, 5, 20, ["a-1"]), step("d-1", 20, 22, 30, ["b-1", "c-1"]), step("e-1", 9, 9, 12, ["b-1"])];
  const path = criticalPath(steps, Date.parse(at(99)));
  assert.deepEqual(path.stages.map(({ job }) => job), ["a", "c", "d"]);
  assert.deepEqual(path.stages.map(({ waitedMs }) => waitedMs), [1000, 0, 2000]);
  assert.deepEqual(path.stages.map(({ tookMs }) => tookMs), [4000, 15000, 8000]);
  assert.equal(path.totalMs, 30000);
  assert.ok(path.links.has(linkName("a", "c")) && path.links.has(linkName("c", "d")) && !path.links.has(linkName("b", "d")));
});

test("a run that goes on ends now, one that has not started has only waited", () => {
  const now = Date.parse(at(40));
  const path = criticalPath([step("a-1", 0, 0, 5), step("b-1", 5, 6, null, ["a-1"])], now);
  assert.equal(path.stages[1].tookMs, 34000);
  assert.equal(path.stages[1].live, true);
  const waiting = criticalPath([step("a-1", 0, 0, 5), step("b-1", 5, null, null, ["a-1"])], now);
  assert.equal(waiting.stages[1].waitedMs, 35000);
  assert.equal(waiting.stages[1].tookMs, 0);
});

test("a retry goes on from the run that it repeats, and causes that are not kept end the path", () => {
  const path = criticalPath([step("a-1", 0, 0, 5, ["gone"]), step("a-2", 10, 10, 12, [], "a-1")], 0);
  assert.deepEqual(path.stages.map(({ run }) => run), ["a-1", "a-2"]);
  assert.equal(path.stages[1].waitedMs, 5000);
  assert.equal(criticalPath([], 0), null);
});

const idle = { state: "idle", status: "success", disabled: false, paused: false, nextDue: null, lastRun: null };

test("what happens is told before what keeps it from happening, and that before how it went", () => {
  assert.equal(standingOf({ ...idle, state: "running", disabled: true }), "running");
  assert.equal(standingOf({ ...idle, status: "failure", paused: true }), "paused");
  assert.equal(standingOf({ ...idle, disabled: true, paused: true }), "disabled");
  assert.equal(standingOf({ ...idle, status: "failure" }), "failure");
  assert.equal(standingOf({ ...idle, status: "of a later version" }), "fresh");
  assert.equal(new Set(SHOWN.map((key) => jobLook(key).glyph)).size, SHOWN.length);
});

test("states follow the events of runs", () => {
  const event = (what, verdict = null) => ({ kind: "run", what, job: "a", run: "r1", verdict });
  assert.equal(after(idle, event("recorded")).state, "queued");
  assert.deepEqual(after(idle, event("started")), { ...idle, state: "running", lastRun: "r1" });
  assert.equal(after({ ...idle, state: "running" }, event("recorded")).state, "running");
  assert.equal(after({ ...idle, state: "running" }, event("waiting")).state, "queued");
  assert.deepEqual(after({ ...idle, state: "running" }, event("ended", "failed")), { ...idle, status: "failure", lastRun: "r1" });
  assert.equal(after({ ...idle, status: "failure", state: "running" }, event("ended", "killed")).status, "failure");
  const running = { ...idle, state: "running", lastRun: "r1" };
  assert.equal(after(running, event("started")), running);
  assert.equal(after(running, event("attemptEnded")), running);
});

test("names are shortened in the middle, by the room that letters take", () => {
  assert.equal(shortened("billing.load", 12), "billing.load");
  assert.equal(shortened("billing.load", 9), "bill…load");
  assert.equal([...shortened("a".repeat(128), 28)].length, 28);
  assert.equal(shortened("日本語のジョブ", 7), "日…ョブ");
  assert.equal(nameIn("x".repeat(200), 10).length, 5);
});

test("edges leave and arrive horizontally, and point at where they end", () => {
  assert.equal(curve([[0, 0], [100, 50]]), "M0 0C50 0 50 50 100 50");
  assert.equal(curve([[0, 10], [100, 10]]), "M0 10L100 10");
  assert.equal(curve([[0, 0]]), "");
  assert.equal(rough([[0.4, 0], [100, 50]]), "M0 0L100 50");
  assert.ok(arrow([[0, 0], [100, 50]]).startsWith("M100 50"));
});
