/** What is in a sentence of the server besides words: instants, runs, names. Pure. */

/**
 * @typedef {{kind: "text" | "instant" | "run" | "code", text: string}} Piece
 */

const PIECES = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)|\b(j\d+-[smpbr]-?\d+)\b|`([^`]*)`/g;

/**
 * @param {string} sentence
 * @returns {Piece[]}
 */
export function pieces(sentence) {
  /** @type {Piece[]} */
  const found = [];
  let end = 0;
  for (const match of sentence.matchAll(PIECES)) {
    if (match.index > end) found.push({ kind: "text", text: sentence.slice(end, match.index) });
    const [, instant, run, code] = match;
    if (instant !== undefined) found.push({ kind: "instant", text: instant });
    else if (run !== undefined) found.push({ kind: "run", text: run });
    else found.push({ kind: "code", text: code });
    end = match.index + match[0].length;
  }
  if (end < sentence.length) found.push({ kind: "text", text: sentence.slice(end) });
  return found;
}
