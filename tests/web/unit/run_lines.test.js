import assert from "node:assert/strict";
import { test } from "node:test";
import { line, Output, settled, visible } from "../../../web/screens/run/lines.js";
import { literal, search, textOf, View, WRONG } from "../../../web/screens/run/view.js";

const encode = (/** @type {string} */ text) => new TextEncoder().encode(text);
const whole = (/** @type {Output} */ output) => new View([{ stream: "stdout", output, from: 0, to: Infinity }]);
/** What each row says. */
const rows = (/** @type {View} */ view) =>
  Array.from({ length: view.rows }, (_, row) => {
    const found = view.at(row);
    if (!found) return "nothing";
    const { piece, index } = found;
    return piece.part ? line(piece.part, index).text : `${piece.kind} ${piece.start}-${piece.end}`;
  });
const numbers = (/** @type {View} */ view) => view.pieces.map((piece) => piece.number);
const positions = (/** @type {View} */ view, /** @type {RegExp} */ pattern) => [...search(view, pattern)].flat().map((each) => each.position);

test("lines are the same however the bytes came", () => {
  const text = "one\n\ntwo äö 日本\nthree\r\n\x1b[31mfour\x1b[0m\nfive";
  const bytes = encode(text);
  const expected = ["one", "", "two äö 日本", "three", "\x1b[31mfour\x1b[0m", "five"];
  for (let size = 1; size <= bytes.length; size += 1) {
    const places = [];
    for (let at = 0; at < bytes.length; at += size) places.push(at);
    for (const order of [places, [...places].reverse(), [...places.filter((_, i) => i % 2), ...places.filter((_, i) => i % 2 === 0)]]) {
      const output = new Output();
      for (const at of order) output.add(at, bytes.subarray(at, at + size));
      const view = whole(output);
      assert.deepEqual(rows(view), expected, `in pieces of ${size}`);
      assert.deepEqual(output.parts.map((part) => part.kind === "bytes" && part.cells), [[3, 0, 11, 5, 4, 4]], `in pieces of ${size}`);
      assert.deepEqual(numbers(view), [1]);
    }
  }
});

test("what is held already is not taken again", () => {
  const output = new Output();
  output.add(4, encode("two\n"));
  output.add(0, encode("one\nXXX\nsix\n"));
  assert.deepEqual(rows(whole(output)), ["one", "two", "six"]);
});

test("what is not loaded is a hole, and numbers begin where everything before is known", () => {
  const output = new Output();
  output.grown(100);
  output.add(50, encode("tail\nend\n"));
  assert.deepEqual(rows(whole(output)), ["hole 0-50", "tail", "end", "hole 59-100"]);
  assert.deepEqual(numbers(whole(output)), [null, null, null]);
  output.add(0, encode("head\n"));
  const view = whole(output);
  assert.deepEqual(rows(view), ["head", "hole 5-50", "tail", "end", "hole 59-100"]);
  assert.equal(view.rowOfNumber("stdout", 1), 0);
  assert.equal(view.rowOfNumber("stdout", 2), -1);
  assert.equal(view.rowOf("stdout", 56), 3);
  assert.equal(view.rowOf("stdout", 30), 1);
  assert.equal(view.rowOf("stderr", 0), -1);
});

test("a gap is one row, behind which lines have no numbers", () => {
  const output = new Output();
  output.add(0, encode("a\nb\n"));
  output.gap(4, 1_000);
  output.add(1_000, encode("c\n"));
  const view = whole(output);
  assert.deepEqual(rows(view), ["a", "b", "gap 4-1000", "c"]);
  assert.deepEqual(numbers(view), [1, null, null]);
  assert.equal(view.rowOfNumber("stdout", 4), -1);
  assert.equal(view.dropped(), 996);
  assert.equal(textOf(view), "a\nb\n[chronode: 996 bytes omitted]\nc\n");
});

test("a line that was written over is what was written last", () => {
  assert.deepEqual(settled("10 %\r50 %\r100 %\r"), { text: "100 %", updates: 2 });
  assert.deepEqual(settled("done\r"), { text: "done", updates: 0 });
  const output = new Output();
  output.add(0, encode("a long line\rshort\nnext\n"));
  assert.deepEqual(rows(whole(output)), ["short", "next"]);
  assert.deepEqual(output.parts[0].kind === "bytes" && output.parts[0].cells, [5, 4]);
});

test("bytes that are no text are shown replaced", () => {
  const output = new Output();
  output.add(0, new Uint8Array([0x61, 0xff, 0xfe, 0x00, 0x62, 10]));
  assert.deepEqual(rows(whole(output)), ["a\ufffd\ufffd\0b"]);
  assert.equal(visible("a\0\x7f\tb"), "a\u2400\u2421\tb");
});

