import assert from "node:assert/strict";
import { test } from "node:test";
import { did, outcomeOf, particulars } from "../../../web/screens/audit_words.js";

test("what was done is told in words, and a word that is new as it is", () => {
  assert.equal(did("retry-down"), "retried from here down");
  assert.equal(did("somethingNew"), "somethingNew");
});

test("how it ended has a shape and a word", () => {
  assert.deepEqual(outcomeOf({ result: "done" }), { tone: "good", glyph: "✓", text: "done" });
  assert.deepEqual(outcomeOf({ result: "refused", status: 403, code: "role_too_low" }).text, "refused 403 role_too_low");
  assert.deepEqual(outcomeOf({ result: "unknown" }), { tone: "late", glyph: "?", text: "unknown" });
});

test("of each record that is told which there is", () => {
  const entry = { sequence: 7, at: "2026-03-01T12:00:00.123Z", caller: "deploy", role: "editor", door: "/scheduler", method: "POST", path: "/scheduler/iso8601", what: "put", outcome: { result: "done" }, revision: 3, idempotencyKey: true };
  assert.deepEqual(particulars(entry), [["Number", "7"], ["Role", "editor"], ["Door", "/scheduler"], ["Request", "POST /scheduler/iso8601"], ["Revision", "3"], ["Idempotency key", "carried one: it may have been a repetition"]]);
  assert.deepEqual(particulars({ sequence: 1, at: "", caller: "chronode", door: "process", what: "start", outcome: { result: "done" } }), [["Number", "1"], ["Door", "process"]]);
});
