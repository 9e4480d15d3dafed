import assert from "node:assert/strict";
import test from "node:test";
import { check } from "../../../web/data/json.js";
import { lineAndColumn, locate, placeOfByte, read } from "../../../web/data/place.js";

const at = (/** @type {string} */ text, /** @type {string} */ field) => {
  const span = locate(text, field);
  return span && text.slice(span.start, span.end);
};

test("lines and columns begin with 1", () => {
  assert.deepEqual(lineAndColumn("ab\ncd", 0), { line: 1, column: 1 });
  assert.deepEqual(lineAndColumn("ab\ncd", 4), { line: 2, column: 2 });
  assert.deepEqual(lineAndColumn("ab\n", 3), { line: 2, column: 1 });
});

test("bytes of the server are places of the page", () => {
  assert.equal(placeOfByte("0 ü *", 3), 3);
  assert.equal(placeOfByte("0 ü *", 4), 3);
  assert.equal(placeOfByte("🕰 x", 5), 3);
  assert.equal(placeOfByte("abc", 99), 3);
});

test("what is JSON is JSON to the check as well", () => {
  for (const text of ['{"a": [1, -2.5e3, "x\\u00e9", true, null, {}], "b": []}', " [ ] ", '"x"']) {
    assert.equal(check(text), null, text);
  }
});

test("each fault of JSON has its place", () => {
  /** @type {[string, number, RegExp][]} */
  const faults = [
    ['{"a": 1,}', 8, /comma/],
    ['{"a" 1}', 5, /colon/],
    ['{"a": 1 "b": 2}', 8, /comma or }/],
    ["{'a': 1}", 1, /double quotes/],
    ['{"a": \'x\'}', 6, /double quotes/],
    ['{"a": "x\n"}', 8, /does not end/],
    ['{"a": "\\x"}', 6, /\\/],
    ['{"a": 01}', 7, /comma/],
    ['{"a": 1, "a": 2}', 9, /twice/],
    ['{"a": [1', 8, /ends/],
    ['{"a":', 5, /ends/],
    ["{} x", 3, /nothing may follow/],
    ["", 0, /ends/],
  ];
  for (const [text, place, words] of faults) {
    const fault = check(text);
    assert.equal(fault?.at, place, text);
    assert.match(fault?.message ?? "", words, text);
  }
});

test("the check and the reader of the browser say the same of texts with a letter too few or other", () => {
  const good = '{"name": "a", "list": [1, {"b": null}], "text": "q\\"r", "n": -1.5}';
  for (let index = 0; index < good.length; index += 1) {
    for (const text of [good.slice(0, index) + good.slice(index + 1), `${good.slice(0, index)},${good.slice(index)}`, good.slice(0, index)]) {
      let parses = true;
      try {
        JSON.parse(text);
      } catch {
        parses = false;
      }
      assert.equal(check(text) === null, parses, text);
    }
  }
});

test("definitions are read from both languages", () => {
  assert.deepEqual(read('{"name": "a"}', "json"), { value: { name: "a" } });
  assert.deepEqual(read("name: a\nretries: 2\nschedule: '0 2 * * *'\n", "yaml"), { value: { name: "a", retries: 2, schedule: "0 2 * * *" } });
  assert.ok("fault" in read("[1]", "json"));
  assert.ok("fault" in read("a", "yaml"));
  assert.ok("fault" in read("", "yaml"));
  const broken = read("a: [1, 2\nb: 3\n", "yaml");
  assert.equal("fault" in broken && broken.fault.at, 9);
  assert.ok("fault" in read("a: 1\na: 2\n", "yaml"));
});

test("a field is found in YAML and in JSON", () => {
  const yaml = "name: a\nenvironmentVariables:\n  - name: X\n    value: '1'\n  - name: Y\n    value: two\ncalendars: [{use: never}]\n";
  assert.equal(at(yaml, "name"), "a");
  assert.equal(at(yaml, "environmentVariables[1].value"), "two");
  assert.equal(at(yaml, "calendars[0].use"), "never");
  const json = JSON.stringify({ name: "a", dst: { gap: "foo", fold: "last" }, constraints: [["rack", "FOO", "x"]], schedule: "99 * * * *" }, null, 2);
  assert.equal(at(json, "schedule"), "99 * * * *");
  assert.equal(at(json, "dst.gap"), "foo");
  assert.equal(at(json, "constraints[0][1]"), "FOO");
});

test("of a field that the text does not say, what is nearest to it is found", () => {
  const yaml = "name: a\ncalendars:\n  - name: x\n";
  assert.equal(locate(yaml, "calendars[0].use")?.start, yaml.indexOf("name: x"));
  assert.equal(locate(yaml, "calendars[3]")?.start, yaml.indexOf("- name"));
  assert.equal(locate("name: a\n", "command"), null);
  assert.equal(locate("name: [", "name"), null);
  assert.equal(locate("name: a\n", ""), null);
});
