/**
 * What terminals read between the characters: colours and weights become styles, all other control sequences are left
 * out. Pure.
 *
 * Colours of the 16 are named, so that each theme shows its own; any other colour is a pair of one for light grounds and
 * one for dark ones, because a command cannot know which the reader has.
 */

/**
 * @typedef {{r: number, g: number, b: number}} Rgb
 * @typedef {number | Rgb | null} Colour a number is one of the 16 names
 * @typedef {{fg: Colour, bg: Colour, bold: boolean, dim: boolean, italic: boolean, underline: boolean, inverse: boolean,
 *   strike: boolean}} Style
 * @typedef {{text: string, style: Style | null}} Span
 */

/** @type {Style} */
const PLAIN = { fg: null, bg: null, bold: false, dim: false, italic: false, underline: false, inverse: false, strike: false };

/**
 * A control sequence: with parameters (CSI), with a text up to a bell or a string terminator (OSC and its like), or a
 * short one. One that is cut off at the end is taken whole, so that no half of it is shown.
 */
// eslint-disable-next-line no-control-regex
const SEQUENCE = /\x1b(?:\[([0-9:;<=>?]*)[ -/]*([@-~]|$)|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)|[ -/]*[0-~]|$)/g;

/**
 * The text without control sequences.
 * @param {string} text
 */
export function strip(text) {
  return text.includes("\x1b") ? text.replace(SEQUENCE, "") : text;
}

/**
 * @param {string} text without line breaks
 * @param {Style | null} [style] what was chosen before it
 * @returns {{spans: Span[], style: Style | null}} with what holds after it
 */
export function parse(text, style = null) {
  if (!text.includes("\x1b")) return { spans: text ? [{ text, style }] : [], style };
  /** @type {Span[]} */
  const spans = [];
  let from = 0;
  const add = (/** @type {string} */ part) => {
    const last = spans[spans.length - 1];
    if (!part) return;
    if (last && last.style === style) last.text += part;
    else spans.push({ text: part, style });
  };
  for (const match of text.matchAll(SEQUENCE)) {
    add(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === "m" && !/[<=>?]/.test(match[1])) style = select(style, match[1]);
  }
  add(text.slice(from));
  return { spans, style };
}

/**
 * The style after a selection of graphic rendition.
 * @param {Style | null} before
 * @param {string} parameters
 * @returns {Style | null} null is plain
 */
function select(before, parameters) {
  const style = { ...(before ?? PLAIN) };
  const groups = parameters.split(";").map((group) => group.split(":").map((each) => (each === "" ? 0 : Number(each))));
  for (let index = 0; index < groups.length; index += 1) {
    const [code, ...sub] = groups[index];
    if (code === 38 || code === 48 || code === 58) {
      // Behind semicolons the colour is in the next groups, behind colons in this one, there perhaps with a colour space.
      const rest = sub.length ? (sub[0] === 2 && sub.length > 4 ? [2, ...sub.slice(-3)] : sub) : groups.slice(index + 1).map(([each]) => each);
      const { colour, used } = extended(rest);
      if (!sub.length) index += used;
      if (code === 38) style.fg = colour;
      else if (code === 48) style.bg = colour;
    } else if (code === 4 && sub[0] === 0) {
      style.underline = false;
    } else {
      simple(style, code);
    }
  }
  return same(style, PLAIN) ? null : style;
}

/**
 * @param {Style} style changed
 * @param {number} code
 */
function simple(style, code) {
  if (code === 0) Object.assign(style, PLAIN);
  else if (code === 1) style.bold = true;
  else if (code === 2) style.dim = true;
  else if (code === 3) style.italic = true;
  else if (code === 4 || code === 21) style.underline = true;
  else if (code === 7) style.inverse = true;
  else if (code === 9) style.strike = true;
  else if (code === 22) Object.assign(style, { bold: false, dim: false });
  else if (code === 23) style.italic = false;
  else if (code === 24) style.underline = false;
  else if (code === 27) style.inverse = false;
  else if (code === 29) style.strike = false;
  else if (code >= 30 && code <= 37) style.fg = code - 30;
  else if (code === 39) style.fg = null;
  else if (code >= 40 && code <= 47) style.bg = code - 40;
  else if (code === 49) style.bg = null;
  else if (code >= 90 && code <= 97) style.fg = code - 82;
  else if (code >= 100 && code <= 107) style.bg = code - 92;
}

