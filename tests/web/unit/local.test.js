import assert from "node:assert/strict";
import test from "node:test";
import { fromLocal, toLocal } from "../../../web/data/local.js";

const iso = (/** @type {string} */ text, /** @type {string} */ zone) => {
  const at = fromLocal(text, zone);
  return at === null ? null : new Date(at).toISOString();
};

test("a wall clock is an instant of its zone", () => {
  assert.equal(iso("2026-11-26T13:00", "Europe/Berlin"), "2026-11-26T12:00:00.000Z");
  assert.equal(iso("2026-07-26T13:00:30", "America/New_York"), "2026-07-26T17:00:30.000Z");
  assert.equal(iso("2026-07-26T13:00", "UTC"), "2026-07-26T13:00:00.000Z");
});

test("of an hour that comes twice it is the first, of one that there is not what it had been", () => {
  assert.equal(iso("2026-10-25T02:30", "Europe/Berlin"), "2026-10-25T00:30:00.000Z");
  assert.equal(iso("2026-03-29T02:30", "Europe/Berlin"), "2026-03-29T01:30:00.000Z");
  assert.equal(iso("2026-11-01T01:30", "America/New_York"), "2026-11-01T05:30:00.000Z");
});

test("what is no date and time of day is none, and back and forth is the same", () => {
  for (const text of ["", "2026-11-26", "2026-13-26T13:00", "x"]) assert.equal(fromLocal(text, "UTC"), null, text);
  const at = Date.parse("2026-10-25T00:30:00Z");
  assert.equal(fromLocal(toLocal(at, "Europe/Berlin"), "Europe/Berlin"), at);
});
