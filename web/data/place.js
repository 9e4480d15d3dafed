/** Places in texts: where a text is wrong, and where in it a field is said. Pure. */

import { EVENT_ALIAS, EVENT_DOCUMENT, EVENT_MAPPING, EVENT_SCALAR, EVENT_SEQUENCE, getScalarValue, load, parseEvents } from "../vendor/yaml.js";
import { check } from "./json.js";

/**
 * @typedef {{start: number, end: number}} Span places count as JavaScript counts them
 * @typedef {{message: string, at: number | null}} Fault
 */

/**
 * Line and column of a place, both from 1.
 * @param {string} text
 * @param {number} at
 */
export function lineAndColumn(text, at) {
  const before = text.slice(0, Math.max(0, at));
  const line = before.split("\n").length;
  return { line, column: before.length - before.lastIndexOf("\n") };
}

/**
 * The place of a byte: the server counts the bytes of UTF-8.
 * @param {string} text
 * @param {number} byte
 */
export function placeOfByte(text, byte) {
  let bytes = 0;
  let place = 0;
  for (const character of text) {
    if (bytes >= byte) break;
    bytes += new TextEncoder().encode(character).length;
    place += character.length;
  }
  return place;
}

/**
 * Reads a definition.
 * @param {string} text
 * @param {"json" | "yaml"} language
 * @returns {{value: Record<string, any>} | {fault: Fault}}
 */
export function read(text, language) {
  let value;
  if (language === "json") {
    const fault = check(text);
    if (fault) return { fault };
    value = JSON.parse(text);
  } else {
    try {
      value = load(text);
    } catch (error) {
      const { reason, message, mark } = /** @type {any} */ (error);
      return { fault: { message: reason ?? message, at: mark?.position ?? null } };
    }
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { fault: { message: "a job is an object with fields such as `name`", at: 0 } };
  }
  return { value };
}

/**
 * Where a text says a field such as `calendars[0].use`: the value, or what is nearest to it of what there is. JSON is read
 * as the YAML that it is.
 * @param {string} text
 * @param {string} field
 * @returns {Span | null}
 */
export function locate(text, field) {
  let events;
  try {
    events = parseEvents(text);
  } catch {
    return null;
  }
  const steps = [...field.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map((match) => (match[1] === undefined ? match[0] : Number(match[1])));
  if (steps.length === 0) return null;
  const reader = { events, text, next: 0 };
  while (reader.next < events.length && events[reader.next].type === EVENT_DOCUMENT) reader.next += 1;
  return find(reader, steps, null);
}

/**
 * @typedef {{events: any[], text: string, next: number}} Reader
 */

/**
 * Looks for `steps` in the value that is next; goes past it if that is not where they lead.
 * @param {Reader} reader
 * @param {(string | number)[]} steps
 * @param {Span | null} nearest the key under which the value stands
 * @returns {Span | null}
 */
function find(reader, steps, nearest) {
  const event = reader.events[reader.next];
  if (!event) return nearest;
  const own = event.type === EVENT_SCALAR ? { start: event.valueStart, end: Math.max(event.valueStart, event.valueEnd) } : nearest;
  if (steps.length === 0 || (event.type !== EVENT_MAPPING && event.type !== EVENT_SEQUENCE)) return own;
  reader.next += 1;
  // What a collection inside lacks is looked for where that begins.
  if (nearest) nearest = { start: event.start, end: event.start + 1 };
  const [step, ...rest] = steps;
  for (let index = 0; ; index += 1) {
    const item = reader.events[reader.next];
    if (!item || !isValue(item)) return nearest;
    if (event.type === EVENT_SEQUENCE) {
      if (index === step) return find(reader, rest, nearest);
      pass(reader);
      continue;
    }
    const key = item.type === EVENT_SCALAR ? String(getScalarValue(reader.text, item)) : null;
    const place = item.type === EVENT_SCALAR ? { start: item.valueStart, end: item.valueEnd } : nearest;
    pass(reader);
    if (key === step) return find(reader, rest, place);
    pass(reader);
  }
}

/** @param {any} event */
function isValue(event) {
  return [EVENT_SCALAR, EVENT_ALIAS, EVENT_MAPPING, EVENT_SEQUENCE].includes(event.type);
}

/**
 * Goes past one value and all in it.
 * @param {Reader} reader
 */
function pass(reader) {
  let depth = 0;
  do {
    const event = reader.events[reader.next];
    if (!event) return;
    reader.next += 1;
    if (event.type === EVENT_MAPPING || event.type === EVENT_SEQUENCE) depth += 1;
    else if (!isValue(event)) depth -= 1;
  } while (depth > 0);
}
