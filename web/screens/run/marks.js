/** Where a pattern is found in a line that has colours. Pure. */

/**
 * @typedef {import("./ansi.js").Span & {hit: boolean}} Marked
 */

/** Of a line more are not marked. */
const HITS_MAX = 200;

/**
 * @param {import("./ansi.js").Span[]} spans
 * @param {RegExp | null} pattern
 * @returns {Marked[]}
 */
export function marked(spans, pattern) {
  if (!pattern) return spans.map((span) => ({ ...span, hit: false }));
  const text = spans.map((span) => span.text).join("");
  /** @type {[number, number][]} */
  const hits = [];
  for (const match of text.matchAll(new RegExp(pattern.source, `${pattern.flags}g`))) {
    if (match[0]) hits.push([match.index, match.index + match[0].length]);
    if (hits.length === HITS_MAX) break;
  }
  /** @type {Marked[]} */
  const found = [];
  let start = 0;
  let next = 0;
  for (const span of spans) {
    const end = start + span.text.length;
    let at = start;
    while (at < end) {
      while (next < hits.length && hits[next][1] <= at) next += 1;
      const [from, to] = hits[next] ?? [Infinity, Infinity];
      const hit = from <= at;
      const until = Math.min(end, hit ? to : from);
      found.push({ text: span.text.slice(at - start, until - start), style: span.style, hit });
      at = until;
    }
    start = end;
  }
  return found;
}
