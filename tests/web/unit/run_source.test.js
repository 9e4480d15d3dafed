import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { decode, slice } from "../../../web/screens/run/lines.js";
import { PIECE_BYTES, Source } from "../../../web/screens/run/source.js";

const encode = (/** @type {string} */ text) => new TextEncoder().encode(text);

/** A stream of output as the server gives it: by the rules of docs/api.md for ranges, gaps and what is followed. */
class Written {
  /** @param {Uint8Array} bytes @param {{from: number, to: number} | null} [gap] */
  constructor(bytes, gap = null) {
    this.bytes = bytes;
    this.gap = gap;
    /** @type {string[]} */
    this.asked = [];
    this.refused = false;
    /** @type {ReadableStreamDefaultController[]} */
    this.followers = [];
  }

  get shown() {
    if (!this.gap) return this.bytes;
    const { from, to } = this.gap;
    return new Uint8Array([...this.bytes.subarray(0, from), ...encode(`\n[chronode: ${to - from} bytes omitted]\n`), ...this.bytes.subarray(to)]);
  }

  /** @param {Uint8Array} bytes */
  write(bytes) {
    this.bytes = new Uint8Array([...this.bytes, ...bytes]);
    for (const follower of this.followers) follower.enqueue(bytes);
  }

  end() {
    for (const follower of this.followers.splice(0)) follower.close();
  }

  /** @param {string} url @param {any} init */
  answer(url, init) {
    const range = init?.headers?.Range ?? "";
    this.asked.push(url.includes("follow=true") ? "follow" : range || "whole");
    if (url.includes("follow=true")) {
      const first = this.shown;
      const body = new ReadableStream({
        start: (controller) => {
          controller.enqueue(first);
          this.followers.push(controller);
        },
        cancel: () => void this.followers.pop(),
      });
      return new Response(body);
    }
    if (!range) return new Response(/** @type {any} */ (this.shown));
    const total = this.bytes.length;
    const [, text, last] = /bytes=(\d*)-(\d*)/.exec(range) ?? [];
    const start = text === "" ? Math.max(0, total - Number(last)) : Number(text);
    const end = Math.min(text === "" || last === "" ? total : Number(last) + 1, total, start + PIECE_BYTES);
    const { from, to } = this.gap ?? { from: Infinity, to: Infinity };
    const first = start >= from && start < to ? to : start;
    const until = first < from ? Math.min(end, from) : end;
    this.refused ||= first >= until;
    if (first >= until) return Response.json({ message: `nothing of this range is kept; ${total} bytes were written`, code: "range_not_satisfiable" }, { status: 416 });
    const headers = { "Content-Range": `bytes ${first}-${until - 1}/${total}`, "Chronode-Omitted": String(first - start) };
    return new Response(/** @type {any} */ (this.bytes.slice(first, until)), { status: 206, headers });
  }
}

const real = globalThis.fetch;
/** @type {Source[]} */
const open = [];
afterEach(() => {
  for (const source of open.splice(0)) source.stop();
  globalThis.fetch = real;
});

/** @param {Written} written */
function source(written) {
  globalThis.fetch = /** @type {any} */ (async (/** @type {string} */ url, /** @type {any} */ init) => written.answer(url, init));
  /** @type {(() => void)[]} */
  const waiting = [];
  const made = new Source("j1-s1", "stdout", 0, () => waiting.splice(0).forEach((wake) => wake()));
  open.push(made);
  /** Until something is so; each change is looked at. @param {() => boolean} holds */
  const until = async (holds) => {
    while (!holds()) await new Promise((resolve) => waiting.push(() => resolve(undefined)));
  };
  return { made, until };
}

/** @param {Source} made */
const text = (made) => made.output.parts.map((part) => (part.kind === "gap" ? `<${part.start}-${part.end}>` : decode(slice(part, part.start, part.end)))).join("");
const numbered = (/** @type {number} */ lines) => encode(Array.from({ length: lines }, (_, index) => `line ${index}\n`).join(""));

test("little output is one request, and none is none", async () => {
  for (const bytes of [numbered(100), encode("")]) {
    const written = new Written(bytes);
    const { made } = source(written);
    await made.begin(true, true);
    assert.deepEqual([text(made), written.asked, made.complete, made.output.total], [decode(bytes), ["whole"], true, bytes.length]);
  }
});

