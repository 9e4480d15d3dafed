/** Why a text is no JSON, and where: browsers say it in their own words, and not all say where. Pure. */

const BLANK = /[ \t\r\n]*/y;
const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
/** Deeper than the server takes. */
const DEEPEST = 200;

/** @typedef {import("./place.js").Fault} Fault */

/**
 * @param {string} text
 * @returns {Fault | null} null: it is JSON, with no key twice
 */
export function check(text) {
  const reader = { text, at: 0 };
  try {
    value(reader, 0);
    blank(reader);
    if (reader.at < text.length) throw fault(reader.at, "nothing may follow the closing brace");
    return null;
  } catch (error) {
    if (error instanceof Wrong) return { message: error.message, at: error.at };
    throw error;
  }
}

class Wrong extends Error {
  /**
   * @param {number} at
   * @param {string} message
   */
  constructor(at, message) {
    super(message);
    this.at = at;
  }
}

/**
 * @param {number} at
 * @param {string} message
 */
const fault = (at, message) => new Wrong(at, message);

/** @typedef {{text: string, at: number}} Reader */

/**
 * @param {Reader} reader
 * @param {RegExp} pattern
 */
function take(reader, pattern) {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text);
  if (!found) return null;
  reader.at = pattern.lastIndex;
  return found[0];
}

/** @param {Reader} reader */
const blank = (reader) => void take(reader, BLANK);

/**
 * @param {Reader} reader
 * @param {number} depth
 */
function value(reader, depth) {
  blank(reader);
  const first = reader.text[reader.at];
  if (depth > DEEPEST) throw fault(reader.at, "it is nested too deep");
  if (first === undefined) throw fault(reader.at, "the text ends where a value should be");
  if (first === "{") return members(reader, depth, "}", () => key(reader));
  if (first === "[") return members(reader, depth, "]", () => null);
  if (first === '"') return void text(reader);
  if (take(reader, NUMBER) === null && take(reader, WORD) === null) {
    throw fault(reader.at, first === "'" ? 'texts stand in double quotes: "' : "here should be a value: a text in double quotes, a number, true, false, null, [ or {");
  }
}

/** @param {Reader} reader */
function text(reader) {
  const start = reader.at;
  const found = take(reader, TEXT);
  if (found !== null) return found;
  const line = /"(?:[^"\\\u0000-\u001f]|\\.)*/y;
  line.lastIndex = start;
  line.exec(reader.text);
  const ends = reader.text[line.lastIndex] === '"' ? start : line.lastIndex;
  throw fault(ends, ends === start ? "this text has a \\ that nothing known follows" : "this text does not end: a closing quote is missing");
}

/**
 * @param {Reader} reader
 * @returns {string}
 */
function key(reader) {
  if (reader.text[reader.at] !== '"') throw fault(reader.at, "here should be the name of a field, in double quotes");
  const name = text(reader);
  blank(reader);
  if (reader.text[reader.at] !== ":") throw fault(reader.at, "here should be a colon");
  reader.at += 1;
  return JSON.parse(name);
}

/**
 * @param {Reader} reader
 * @param {number} depth
 * @param {string} close
 * @param {() => string | null} begin reads what stands in front of a value
 */
function members(reader, depth, close, begin) {
  reader.at += 1;
  blank(reader);
  if (reader.text[reader.at] === close) {
    reader.at += 1;
    return;
  }
  /** @type {Set<string>} */
  const known = new Set();
  for (;;) {
    blank(reader);
    const start = reader.at;
    if (reader.text[start] === close) throw fault(start, `a comma in front of ${close} is one too many`);
    const name = begin();
    if (name !== null && known.has(name)) throw fault(start, `\`${name}\` is said twice`);
    if (name !== null) known.add(name);
    value(reader, depth + 1);
    blank(reader);
    const next = reader.text[reader.at];
    if (next === undefined) throw fault(reader.at, `the text ends where a comma or ${close} should be`);
    if (next !== "," && next !== close) throw fault(reader.at, `here should be a comma or ${close}`);
    reader.at += 1;
    if (next === close) return;
  }
}
