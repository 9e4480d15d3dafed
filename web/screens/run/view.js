/**
 * The rows of a log: lines of one stream or of both, gaps and holes. Pure.
 *
 * A view is made of segments, each a range of one stream. Shown together, two streams are in the order in which their
 * parts came; within each the order is its own.
 */

import { decode, lineAt, readableText, slice } from "./lines.js";

/**
 * @typedef {import("./lines.js").Output} Output
 * @typedef {{stream: string, output: Output, from: number, to: number}} Segment lines that begin in `from..to`
 * @typedef {object} Piece rows of one kind that follow each other
 * @property {"lines" | "gap" | "hole"} kind
 * @property {string} stream
 * @property {Output} output
 * @property {number} start a position
 * @property {number} end
 * @property {number} row the first
 * @property {number} count
 * @property {import("./lines.js").Bytes | null} part of lines
 * @property {number} first index of the first line in it
 * @property {boolean} open of a gap, whether what is beside it is not loaded, so that it may be longer
 * @property {number | null} number of the first line, counted from 1; null where not all of what is before it is known
 */

export class View {
  /** @param {Segment[]} segments */
  constructor(segments) {
    /** @type {Piece[]} */
    this.pieces = [];
    this.rows = 0;
    /** @type {Map<Output, {at: number | null, all: ReturnType<Output["all"]>, firsts: (number | null)[]}>} */
    const known = new Map();
    for (const segment of segments) this.#add(segment, known);
  }

  /**
   * @param {Segment} segment
   * @param {Map<Output, any>} known
   */
  #add({ stream, output, from, to }, known) {
    if (!known.has(output)) known.set(output, numbered(output));
    const { all, firsts } = known.get(output);
    for (let place = 0; place < all.length; place += 1) {
      const part = all[place];
      if (part.end <= from && part.end > part.start) continue;
      if (part.start >= to) break;
      const open = all[place - 1]?.kind === "hole" || all[place + 1]?.kind === "hole";
      const shared = { stream, output, row: this.rows, open };
      if (part.kind === "bytes") {
        const first = part.start >= from ? 0 : after(part.starts, from);
        const last = part.end <= to ? part.starts.length : after(part.starts, to);
        if (last <= first) continue;
        const number = firsts[place] === null ? null : firsts[place] + first;
        const piece = { kind: /** @type {const} */ ("lines"), start: part.starts[first], end: part.starts[last] ?? part.end, count: last - first, part, first, number, ...shared };
        this.pieces.push(piece);
      } else if (part.start >= from) {
        this.pieces.push({ kind: part.kind, start: part.start, end: part.end, count: 1, part: null, first: 0, number: null, ...shared });
      } else {
        continue;
      }
      this.rows += this.pieces[this.pieces.length - 1].count;
    }
  }

  /**
   * @param {number} row
   * @returns {{piece: Piece, index: number} | null} `index` of the line in its part
   */
  at(row) {
    if (row < 0 || row >= this.rows) return null;
    let low = 0;
    let high = this.pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.pieces[middle].row <= row) low = middle;
      else high = middle - 1;
    }
    const piece = this.pieces[low];
    return { piece, index: piece.first + row - piece.row };
  }

  /**
   * The row of a position, or -1.
   * @param {string} stream
   * @param {number} position
   */
  rowOf(stream, position) {
    for (const piece of this.pieces) {
      if (piece.stream !== stream || position < piece.start || position >= piece.end) continue;
      return piece.part ? piece.row + Math.max(0, lineAt(piece.part, position) - piece.first) : piece.row;
    }
    return -1;
  }

  /**
   * The row of the line with a number, or -1 while it is not loaded.
   * @param {string} stream
   * @param {number} number
   */
  rowOfNumber(stream, number) {
    for (const piece of this.pieces) {
      if (piece.stream !== stream || piece.number === null) continue;
      if (number >= piece.number && number < piece.number + piece.count) return piece.row + number - piece.number;
    }
    return -1;
  }

  /**
   * How many rows of text stand before each row when lines are broken after so many characters; one more than rows.
   * @param {number} columns
   */
  heights(columns) {
    const heights = new Int32Array(this.rows + 1);
    let sum = 0;
    let row = 0;
    for (const { part, first, count } of this.pieces) {
      for (let index = first; index < first + count; index += 1) {
        heights[row] = sum;
        row += 1;
        const cells = part ? Math.min(part.cells[index], 16 * 1024) : 1;
        sum += cells > columns ? Math.ceil(cells / columns) : 1;
      }
    }
    heights[row] = sum;
    return heights;
  }

  /** How many characters the widest line has. */
  widest() {
    let widest = 60;
    for (const { part, first, count } of this.pieces) {
      for (let index = first; part && index < first + count; index += 1) if (part.cells[index] > widest) widest = part.cells[index];
    }
    return Math.min(widest, 16 * 1024);
  }

  /** Bytes of it that were not kept, as far as is known. */
  dropped() {
    return this.pieces.reduce((sum, { kind, start, end }) => sum + (kind === "gap" ? end - start : 0), 0);
  }

  /** The holes in it, in order. */
  holes() {
    return this.pieces.filter((piece) => piece.kind === "hole");
  }
}

