/**
 * What is held of one stream of an attempt's output: parts of it, wherever they lie, as bytes, with where their lines
 * begin. A line becomes text only when it is looked at, so that ten million bytes cost little more than ten million
 * bytes. Pure.
 *
 * Positions count the bytes that the command wrote, as in the API. Between parts are gaps, where the server kept nothing,
 * and holes, which have not been asked for yet.
 */

import { strip } from "./ansi.js";

/** What is held at most of one stream; what is farthest from what was added last is let go and is a hole again. */
const BYTES_MAX = 24 * 1024 * 1024;
const LINES_MAX = 1_500_000;
/** Of a longer line only so much is shown. */
const SHOWN_BYTES = 16 * 1024;
/** Smaller blocks are put together. */
const BLOCK_BYTES = 64 * 1024;

const NEWLINE = 10;
const RETURN = 13;
const ESCAPE = 27;

/**
 * @typedef {{cells: number, mode: number, returned: boolean}} Scan where the scan of a line stands
 * @typedef {{kind: "bytes", start: number, end: number, blocks: {start: number, bytes: Uint8Array}[], starts: number[],
 *   cells: number[], scan: Scan}} Bytes `starts` are where lines begin, `cells` how many characters wide they are
 * @typedef {{kind: "gap", start: number, end: number}} Gap
 * @typedef {{kind: "hole", start: number, end: number}} Hole
 * @typedef {{start: number, end: number, text: string, more: number, updates: number}} Line `end` is without the line
 *   break, `more` are bytes that are not shown, `updates` how often the line was written over
 */

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class Output {
  constructor() {
    /** @type {(Bytes | Gap)[]} */
    this.parts = [];
    /** How much was written, as far as is known. */
    this.total = 0;
    /** Changes with everything that changes. */
    this.version = 0;
  }

  /** Up to where anything is known. */
  get end() {
    return this.parts[this.parts.length - 1]?.end ?? 0;
  }

  /**
   * @param {number} position
   * @param {Uint8Array} bytes what is held already of it stays as it is
   */
  add(position, bytes) {
    this.total = Math.max(this.total, position + bytes.length);
    for (const { start, end } of this.#unknown(position, position + bytes.length)) {
      this.#put(start, bytes.subarray(start - position, end - position));
    }
    this.#bound(position);
    this.version += 1;
  }

  /**
   * Nothing was kept between these positions. There is one gap at most, so what lies between two parts of it is of it too.
   * @param {number} from
   * @param {number} to
   */
  gap(from, to) {
    const known = this.parts.find((part) => part.kind === "gap");
    const ranges = this.#unknown(Math.min(from, known?.end ?? from), Math.max(to, known?.start ?? to));
    for (const { start, end } of ranges) {
      const at = this.parts.findIndex((part) => part.start >= end);
      this.parts.splice(at < 0 ? this.parts.length : at, 0, { kind: "gap", start, end });
    }
    for (let index = this.parts.length - 1; index > 0; index -= 1) {
      const [before, part] = [this.parts[index - 1], this.parts[index]];
      if (before.kind !== "gap" || part.kind !== "gap" || before.end !== part.start) continue;
      before.end = part.end;
      this.parts.splice(index, 1);
    }
    this.total = Math.max(this.total, to);
    this.version += 1;
  }

  /** @param {number} total */
  grown(total) {
    if (total <= this.total) return;
    this.total = total;
    this.version += 1;
  }

  /** How much the server keeps at most, as far as is known: where there is a gap, as much before it as behind it. */
  kept() {
    const { parts, total } = this;
    const gap = parts.find((part) => part.kind === "gap");
    return gap ? total - Math.max(gap.end - gap.start, 2 * gap.end - total, total - 2 * gap.start) : total;
  }

  /** Whether there is room for all of it, as far as can be told from what is held. */
  fits() {
    const held = this.parts.filter((part) => part.kind === "bytes");
    const bytes = held.reduce((sum, part) => sum + part.end - part.start, 0);
    const lines = held.reduce((sum, part) => sum + part.starts.length, 0);
    const kept = this.kept();
    return kept < BYTES_MAX * 0.9 && (lines / Math.max(1, bytes)) * kept < LINES_MAX * 0.9;
  }

  /**
   * Everything in order, with the holes.
   * @returns {(Bytes | Gap | Hole)[]}
   */
  all() {
    /** @type {(Bytes | Gap | Hole)[]} */
    const all = [];
    let position = 0;
    for (const part of this.parts) {
      if (part.start > position) all.push({ kind: "hole", start: position, end: part.start });
      all.push(part);
      position = part.end;
    }
    if (this.total > position) all.push({ kind: "hole", start: position, end: this.total });
    return all;
  }

  /**
   * The ranges between two positions of which nothing is known.
   * @param {number} from
   * @param {number} to
   */
  #unknown(from, to) {
    const ranges = [];
    let position = from;
    for (const part of this.parts) {
      if (part.end <= position) continue;
      if (part.start >= to) break;
      if (part.start > position) ranges.push({ start: position, end: part.start });
      position = part.end;
    }
    if (position < to) ranges.push({ start: position, end: to });
    return ranges;
  }

  /**
   * @param {number} start
   * @param {Uint8Array} bytes of which nothing is held
   */
  #put(start, bytes) {
    const after = this.parts.findIndex((part) => part.start >= start + bytes.length);
    const index = after < 0 ? this.parts.length : after;
    const before = this.parts[index - 1];
    let part;
    if (before?.kind === "bytes" && before.end === start) {
      part = before;
    } else {
      part = /** @type {Bytes} */ ({ kind: "bytes", start, end: start, blocks: [], starts: [], cells: [], scan: fresh() });
      this.parts.splice(index, 0, part);
    }
    append(part, bytes);
    const following = this.parts[this.parts.indexOf(part) + 1];
    if (following?.kind === "bytes" && following.start === part.end) {
      join(part, following);
      this.parts.splice(this.parts.indexOf(following), 1);
    }
  }

  /**
   * Lets go of what is farthest from a position while too much is held.
   * @param {number} position
   */
  #bound(position) {
    const held = () => this.parts.filter((part) => part.kind === "bytes");
    const bytes = () => held().reduce((sum, part) => sum + part.end - part.start, 0);
    const lines = () => held().reduce((sum, part) => sum + part.starts.length, 0);
    while (bytes() > BYTES_MAX || lines() > LINES_MAX) {
      const first = held()[0];
      const last = held()[held().length - 1];
      const fromFront = position - first.start > last.end - position;
      const part = fromFront ? first : last;
      if (part.starts.length < 2) this.parts.splice(this.parts.indexOf(part), 1);
      else if (fromFront) cutFront(part);
      else cutBack(part);
      if (!this.parts.some((each) => each.kind === "bytes")) return;
    }
  }
}

