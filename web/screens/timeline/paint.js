/** Draws one lane. A verdict has a pattern and, where there is room, its glyph, beside its colour. */

import { across, bandPlace, rowPlace } from "./bars.js";

/**
 * @typedef {object} Painted
 * @property {CanvasRenderingContext2D} context scaled to CSS pixels
 * @property {number} width
 * @property {number} height
 * @property {import("./scene.js").Colours} colours
 * @property {{from: number, to: number}} window
 * @property {number} now
 * @property {number[]} ticks
 * @property {number[]} midnights
 * @property {import("./bars.js").Drawn | null} drawn null while it is asked for
 * @property {import("./bars.js").Lane | null} lane
 * @property {import("./bars.js").Bar | import("./bars.js").Band | null} lit
 */

const DAY = 86_400_000;
/** CSS pixels from which on a day has a strong line where it begins. */
const DAY_WIDTH = 100;
/** Bars are at least this wide and high to hold a glyph, in CSS pixels. */
const GLYPH_WIDTH = 13;
const GLYPH_HEIGHT = 10;

/** @param {Painted} painted */
export function paint(painted) {
  const { context, width, height, colours, window, now, drawn, lane } = painted;
  context.clearRect(0, 0, width, height);
  const place = (/** @type {number} */ at) => ((at - window.from) / (window.to - window.from)) * width;
  const present = place(now);
  if (present < width) {
    context.globalAlpha = 0.45;
    context.fillStyle = colours.raised;
    context.fillRect(Math.max(0, present), 0, width, height);
    context.globalAlpha = 1;
  }
  context.fillStyle = colours.line;
  for (const at of painted.ticks) context.fillRect(Math.round(place(at)), 0, 1, height);
  // Where days are narrow, a strong line for each would be all that one sees.
  if (place(DAY) - place(0) >= DAY_WIDTH) context.fillStyle = colours["strong-line"];
  for (const at of painted.midnights) context.fillRect(Math.round(place(at)), 0, 1, height);
  if (drawn && lane) {
    leftOut(painted, place);
    bars(painted);
    bands(painted);
  }
  if (present >= 0 && present <= width) {
    context.fillStyle = colours.accent;
    context.fillRect(Math.round(present) - 1, 0, 2, height);
  }
}

/**
 * A dotted line where there is more than what was told.
 * @param {Painted} painted
 * @param {(at: number) => number} place
 */
function leftOut({ context, width, height, colours, window, drawn, lane, now }, place) {
  if (!drawn || !lane) return;
  /** @type {[number, number][]} */
  const gaps = [];
  if (lane.runsLeftOut && drawn.earliest > window.from) gaps.push([0, Math.min(place(drawn.earliest), place(now))]);
  if (lane.aheadLeftOut && drawn.latest < window.to) gaps.push([Math.max(place(drawn.latest), place(now)), width]);
  context.strokeStyle = colours["strong-line"];
  context.setLineDash([2, 5]);
  context.lineWidth = 2;
  context.beginPath();
  for (const [from, to] of gaps) {
    context.moveTo(from + 4, height / 2);
    context.lineTo(Math.max(from + 4, to - 4), height / 2);
  }
  context.stroke();
  context.setLineDash([]);
}

