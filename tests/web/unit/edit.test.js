import assert from "node:assert/strict";
import test from "node:test";
import { interval, intervalText, periodInWords } from "../../../web/data/period.js";
import { elsewhere, faultOf, refusals, withoutUntyped } from "../../../web/screens/edit/faults.js";
import { itemsOf, labelsOf, numberOrText, numbersOf, pairsOf, priorityFields, priorityOf, twice, withKey, worded, wordOf } from "../../../web/screens/edit/values.js";

test("periods of a fixed length have words, others have none", () => {
  assert.equal(periodInWords("PT10M"), "10 min");
  assert.equal(periodInWords("P1DT2H"), "1 d 2 h");
  assert.equal(periodInWords("PT1.5S"), "1.5 s");
  assert.equal(periodInWords("PT0S"), "0 s");
  for (const text of ["P1M", "P", "PT", "10", "", "PT1X", "P1DT"]) assert.equal(periodInWords(text), null, text);
});

test("an interval is taken apart and put together again", () => {
  for (const text of ["R/2026-01-01T00:00:00Z/PT1H", "R5//P1D", "R//"]) {
    const parts = interval(text);
    assert.ok(parts);
    assert.equal(intervalText(parts), text);
  }
  assert.deepEqual(interval("R5//P1D"), { times: "5", begin: "", every: "P1D" });
  assert.equal(interval("0 2 * * *"), null);
});

test("a refusal marks its field, and what is around it", () => {
  const list = refusals({
    message: "first", field: "dst.gap",
    problems: [{ message: "first", field: "dst.gap", remedy: "write `after`" }, { message: "second", field: "calendars[0].use" }, { message: "third", field: "" }],
  });
  assert.equal(faultOf(list, "dst"), "first: write `after`");
  assert.equal(faultOf(list, "calendars"), "second");
  assert.equal(faultOf(list, "calendar"), null);
  assert.deepEqual(elsewhere(list, ["dst", "calendars"]).map((each) => each.message), ["third"]);
});

test("what a message says already is not said twice", () => {
  assert.equal(faultOf(refusals({ message: "no: expected `*`", remedy: "expected `*`", field: "schedule" }), "schedule"), "no: expected `*`");
});

test("the place in a text is kept with the refusal it belongs to", () => {
  const position = { start: 10, end: 11 };
  assert.deepEqual(refusals({ message: "m", field: "schedule", position }), [{ message: "m", field: "schedule", remedy: "", position }]);
  const two = refusals({ message: "m", field: "schedule", position, problems: [{ message: "m", field: "schedule" }, { message: "n", field: "owner" }] });
  assert.deepEqual(two.map((each) => each.position), [position, null]);
});

test("what has not been typed yet is not called wrong", () => {
  const list = refusals({ message: "", problems: [{ message: "a", field: "command" }, { message: "b", field: "name" }, { message: "c", field: "retries" }] });
  assert.deepEqual(withoutUntyped(list, { name: "x y", retries: "" }).map((each) => each.field), ["name", "retries"]);
});

test("what is typed becomes what the API takes, and what cannot stays as typed", () => {
  assert.deepEqual(["", " 2 ", "-1", "0.5", "two", "1e3", "0.10", "NaN"].map(numberOrText), [undefined, 2, -1, 0.5, "two", "1e3", "0.10", "NaN"]);
  assert.deepEqual(itemsOf("a, b\n c,,"), ["a", "b", "c"]);
  assert.equal(itemsOf(" , "), undefined);
  assert.deepEqual(numbersOf("1, x"), [1, "x"]);
});

test("words with a number", () => {
  assert.deepEqual(worded("skip"), { word: "skip", amount: "" });
  assert.deepEqual(worded({ queue: 3 }), { word: "queue", amount: "3" });
  assert.deepEqual(worded(undefined), { word: "", amount: "" });
  assert.deepEqual(wordOf("queue", "3", ["queue"]), { queue: 3 });
  assert.equal(wordOf("skip", "3", ["queue"]), "skip");
  assert.equal(wordOf("", "3", ["queue"]), undefined);
});

test("an object that says nothing is left out", () => {
  assert.deepEqual(withKey(undefined, "gap", "skip"), { gap: "skip" });
  assert.deepEqual(withKey({ gap: "skip", fold: "last" }, "gap", undefined), { fold: "last" });
  assert.equal(withKey({ gap: "skip" }, "gap", undefined), undefined);
  assert.deepEqual(withKey(/** @type {any} */ ("a text of the JSON"), "gap", "skip"), { gap: "skip" });
});

test("a priority goes through both of its fields unchanged", () => {
  for (const priority of ["low", "normal", "high"]) assert.equal(priorityOf(priorityFields(priority)), priority);
  assert.equal(priorityOf({}), "normal");
});

test("labels are rows and back, whatever a text says in their place", () => {
  const labels = { team: "data", __proto: "x", 7: "" };
  assert.deepEqual(labelsOf(pairsOf(labels)), labels);
  for (const none of [undefined, null, "a", 7, ["a"]]) assert.deepEqual(pairsOf(none), []);
  assert.equal(labelsOf([{ name: "", value: "" }]), undefined);
  assert.deepEqual(labelsOf([{ name: "", value: "x" }, { name: "", value: "" }]), { "": "x" });
  assert.deepEqual(Object.keys(labelsOf([{ name: "__proto__", value: "x" }]) ?? {}), ["__proto__"]);
  assert.equal(twice([{ name: "a" }, { name: "" }, { name: "" }, { name: "b" }]), undefined);
  assert.equal(twice([{ name: "a" }, { name: "b" }, { name: "a" }]), "a");
});
