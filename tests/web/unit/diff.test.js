import assert from "node:assert/strict";
import test from "node:test";
import { changes, shown } from "../../../web/data/diff.js";

test("fields are told one by one, also inside of lists and objects", () => {
  const before = { command: "a", retries: 2, parents: ["x", "y"], dst: { gap: "skip" }, same: [1] };
  const after = { command: "b", retries: 2, parents: ["x"], dst: { gap: "skip", fold: "last" }, same: [1], timeout: "PT1M" };
  assert.deepEqual(changes(before, after), [
    { field: "command", old: "a", new: "b", secret: false },
    { field: "parents[1]", old: "y", new: null, secret: false },
    { field: "dst.fold", old: null, new: "last", secret: false },
    { field: "timeout", old: null, new: "PT1M", secret: false },
  ]);
});

test("values of secrets are never shown, whether they change, come or go", () => {
  const variable = (/** @type {string} */ value) => ({ environmentVariables: [{ name: "KEY", value, secret: true }] });
  assert.deepEqual(changes(variable("***"), variable("new")), [
    { field: "environmentVariables[0].value", old: "***", new: "***", secret: true },
  ]);
  assert.ok(!JSON.stringify(changes({}, variable("hidden"))).includes("hidden"));
  assert.ok(!JSON.stringify(changes({ environmentVariables: [] }, variable("hidden"))).includes("hidden"));
});

test("nothing is different from itself, and null says as little as nothing", () => {
  assert.deepEqual(changes({ a: null, b: [{}] }, { b: [{}] }), []);
  assert.equal(shown("text"), "text");
  assert.equal(shown(["a"]), '["a"]');
});