test("of a line without end a part is shown, and of a long progress line its end", () => {
  const output = new Output();
  output.add(0, encode("x".repeat(100_000)));
  const long = whole(output).at(0);
  assert.ok(long?.piece.part);
  assert.deepEqual({ ...line(long.piece.part, 0), text: "" }, { start: 0, end: 100_000, text: "", more: 100_000 - 16 * 1024, updates: 0 });
  const progress = new Output();
  progress.add(0, encode(Array.from({ length: 20_000 }, (_, step) => `step ${step}`).join("\r")));
  const last = whole(progress).at(0);
  assert.ok(last?.piece.part);
  assert.equal(line(last.piece.part, 0).text, "step 19999");
});

test("two streams are in the order in which their parts came", () => {
  const [out, err] = [new Output(), new Output()];
  out.add(0, encode("o1\no2\nlater\n"));
  err.add(0, encode("e1\ne2\n"));
  const view = new View([
    { stream: "stdout", output: out, from: 0, to: 6 },
    { stream: "stderr", output: err, from: 0, to: 3 },
    { stream: "stdout", output: out, from: 6, to: Infinity },
    { stream: "stderr", output: err, from: 3, to: Infinity },
  ]);
  assert.deepEqual(rows(view), ["o1", "o2", "e1", "later", "e2"]);
  assert.deepEqual(view.pieces.map((piece) => `${piece.stream} ${piece.number}`), ["stdout 1", "stderr 1", "stdout 3", "stderr 2"]);
  assert.equal(view.rowOf("stderr", 3), 4);
  assert.equal(view.rowOfNumber("stdout", 3), 3);
});

test("broken lines stand on as many rows as they need", () => {
  const output = new Output();
  output.add(0, encode(`${"x".repeat(10)}\n${"x".repeat(11)}\n\n${"x".repeat(35)}\n`));
  assert.deepEqual([...whole(output).heights(10)], [0, 1, 3, 4, 8]);
});

test("search finds each line once, in either case, over colours and not in what was written over", () => {
  const output = new Output();
  output.add(0, encode("an Error, an error\nfine\n\x1b[31mer\x1b[0mror\nerror\rok\n\nERROR"));
  const view = whole(output);
  const found = positions(view, literal("error"));
  assert.deepEqual(found.map((position) => view.rowOf("stdout", position)), [0, 2, 5]);
  assert.deepEqual(positions(view, literal("a.*b")), []);
  assert.equal(positions(view, WRONG).length, 3);
});

test("search in much text finds the same as a look at each line", () => {
  const output = new Output();
  const lines = Array.from({ length: 60_000 }, (_, index) => `line ${index}${index % 997 === 0 ? " needle needle" : ""}`);
  const bytes = encode(`${lines.join("\n")}\n`);
  for (let at = 0; at < bytes.length; at += 100_000) output.add(at, bytes.subarray(at, at + 100_000));
  const view = whole(output);
  const found = positions(view, literal("NEEDLE")).map((position) => view.rowOf("stdout", position));
  assert.deepEqual(found, lines.flatMap((text, index) => (text.includes("needle") ? [index] : [])));
});

test("no more is held than there is room for, and what is let go is a hole", () => {
  const output = new Output();
  const bytes = encode(`${"x".repeat(99)}\n`.repeat(10_000));
  for (let at = 0; at < 40; at += 1) output.add(at * bytes.length, bytes);
  const view = whole(output);
  assert.equal(view.pieces[0].kind, "hole");
  assert.equal(view.pieces[1].end, 40 * bytes.length);
  assert.ok(view.rows * 100 < 25 * 1024 * 1024);
  assert.equal(rows(new View([{ stream: "stdout", output, from: view.pieces[1].start, to: view.pieces[1].start + 150 }]))[0].length, 99);
  // Reading from the beginning again lets go of the end.
  for (let at = 0; at < 8; at += 1) output.add(at * bytes.length, bytes);
  assert.equal(whole(output).pieces[0].number, 1);
  assert.ok(output.parts.reduce((sum, part) => sum + part.end - part.start, 0) <= 24 * 1024 * 1024);
});

test("whether all of it can be held is told by how much was written, and by how short its lines are", () => {
  const lines = new Output();
  lines.add(0, encode("y\n".repeat(100_000)));
  lines.grown(2_000_000);
  assert.ok(lines.fits());
  lines.grown(4_000_000);
  assert.ok(!lines.fits());
  const kept = new Output();
  kept.add(0, encode(`${"x".repeat(99)}\n`.repeat(1_000)));
  kept.grown(50_000_000);
  assert.ok(!kept.fits());
  kept.gap(25_000_000, 42_000_000);
  assert.equal(kept.kept(), 16_000_000);
  kept.gap(10_000_000, 45_000_000);
  assert.ok(kept.fits());
});

test("parts of a gap are one gap with what is between them", () => {
  const output = new Output();
  output.add(0, encode("head\n"));
  output.add(1_000, encode("tail\n"));
  output.gap(900, 1_000);
  assert.deepEqual(rows(whole(output)), ["head", "hole 5-900", "gap 900-1000", "tail"]);
  output.gap(5, 60);
  assert.deepEqual(rows(whole(output)), ["head", "gap 5-1000", "tail"]);
  output.gap(5, 1_000);
  assert.deepEqual(rows(whole(output)), ["head", "gap 5-1000", "tail"]);
});
