/** What incidents and notifications say, and in what order. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { linkOf } from "../../../web/data/link.js";
import { addressText, beside, deliveryOf, grouped, lookOf, newestFirst, titleOf, wrong } from "../../../web/screens/alerts/words.js";

const KINDS = [
  "failed", "retried", "missed", "didNotRun", "lateStart", "overlong", "lateFinish", "disabled", "exhausted", "deleted", "recovered", "backfillFinished",
  "leaderChanged", "agentLost", "launcherGone", "storeTrouble", "channelTrouble",
];

/** @param {object} given @returns {any} */
const incident = (given) => ({ id: "i1", key: { job: "a" }, kind: "failed", state: "open", lastAt: "2026-11-27T08:00:00Z", closedAt: null, jobs: ["a"], jobsLeftOut: 0, ...given });

test("every kind of alert has words and a shape of its own tone, and one that is not known is said as it is", () => {
  const looks = KINDS.map(lookOf);
  assert.equal(new Set(looks.map(({ word }) => word)).size, KINDS.length);
  for (const { glyph, tone } of looks) assert.ok(glyph !== "·" && ["good", "bad", "late", "missed", "quiet"].includes(tone));
  assert.deepEqual(lookOf("flooded"), { glyph: "·", tone: "quiet", word: "flooded" });
});

test("what is wrong is a sentence: of a job, of many by one cause, and of the scheduler itself", () => {
  assert.deepEqual(wrong(incident({})), { job: "a", text: "failed" });
  assert.equal(titleOf(incident({ kind: "lateStart" })), "a did not start in time");
  assert.equal(titleOf(incident({ key: { cause: "agent S1" }, jobs: ["a", "b"], jobsLeftOut: 3 })), "5 jobs failed: agent S1");
  assert.equal(titleOf(incident({ key: { cause: "agent S1" }, jobs: ["a"] })), "1 job failed: agent S1");
  assert.equal(titleOf(incident({ key: { cause: "channel mail" }, kind: "channelTrouble", jobs: [] })), "notifications do not arrive: channel mail");
  assert.equal(titleOf(incident({ key: { cause: "agent S1" }, kind: "agentLost", jobs: ["a"] })), "an agent is lost: agent S1");
});

test("who has to do something comes first; then what is worst, and of that the newest", () => {
  const at = (/** @type {number} */ hour) => `2026-11-27T0${hour}:00:00Z`;
  const given = [
    incident({ id: "over-long-ago", state: "closed", closedAt: at(1), lastAt: at(1) }),
    incident({ id: "over", kind: "overlong", state: "closed", closedAt: at(2), lastAt: at(1) }),
    incident({ id: "silenced", state: "silenced" }),
    incident({ id: "late", kind: "lateStart", lastAt: at(9) }),
    incident({ id: "older", lastAt: at(1) }),
    incident({ id: "newer", lastAt: at(2) }),
    incident({ id: "store", kind: "storeTrouble", lastAt: at(0) }),
    incident({ id: "unheard of", kind: "flooded", lastAt: at(9) }),
    incident({ id: "looked after", state: "acknowledged" }),
  ];
  assert.deepEqual(grouped(given).map(({ state, incidents }) => [state, incidents.map(({ id }) => id)]), [
    ["open", ["store", "newer", "older", "late", "unheard of"]], ["acknowledged", ["looked after"]], ["silenced", ["silenced"]], ["closed", ["over", "over-long-ago"]],
  ]);
  assert.equal(given[0].id, "over-long-ago");
  assert.deepEqual(grouped([]), []);
  assert.deepEqual(newestFirst(/** @type {any} */ ([{ id: "a9" }, { id: "a10" }, { id: "a8" }])).map(({ id }) => id), ["a10", "a9", "a8"]);
});

test("how a message stands: one that was tried is another than one that was not", () => {
  const words = [["held", 0], ["due", 0], ["due", 2], ["delivered", 1], ["givenUp", 9], ["eaten", 1]].map(([state, tries]) => deliveryOf(/** @type {any} */ ({ state, tries })).word);
  assert.deepEqual(words, ["held", "to be sent", "to be tried again", "delivered", "given up", "eaten"]);
  assert.equal(addressText({ channel: "mail", recipient: "ops@example.org" }), "ops@example.org by mail");
  assert.equal(addressText({ channel: "slack", recipient: "" }), "slack");
});

test("only an address of the web becomes a link", () => {
  assert.equal(linkOf("https://wiki.example.org/a b"), "https://wiki.example.org/a%20b");
  assert.equal(linkOf("HTTP://wiki"), "http://wiki/");
  for (const text of ["javascript:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//wiki", "wiki page 7", "", null, undefined]) assert.equal(linkOf(text), null, String(text));
});

test("keys go from one to the next and stay at the ends", () => {
  const ids = ["a", "b", "c"];
  assert.deepEqual([beside(ids, null, 1), beside(ids, null, -1), beside(ids, "a", 1), beside(ids, "c", 1), beside(ids, "a", -1), beside(ids, "gone", 1)], ["a", "c", "b", "c", "a", "a"]);
  assert.equal(beside([], "a", 1), null);
});