/** @param {Painted} painted */
function bars({ context, width, height, colours, window, drawn, lit }) {
  if (!drawn) return;
  const banded = drawn.bands.length > 0;
  /** Hollow bars that are so near to each other that they are drawn as one, by where they are from top to bottom. */
  /** @type {Map<number, {x: number, end: number, y: number, high: number, count: number}>} */
  const hollow = new Map();
  const close = (/** @type {number} */ place) => {
    const open = hollow.get(place);
    if (!open) return;
    hollow.delete(place);
    outline(context, open.x, open.y, open.end - open.x, open.high, colours.quiet, false);
    if (open.count > 1) stripes(context, open.x + 1, open.y + 1, open.end - open.x - 2, open.high - 2, colours.quiet, "upright", 4);
  };
  const draw = (/** @type {import("./bars.js").Bar} */ bar) => {
    const whole = across({ from: bar.waitFrom, to: Math.max(bar.to, bar.expectedTo) }, window, width);
    if (whole.x > width || whole.x + whole.width < 0) return;
    const { y, height: high } = rowPlace(bar.row, bar.rows, height, banded);
    if (bar.kind === "ahead") {
      const place = bar.row * 1_000 + bar.rows;
      const open = hollow.get(place);
      const wide = Math.max(4, whole.width);
      if (open && whole.x <= open.end + 1) {
        open.end = Math.max(open.end, whole.x + wide);
        open.count += 1;
      } else {
        close(place);
        hollow.set(place, { x: whole.x, end: whole.x + wide, y, high, count: 1 });
      }
      if (bar === lit) mark(context, whole.x, y, wide, high, colours);
      return;
    }
    run(context, bar, window, width, y, high, colours);
    if (bar === lit) mark(context, whole.x, y, whole.width, high, colours);
  };
  for (const bar of drawn.bars) if (bar.tone !== "bad") draw(bar);
  // Where there is no room for all, what went wrong is on top.
  for (const bar of drawn.bars) if (bar.tone === "bad") draw(bar);
  for (const place of [...hollow.keys()]) close(place);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./bars.js").Bar} bar
 * @param {{from: number, to: number}} window
 * @param {number} width
 * @param {number} y
 * @param {number} high
 * @param {import("./scene.js").Colours} colours
 */
function run(context, bar, window, width, y, high, colours) {
  const colour = colours[bar.tone];
  const waited = across({ from: bar.waitFrom, to: bar.from }, window, width, 0);
  if (waited.width >= 1) {
    context.fillStyle = colours[`${bar.tone}-ground`];
    context.fillRect(waited.x, y, waited.width, high);
    stripes(context, waited.x, y, waited.width, high, colours["strong-line"], "dotted", 4);
    outline(context, waited.x, y, waited.width, high, colour, true);
  }
  // What has not started has only waited.
  if (bar.live && bar.from === bar.to) return;
  const { x, width: wide } = across(bar, window, width);
  if (bar.expectedTo > bar.to) {
    const expected = across({ from: bar.to, to: bar.expectedTo }, window, width, 0);
    outline(context, expected.x, y, expected.width, high, colour, true);
  }
  context.fillStyle = colour;
  context.fillRect(x, y, wide, high);
  const told = wide >= GLYPH_WIDTH && high >= GLYPH_HEIGHT;
  const free = told ? GLYPH_WIDTH : 0;
  const pattern = PATTERNS[bar.word];
  if (pattern && wide - free > 2) stripes(context, x + free, y, wide - free, high, colours.surface, pattern, 6);
  if (told) {
    context.fillStyle = colours.surface;
    context.font = `${Math.min(12, high - 1)}px sans-serif`;
    context.textBaseline = "middle";
    context.textAlign = "center";
    const seen = Math.max(x, 0);
    if (seen + GLYPH_WIDTH <= x + wide) context.fillText(bar.glyph, seen + GLYPH_WIDTH / 2, y + high / 2 + 0.5);
  }
}

/** @type {Record<string, "slanted" | "upright" | "dotted">} */
const PATTERNS = { failed: "slanted", lost: "dotted", unknown: "dotted", killed: "upright" };

/** @param {Painted} painted */
function bands({ context, width, height, colours, window, drawn, lit }) {
  if (!drawn) return;
  const { y, height: high } = bandPlace(height);
  for (const band of drawn.bands) {
    const { x, width: wide } = across(band, window, width, 6);
    if (x > width || x + wide < 0) continue;
    context.fillStyle = colours[`${band.tone}-ground`];
    context.fillRect(x, y, wide, high);
    stripes(context, x, y, wide, high, colours[band.tone], "slanted", 4);
    outline(context, x, y, wide, high, colours[band.tone], false);
    if (band === lit) mark(context, x, y, wide, high, colours);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @param {string} colour
 * @param {boolean} dashed
 */
function outline(context, x, y, width, height, colour, dashed) {
  if (width <= 0) return;
  context.strokeStyle = colour;
  context.lineWidth = 1;
  if (dashed) context.setLineDash([3, 2]);
  context.strokeRect(x + 0.5, y + 0.5, Math.max(1, width - 1), Math.max(1, height - 1));
  if (dashed) context.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @param {import("./scene.js").Colours} colours
 */
function mark(context, x, y, width, height, colours) {
  context.strokeStyle = colours.focus;
  context.lineWidth = 2;
  context.strokeRect(x - 2, y - 2, width + 4, height + 4);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} left
 * @param {number} y
 * @param {number} wide
 * @param {number} height
 * @param {string} colour
 * @param {"slanted" | "upright" | "dotted"} pattern
 * @param {number} apart
 */
function stripes(context, left, y, wide, height, colour, pattern, apart) {
  // Of a bar that goes far beyond the lane, only what is in it.
  const x = Math.max(left, -apart);
  const width = Math.min(left + wide, context.canvas.clientWidth + apart) - x;
  if (width <= 0 || height <= 0) return;
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = colour;
  context.globalAlpha = 0.6;
  context.lineWidth = 1.2;
  context.setLineDash(pattern === "dotted" ? [1.5, 3] : []);
  const slant = pattern === "slanted" ? height : 0;
  // Stripes stay with the bar when it is moved.
  const first = left + Math.floor((x - left - slant) / apart) * apart;
  context.beginPath();
  for (let at = first; at < x + width; at += apart) {
    context.moveTo(at + 1, y + height);
    context.lineTo(at + 1 + slant, y);
  }
  context.stroke();
  context.restore();
}
