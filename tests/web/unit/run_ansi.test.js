import assert from "node:assert/strict";
import { test } from "node:test";
import { luminance, parse, readable, shown, strip } from "../../../web/screens/run/ansi.js";

const texts = (/** @type {string} */ text) => parse(text).spans.map((span) => span.text);
const styles = (/** @type {string} */ text) => parse(text).spans.map((span) => shown(span.style).names);

test("text without control sequences is one span without a style", () => {
  assert.deepEqual(parse("plain <b>"), { spans: [{ text: "plain <b>", style: null }], style: null });
  assert.deepEqual(parse(""), { spans: [], style: null });
});

test("the sixteen colours are class names, and bold text has the bright one", () => {
  assert.deepEqual(styles("\x1b[31mred\x1b[0m no \x1b[94;42mblue on green\x1b[m"), ["fg1", "", "fg12 bg2"]);
  assert.deepEqual(styles("\x1b[1;32mok"), ["fg10 bold"]);
  assert.deepEqual(texts("\x1b[31mred\x1b[0m no"), ["red", " no"]);
});

test("weights are taken back by their own codes", () => {
  assert.deepEqual(styles("\x1b[1;3;4;9ma\x1b[22;23mb\x1b[24mc\x1b[29md"), ["bold italic underline strike", "underline strike", "strike", ""]);
  assert.deepEqual(styles("\x1b[4ma\x1b[4:0mb\x1b[4:3mc"), ["underline", "", "underline"]);
});

test("the 256 colours are names, a cube and greys", () => {
  assert.deepEqual(parse("\x1b[38;5;9ma").spans[0].style?.fg, 9);
  assert.deepEqual(parse("\x1b[38;5;196ma").spans[0].style?.fg, { r: 255, g: 0, b: 0 });
  assert.deepEqual(parse("\x1b[38;5;110ma").spans[0].style?.fg, { r: 135, g: 175, b: 215 });
  assert.deepEqual(parse("\x1b[48;5;232ma").spans[0].style?.bg, { r: 8, g: 8, b: 8 });
  assert.equal(parse("\x1b[38;5;300ma").spans[0].style, null);
});

test("colours of three bytes come behind semicolons and colons, with and without a colour space", () => {
  for (const code of ["38;2;1;2;3", "38:2:1:2:3", "38:2::1:2:3"]) {
    assert.deepEqual(parse(`\x1b[${code}ma`).spans[0].style?.fg, { r: 1, g: 2, b: 3 }, code);
  }
  assert.deepEqual(parse("\x1b[38;2;1;2;3;1ma").spans[0].style?.bold, true);
});

test("all other sequences are left out, also one that is cut off", () => {
  assert.deepEqual(texts("a\x1b[2Kb\x1b[10;5Hc\x1b]0;title\x07d\x1b]8;;http://x\x1b\\e\x1b(Bf\x1b7g\x1b[?25lh\x1b[3"), ["abcdefgh"]);
  assert.equal(strip("\x1b[31ma\x1b[0mb\x1b"), "ab");
  assert.deepEqual(styles("\x1b[>4;1ma"), [""]);
});

test("what is chosen at the end of a line holds for the next", () => {
  const { style } = parse("\x1b[33mwarn");
  assert.equal(shown(parse("more", style).spans[0].style).names, "fg3");
  assert.deepEqual(parse("\x1b[0mmore", style).style, null);
});

test("inverse changes ground and text", () => {
  assert.deepEqual(styles("\x1b[7ma\x1b[31mb\x1b[42mc"), ["inverse", "on-ground bg1", "fg2 bg1"]);
});

test("colours without a name can be read on light and on dark ground", () => {
  for (const colour of [{ r: 0, g: 0, b: 0 }, { r: 255, g: 255, b: 255 }, { r: 255, g: 255, b: 0 }, { r: 0, g: 0, b: 200 }]) {
    for (const ground of [1, 0.014]) {
      const [low, high] = [luminance(readable(colour, ground)), ground].sort((a, b) => a - b);
      assert.ok((high + 0.05) / (low + 0.05) >= 4.5, `${JSON.stringify(colour)} on ${ground}`);
    }
  }
  assert.match(shown(parse("\x1b[38;2;255;255;0ma").spans[0].style).style?.color ?? "", /^light-dark\(rgb\(.*\), rgb\(255 255 0\)\)$/);
  assert.deepEqual(shown(parse("\x1b[48;2;250;250;250ma").spans[0].style).style, { backgroundColor: "rgb(250 250 250)", color: "#000" });
});
