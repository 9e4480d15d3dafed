import assert from "node:assert/strict";
import { test } from "node:test";
import { became, exitOf, lateness, possible } from "../../../web/screens/run/verbs.js";

const verbs = (/** @type {string} */ state, /** @type {string[]} */ attempts, /** @type {string | null} */ verdict = null) =>
  possible({ state, verdict, attempts: attempts.map((each) => ({ state: each })) }).map((each) => each.verb);

test("what waits can be ended, counted or skipped, and once it was tried not skipped", () => {
  for (const state of ["queued", "pending", "waiting"]) assert.deepEqual(verbs(state, []), ["kill", "succeed", "skip"], state);
  for (const state of ["queued", "pending"]) assert.deepEqual(verbs(state, ["ended"]), ["kill", "succeed"], state);
  assert.deepEqual(verbs("waiting", ["ended"]), ["kill", "retry", "retry-down", "succeed"]);
});

test("what runs can only be killed, unless nobody can say whether it runs", () => {
  for (const state of ["launching", "running", "stopping"]) assert.deepEqual(verbs("active", [state]), ["kill"], state);
  assert.deepEqual(verbs("active", ["unknown"]), ["kill", "retry", "retry-down", "succeed"]);
  assert.deepEqual(verbs("reporting", ["ended"]), ["kill", "succeed"]);
});

test("what is over can be retried, and counted unless it has succeeded", () => {
  assert.deepEqual(verbs("ended", ["ended"], "succeeded"), ["retry", "retry-down"]);
  for (const verdict of ["failed", "lost", "killed", "missed", "skipped", "superseded"]) {
    assert.deepEqual(verbs("ended", [], verdict), ["retry", "retry-down", "succeed"], verdict);
  }
});

test("an exit is told in few words", () => {
  assert.deepEqual([{ code: 0 }, { code: 3 }, { signal: 9 }, { killed: true }, { couldNotStart: "no room" }, null].map((exit) => exitOf(exit)?.text), ["0", "3", "signal 9", "killed", "could not start: no room", undefined]);
});

test("lateness is measured from when a run could have started", () => {
  const of = (/** @type {any} */ trigger) => lateness({ trigger: { opensAt: null, finishedAt: null, dueAt: "due", ...trigger }, createdAt: "created", attempts: [{ startedAt: "started" }] });
  assert.deepEqual(of({ kind: "schedule", opensAt: "opens" }), { from: "opens", to: "started", since: "after its start window opened" });
  assert.deepEqual(of({ kind: "schedule", opensAt: "due" }).since, "after it was due");
  assert.deepEqual(of({ kind: "catchUp" }).from, "due");
  assert.deepEqual(of({ kind: "parents", finishedAt: "finished" }).from, "finished");
  for (const kind of ["manual", "retry", "backfill"]) assert.equal(of({ kind }).from, "created", kind);
});

test("what became of it follows the name of its job", () => {
  const of = (/** @type {string} */ word, /** @type {string | null} */ verdict = null) => became({ run: "j1-s1", became: word, verdict });
  assert.deepEqual([of("stopping"), of("ended", "skipped"), of("triedAgain"), of("followed")], ["it is being stopped", "it has ended as skipped", "it is tried again", "another run follows it"]);
});
