import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "../../../web/screens/run/ansi.js";
import { marked } from "../../../web/screens/run/marks.js";
import { literal } from "../../../web/screens/run/view.js";

const shown = (/** @type {string} */ text, /** @type {RegExp | null} */ pattern) =>
  marked(parse(text).spans, pattern).map(({ text: part, hit }) => (hit ? `[${part}]` : part));

test("what is searched for is marked wherever it is, over colours too", () => {
  assert.deepEqual(shown("an error, Error", literal("error")), ["an ", "[error]", ", ", "[Error]"]);
  assert.deepEqual(shown("\x1b[31mer\x1b[0mror at the end", literal("error")), ["[er]", "[ror]", " at the end"]);
  assert.deepEqual(shown("aaaa", literal("a")), ["[a]", "[a]", "[a]", "[a]"]);
});

test("nothing is marked of nothing", () => {
  assert.deepEqual(shown("an error", null), ["an error"]);
  assert.deepEqual(shown("", literal("a")), []);
  assert.deepEqual(shown("bbb", literal("a")), ["bbb"]);
  assert.deepEqual(shown("ab", /x*/), ["ab"]);
});
