import assert from "node:assert/strict";
import test from "node:test";
import { pieces } from "../../../web/data/sentence.js";

test("instants, runs and names are found, and nothing of the sentence is lost", () => {
  const sentence = "its last run, j3-p1795737243543 for 2026-11-26T23:54:00.000Z, waits for `billing.load`.";
  assert.deepEqual(pieces(sentence).map((piece) => piece.kind), ["text", "run", "text", "instant", "text", "code", "text"]);
  assert.equal(pieces(sentence).map((piece) => (piece.kind === "code" ? `\`${piece.text}\`` : piece.text)).join(""), sentence);
});

test("a sentence without any is one piece, and none is none", () => {
  assert.deepEqual(pieces("it is disabled"), [{ kind: "text", text: "it is disabled" }]);
  assert.deepEqual(pieces(""), []);
  assert.deepEqual(pieces("<img src=x>"), [{ kind: "text", text: "<img src=x>" }]);
});