/** @returns {Scan} */
const fresh = () => ({ cells: 0, mode: 0, returned: false });

/**
 * @param {Bytes} part
 * @param {Uint8Array} bytes that follow it
 */
function append(part, bytes) {
  const start = part.end;
  const last = part.blocks[part.blocks.length - 1];
  const inLine = part.end > part.start && last.bytes[last.bytes.length - 1] !== NEWLINE;
  if (last && last.bytes.length + bytes.length <= BLOCK_BYTES) {
    const joined = new Uint8Array(last.bytes.length + bytes.length);
    joined.set(last.bytes);
    joined.set(bytes, last.bytes.length);
    last.bytes = joined;
  } else {
    // A copy, so that a small part does not keep the large buffer that it came in.
    part.blocks.push({ start, bytes: bytes.slice() });
  }
  part.end += bytes.length;
  scan(bytes, start, part, inLine);
}

/**
 * Finds where lines begin and how wide they are.
 * @param {Uint8Array} bytes
 * @param {number} base the position of the first
 * @param {{starts: number[], cells: number[], scan: Scan}} into
 * @param {boolean} inLine whether the bytes go on with a line that is known
 */
function scan(bytes, base, into, inLine) {
  const { starts, cells } = into;
  let { cells: width, mode, returned } = into.scan;
  let open = inLine;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (!open) {
      starts.push(base + index);
      cells.push(0);
      width = 0;
      mode = 0;
      returned = false;
      open = true;
    }
    if (byte === NEWLINE) {
      cells[cells.length - 1] = width;
      open = false;
    } else if (byte === RETURN) {
      returned = true;
    } else {
      if (returned) {
        returned = false;
        width = 0;
      }
      if (mode === 0) {
        if (byte === ESCAPE) mode = 1;
        else if (byte === 9) width += 8 - (width % 8);
        // The first byte of a character that is wide in nearly every font, and any first byte; others add nothing.
        else if (byte >= 0xe3) width += 2;
        else if (byte < 0x80 || byte >= 0xc0) width += 1;
      } else if (mode === 1) {
        mode = byte === 0x5b ? 2 : byte === 0x5d || byte === 0x50 || byte === 0x58 || byte === 0x5e || byte === 0x5f ? 3 : byte >= 0x20 && byte < 0x30 ? 1 : 0;
      } else if (mode === 2) {
        if (byte >= 0x40 && byte < 0x7f) mode = 0;
      } else if (byte === 7) {
        mode = 0;
      } else if (byte === ESCAPE) {
        mode = 1;
      }
    }
  }
  if (open) cells[cells.length - 1] = width;
  into.scan = { cells: width, mode, returned };
}

/**
 * Two parts that lie against each other become the first.
 * @param {Bytes} part
 * @param {Bytes} following
 */
