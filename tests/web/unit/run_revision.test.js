import assert from "node:assert/strict";
import { test } from "node:test";
import { revisionOf } from "../../../web/screens/run/revision.js";

const revision = (/** @type {number} */ incarnation, /** @type {number} */ number, /** @type {string} */ acceptedAt) => ({ incarnation, revision: number, acceptedAt, present: false, removed: false });
const kept = [revision(9, 3, "2026-01-03T00:00:00.000Z"), revision(9, 2, "2026-01-02T00:00:00.000Z"), revision(4, 1, "2025-01-01T00:00:00.000Z")];

test("the definition is the latest one before the run, of the same life of the name", () => {
  assert.equal(revisionOf({ id: "j9-s1", createdAt: "2026-01-02T12:00:00.000Z" }, kept)?.revision, 2);
  assert.equal(revisionOf({ id: "j9-s1", createdAt: "2026-01-03T00:00:00.000Z" }, kept)?.revision, 3);
  assert.equal(revisionOf({ id: "j4-s1", createdAt: "2026-01-03T00:00:00.000Z" }, kept)?.revision, 1);
});

test("what is no longer kept is none", () => {
  assert.equal(revisionOf({ id: "j9-s1", createdAt: "2026-01-01T00:00:00.000Z" }, kept), null);
  assert.equal(revisionOf({ id: "j5-s1", createdAt: "2026-01-05T00:00:00.000Z" }, kept), null);
  assert.equal(revisionOf({ id: "unreadable", createdAt: "2026-01-05T00:00:00.000Z" }, kept), null);
});

test("what the run says of itself counts most", () => {
  assert.equal(revisionOf({ id: "j9-s1", createdAt: "2026-01-03T00:00:00.000Z", revision: "9.2" }, kept)?.revision, 2);
});
