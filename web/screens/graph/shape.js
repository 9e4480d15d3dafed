/** Lines of the picture as texts for SVG, and names as they fit. Pure. */

/** Room for the glyph and for the edges of a node, in units of the graph. */
const BESIDE_NAME = 36;
/** Width of a letter of the font of fixed width in which names are drawn. */
const LETTER = 7.25;

/**
 * @param {number} value
 */
const short = (value) => Math.round(value * 10) / 10;

/**
 * An edge as a curve that leaves and arrives horizontally.
 * @param {[number, number][]} points
 */
export function curve(points) {
  if (points.length < 2) return "";
  let text = `M${short(points[0][0])} ${short(points[0][1])}`;
  for (let index = 1; index < points.length; index += 1) {
    const [x0, y0] = points[index - 1];
    const [x1, y1] = points[index];
    const half = (x1 - x0) / 2;
    if (half <= 0 || Math.abs(y1 - y0) < 0.5) text += `L${short(x1)} ${short(y1)}`;
    else text += `C${short(x0 + half)} ${short(y0)} ${short(x1 - half)} ${short(y1)} ${short(x1)} ${short(y1)}`;
  }
  return text;
}

/**
 * The same as straight lines, for pictures so small that nobody could tell.
 * @param {[number, number][]} points
 */
export const rough = (points) => points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${Math.round(x)} ${Math.round(y)}`).join("");

/**
 * The head of an arrow at the last of the points, pointing right.
 * @param {[number, number][]} points
 */
export function arrow(points) {
  const [x, y] = points[points.length - 1];
  return `M${short(x)} ${short(y)}l-7 -4v8z`;
}

/**
 * @param {{x: number, y: number, width: number, height: number}} node
 */
export function rectangle({ x, y, width, height }) {
  return `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}z`;
}

/**
 * A mark in the middle of a node that tells tones apart where no glyph could be read.
 * @param {{x: number, y: number, width: number, height: number}} node
 * @param {string} tone
 */
export function mark({ x, y, width, height }, tone) {
  const middle = short(x + width / 2);
  const centre = short(y + height / 2);
  const half = short(height * 0.32);
  if (tone === "bad") return `M${middle - half} ${centre - half}l${2 * half} ${2 * half}m0 ${-2 * half}l${-2 * half} ${2 * half}`;
  if (tone === "running") return `M${middle - half} ${centre - half}l${2 * half} ${half}l${-2 * half} ${half}z`;
  if (tone === "late") return `M${middle - half / 2} ${centre - half}v${2 * half}m${half} 0v${-2 * half}`;
  if (tone === "good") return `M${middle - half} ${centre}l${half * 0.7} ${half * 0.7}l${half * 1.3} ${-1.4 * half}`;
  return `M${middle - half} ${centre}h${2 * half}`;
}

/** Letters that take the room of two: the scripts of East Asia, and pictures. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/**
 * A text in the room of so many letters: what is too much is left out in the middle, because the ends of names differ.
 * @param {string} text
 * @param {number} room
 */
export function shortened(text, room) {
  const letters = [...text];
  const width = (/** @type {string} */ letter) => (WIDE.test(letter) ? 2 : 1);
  let whole = 0;
  for (const letter of letters) whole += width(letter);
  if (whole <= room) return text;
  const half = (room - 1) / 2;
  let before = "";
  let used = 0;
  for (const letter of letters) {
    if (used + width(letter) > Math.ceil(half)) break;
    before += letter;
    used += width(letter);
  }
  let behind = "";
  for (const letter of letters.reverse()) {
    if (used + width(letter) > room - 1) break;
    behind = letter + behind;
    used += width(letter);
  }
  return `${before}…${behind}`;
}

/**
 * The name as it fits into its node.
 * @param {string} name
 * @param {number} width of the node
 */
export const nameIn = (name, width) => shortened(name, Math.max(5, Math.floor((width - BESIDE_NAME) / LETTER)));