test("of much output the end comes first, and what is before it piece by piece", async () => {
  const bytes = numbered(300_000);
  const written = new Written(bytes);
  const { made } = source(written);
  await made.begin(true, true);
  assert.equal(text(made), decode(bytes.subarray(-PIECE_BYTES)));
  for (let hole = made.output.all()[0]; hole.kind === "hole"; hole = made.output.all()[0]) await made.load(hole.start, hole.end, true);
  assert.equal(text(made), decode(bytes));
  assert.equal(written.asked.length, 2 + Math.ceil((bytes.length - PIECE_BYTES) / (PIECE_BYTES - 64)));
});

test("a gap is found whole, with few requests, from either side", async () => {
  const bytes = numbered(1_000_000);
  const half = 2.5 * PIECE_BYTES;
  const gap = { from: half, to: bytes.length - half };
  const expected = `${decode(bytes.subarray(0, gap.from))}<${gap.from}-${gap.to}>${decode(bytes.subarray(gap.to))}`;
  for (const backwards of [true, false]) {
    const written = new Written(bytes, gap);
    const { made } = source(written);
    await made.begin(true, true);
    for (let tries = 0; tries < 20; tries += 1) {
      const holes = made.output.all().filter((part) => part.kind === "hole");
      const hole = holes[backwards ? holes.length - 1 : 0];
      if (!hole) break;
      await made.load(hole.start, hole.end, backwards);
    }
    assert.equal(text(made), expected, `backwards: ${backwards}`);
    assert.ok(written.asked.length <= 10, written.asked.join(" "));
    assert.ok(!written.refused, "no range was asked for of which nothing is kept");
  }
});

test("how much is kept of more than can be held is found from the middle", async () => {
  const [from, to] = [3 * PIECE_BYTES, 37 * PIECE_BYTES];
  const written = new Written(new Uint8Array(40 * PIECE_BYTES).fill(120), { from, to });
  const { made } = source(written);
  await made.begin(true, true);
  assert.ok(!made.output.fits());
  await made.middle();
  assert.equal(made.output.kept(), 6 * PIECE_BYTES);
  assert.ok(made.output.fits());
  assert.ok(written.asked.length < 15);
});

test("what is written meanwhile is followed to its end, and nothing is there twice", async () => {
  const written = new Written(encode("one\n"));
  const { made, until } = source(written);
  await made.begin(false, true);
  await until(() => written.followers.length === 1);
  written.write(encode("two\nth"));
  await until(() => text(made) === "one\ntwo\nth");
  // Nobody looks, and more is written; then somebody looks again.
  made.pause();
  written.followers.splice(0);
  written.write(encode("ree\n"));
  made.resume();
  await until(() => text(made) === "one\ntwo\nthree\n");
  made.end();
  written.end();
  await until(() => made.complete && !made.standing.live);
  assert.deepEqual(written.asked, ["whole", "follow", "follow"]);
});

test("a command that prints what marks a gap makes none", async () => {
  const words = "before\n[chronode: 4 bytes omitted]\nafter\n";
  const written = new Written(encode(words));
  const { made, until } = source(written);
  await made.begin(false, true);
  await until(() => written.followers.length === 1);
  written.write(encode("[chronode: 9 bytes omitted]\nmore\n"));
  await until(() => text(made) === `${words}[chronode: 9 bytes omitted]\nmore\n`);
  assert.ok(made.output.parts.every((part) => part.kind === "bytes"));
});

test("output with a gap is asked for instead of followed, and positions stay true", async () => {
  const bytes = numbered(2_000);
  const gap = { from: 5_000, to: 9_000 };
  const written = new Written(bytes, gap);
  const { made, until } = source(written);
  await made.begin(false, true);
  await until(() => made.looks);
  const tail = made.output.parts[made.output.parts.length - 1];
  assert.deepEqual([tail.kind, tail.end], ["bytes", bytes.length]);
  made.end();
  await until(() => made.complete);
  assert.equal(text(made), `${decode(bytes.subarray(0, gap.from))}<${gap.from}-${gap.to}>${decode(bytes.subarray(gap.to))}`);
  assert.ok(!written.refused, "no range was asked for of which nothing is kept");
});

test("what is not kept any more is told, and other problems are told and tried again", async () => {
  const { made } = source(new Written(encode("")));
  globalThis.fetch = async () => Response.json({ message: "no output of attempt 0 of run `j1-s1` is kept", code: "no_output" }, { status: 404 });
  await made.begin(true, true);
  assert.deepEqual([made.standing.gone, made.standing.problem], ["no output of attempt 0 of run `j1-s1` is kept", null]);
  const { made: other } = source(new Written(encode("")));
  globalThis.fetch = async () => Response.json({ message: "the output cannot be read; the log says why" }, { status: 500 });
  await other.begin(true, true);
  assert.deepEqual([other.standing.begun, other.standing.problem?.message], [false, "the output cannot be read; the log says why"]);
});