/**
 * The first index at which a value is not smaller.
 * @param {number[]} values in order
 * @param {number} least
 */
function after(values, least) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The number of the first line of each part, as long as nothing before it is missing: how many lines were in a gap, nobody
 * knows.
 * @param {Output} output
 */
function numbered(output) {
  const all = output.all();
  /** @type {number | null} */
  let at = 1;
  const firsts = all.map((part) => {
    const first = at;
    if (part.kind !== "bytes") at = null;
    else if (at !== null) at += part.starts.length;
    return first;
  });
  return { all, firsts };
}

/** So much is looked at before others get their turn. */
const SEARCHED_BYTES = 256 * 1024;

/**
 * Where lines match, in order, in steps: each yields what was found in it.
 * @param {View} view
 * @param {RegExp} pattern
 * @returns {Generator<{stream: string, position: number}[]>}
 */
export function* search(view, pattern) {
  const global = new RegExp(pattern.source, [...new Set(`${pattern.flags}g`)].join(""));
  for (const { kind, part, stream, first, count } of view.pieces) {
    if (kind !== "lines" || !part) continue;
    let index = first;
    const last = first + count;
    while (index < last) {
      let next = Math.max(index + 1, Math.min(last, after(part.starts, part.starts[index] + SEARCHED_BYTES)));
      const text = decode(slice(part, part.starts[index], part.starts[next] ?? part.end));
      yield matches(text, global).map((place) => ({ stream, position: part.starts[index + place] }));
      index = next;
    }
  }
}

/**
 * The indices of the lines in a text that match.
 * @param {string} text
 * @param {RegExp} pattern global
 */
function matches(text, pattern) {
  /** @type {number[]} */
  const found = [];
  if (text.includes("\x1b") || text.includes("\r")) {
    text.split("\n").forEach((each, index) => {
      pattern.lastIndex = 0;
      if (pattern.test(readableText(each))) found.push(index);
    });
    return found;
  }
  let index = 0;
  let counted = 0;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    for (let at = text.indexOf("\n", counted); at >= 0 && at < match.index; at = text.indexOf("\n", counted)) {
      index += 1;
      counted = at + 1;
    }
    found.push(index);
    const end = text.indexOf("\n", match.index);
    if (end < 0) break;
    pattern.lastIndex = end + 1;
  }
  return found;
}

/**
 * A pattern for a text as typed: the text itself, in either case.
 * @param {string} typed
 */
export const literal = (typed) => new RegExp(typed.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");

/** What looks like something that went wrong. */
export const WRONG = /error|fail/i;

/**
 * All that is loaded of a view, as text without control sequences.
 * @param {View} view
 */
export function textOf(view) {
  const lines = [];
  for (const { kind, part, first, count, start, end } of view.pieces) {
    if (kind === "gap") lines.push(`[chronode: ${end - start} bytes omitted]`);
    else if (kind === "hole") lines.push(`[${end - start} bytes not loaded]`);
    else if (part) {
      const text = decode(slice(part, part.starts[first], part.starts[first + count] ?? part.end));
      const split = text.split("\n");
      if (split[split.length - 1] === "") split.pop();
      for (const each of split) lines.push(readableText(each));
    }
  }
  return lines.length ? `${lines.join("\n")}\n` : "";
}