function join(part, following) {
  const last = part.blocks[part.blocks.length - 1];
  const inLine = last.bytes[last.bytes.length - 1] !== NEWLINE;
  const skipped = inLine ? 1 : 0;
  const lineStart = part.starts[part.starts.length - 1];
  part.blocks = part.blocks.concat(following.blocks);
  part.end = following.end;
  part.starts = part.starts.concat(skipped ? following.starts.slice(1) : following.starts);
  part.cells = part.cells.concat(skipped ? following.cells.slice(1) : following.cells);
  part.scan = following.scan;
  if (!inLine) return;
  // The line that was in both is measured as a whole.
  const line = { starts: [], cells: /** @type {number[]} */ ([]), scan: fresh() };
  scan(slice(part, lineStart, following.starts[1] ?? following.end), lineStart, line, false);
  part.cells[part.starts.length - following.starts.length] = line.cells[0];
  if (following.starts.length === 1) part.scan = line.scan;
}

/** @param {Bytes} part */
function cutFront(part) {
  const target = part.start + Math.max(1, Math.min(1024 * 1024, (part.end - part.start) / 2));
  const index = Math.max(1, Math.min(part.starts.length - 1, lineAt(part, target)));
  part.start = part.starts[index];
  part.starts = part.starts.slice(index);
  part.cells = part.cells.slice(index);
  part.blocks = part.blocks.filter((block) => block.start + block.bytes.length > part.start);
}

/** @param {Bytes} part */
function cutBack(part) {
  const target = part.end - Math.max(1, Math.min(1024 * 1024, (part.end - part.start) / 2));
  const index = Math.max(1, lineAt(part, target));
  part.end = part.starts[index];
  part.starts.length = index;
  part.cells.length = index;
  part.blocks = part.blocks.filter((block) => block.start < part.end);
  const last = part.blocks[part.blocks.length - 1];
  last.bytes = last.bytes.slice(0, part.end - last.start);
  part.scan = fresh();
}

/**
 * The index of the line in which a position is; the last that begins before it.
 * @param {{starts: number[]}} part
 * @param {number} position
 */
export function lineAt(part, position) {
  let low = 0;
  let high = part.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (part.starts[middle] <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * @param {Bytes} part
 * @param {number} from
 * @param {number} to
 * @returns {Uint8Array}
 */
export function slice(part, from, to) {
  const { blocks } = part;
  let low = 0;
  let high = blocks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (blocks[middle].start <= from) low = middle;
    else high = middle - 1;
  }
  const first = blocks[low];
  if (!first) return new Uint8Array();
  if (to <= first.start + first.bytes.length) return first.bytes.subarray(from - first.start, to - first.start);
  const joined = new Uint8Array(to - from);
  for (let index = low; index < blocks.length && blocks[index].start < to; index += 1) {
    const { start, bytes } = blocks[index];
    const piece = bytes.subarray(Math.max(0, from - start), Math.min(bytes.length, to - start));
    joined.set(piece, Math.max(start, from) - from);
  }
  return joined;
}

/** @param {Uint8Array} bytes */
export const decode = (bytes) => decoder.decode(bytes);

/**
 * @param {Bytes} part
 * @param {number} index
 * @returns {Line}
 */
export function line(part, index) {
  const start = part.starts[index];
  const next = part.starts[index + 1] ?? part.end;
  const broken = slice(part, next - 1, next)[0] === NEWLINE;
  const end = broken ? next - 1 : next;
  const from = end - start > SHOWN_BYTES && lastReturn(part, start, end) >= 0 ? lastReturn(part, start, end) + 1 : start;
  const to = Math.min(end, from + SHOWN_BYTES);
  const { text, updates } = settled(decode(slice(part, from, to)));
  return { start, end, text, more: end - to, updates: updates + (from > start ? 1 : 0) };
}

/**
 * The last carriage return that something follows, near the end of a line that is too long to be looked at as a whole.
 * @param {Bytes} part
 * @param {number} start
 * @param {number} end
 */
function lastReturn(part, start, end) {
  const from = Math.max(start, end - SHOWN_BYTES);
  const bytes = slice(part, from, end);
  const found = bytes.lastIndexOf(RETURN, bytes.length - 2);
  return found < 0 ? -1 : from + found;
}

/**
 * What stays of a line that was written over with carriage returns: what was written last.
 * @param {string} text
 */
export function settled(text) {
  if (!text.includes("\r")) return { text, updates: 0 };
  const versions = text.split("\r").filter(Boolean);
  return { text: versions[versions.length - 1] ?? "", updates: Math.max(0, versions.length - 1) };
}

/**
 * What is read of a line: without control sequences and what was written over.
 * @param {string} text
 */
export const readableText = (text) => strip(settled(text).text);

/**
 * Control characters as pictures of themselves, so that nothing in a line is invisible.
 * @param {string} text
 */
// eslint-disable-next-line no-control-regex
export const visible = (text) => text.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, (found) => (found === "\x7f" ? "\u2421" : String.fromCharCode(0x2400 + found.charCodeAt(0))));