/**
 * @param {number[]} rest what follows 38 or 48
 * @returns {{colour: Colour, used: number}}
 */
function extended(rest) {
  if (rest[0] === 5) return { colour: indexed(rest[1] ?? 0), used: 2 };
  if (rest[0] === 2) {
    const [r, g, b] = [1, 2, 3].map((place) => Math.min(255, Math.max(0, rest[place] || 0)));
    return { colour: { r, g, b }, used: 4 };
  }
  return { colour: null, used: 0 };
}

/**
 * One of the 256: 16 names, a cube of 6 steps, and 24 greys.
 * @param {number} index
 * @returns {Colour}
 */
function indexed(index) {
  if (!(index >= 0 && index <= 255)) return null;
  if (index < 16) return index;
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return { r: grey, g: grey, b: grey };
  }
  const [r, g, b] = [36, 6, 1].map((step) => Math.floor((index - 16) / step) % 6).map((level) => (level ? 55 + level * 40 : 0));
  return { r, g, b };
}

/**
 * @param {Style} a
 * @param {Style} b
 */
function same(a, b) {
  return a.fg === b.fg && a.bg === b.bg && a.bold === b.bold && a.dim === b.dim && a.italic === b.italic && a.underline === b.underline && a.inverse === b.inverse && a.strike === b.strike;
}

/** Grounds of the two themes, as luminances. */
const LIGHT_GROUND = 1;
const DARK_GROUND = 0.014;
/** WCAG AA for text. */
const CONTRAST = 4.5;

/**
 * How a span is shown: class names, and colours that have none.
 * @param {Style | null} style
 * @returns {{names: string, style: Record<string, string> | undefined}}
 */
export function shown(style) {
  if (!style) return { names: "", style: undefined };
  const names = [];
  /** @type {Record<string, string>} */
  const own = {};
  const [fg, bg] = style.inverse ? [style.bg, style.fg] : [style.fg, style.bg];
  if (style.inverse && fg === null && bg === null) names.push("inverse");
  else if (style.inverse && fg === null) names.push("on-ground");
  if (typeof fg === "number") names.push(`fg${style.bold && fg < 8 && !style.inverse ? fg + 8 : fg}`);
  else if (fg) own.color = bg === null ? `light-dark(${css(readable(fg, LIGHT_GROUND))}, ${css(readable(fg, DARK_GROUND))})` : css(fg);
  if (typeof bg === "number") names.push(`bg${bg}`);
  else if (bg) {
    own.backgroundColor = css(bg);
    // The text that the theme would choose may be of the same lightness.
    if (fg === null) own.color = luminance(bg) > 0.2 ? "#000" : "#fff";
  }
  for (const name of /** @type {const} */ (["bold", "dim", "italic", "underline", "strike"])) if (style[name]) names.push(name);
  return { names: names.join(" "), style: Object.keys(own).length ? own : undefined };
}

/** @param {Rgb} colour */
const css = ({ r, g, b }) => `rgb(${Math.round(r)} ${Math.round(g)} ${Math.round(b)})`;

/**
 * Relative luminance, by WCAG.
 * @param {Rgb} colour
 */
export function luminance({ r, g, b }) {
  const [x, y, z] = [r, g, b].map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}

/**
 * The colour, moved towards black or white until it can be read on a ground.
 * @param {Rgb} colour
 * @param {number} ground its luminance
 */
export function readable(colour, ground) {
  const target = ground > 0.2 ? 0 : 255;
  let found = colour;
  for (let step = 0; step <= 20; step += 1) {
    const share = step / 20;
    const mix = (/** @type {number} */ value) => value + (target - value) * share;
    found = { r: mix(colour.r), g: mix(colour.g), b: mix(colour.b) };
    const [low, high] = [luminance(found), ground].sort((a, b) => a - b);
    if ((high + 0.05) / (low + 0.05) >= CONTRAST) break;
  }
  return found;
}
