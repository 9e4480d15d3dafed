/** What is drawn of a job on its lane, and where. Pure geometry. */

import { look, standing } from "../../parts/state.js";

/**
 * @typedef {object} Lane as `P/timeline` tells it
 * @property {string} job
 * @property {string} words
 * @property {{run: string, state: string, verdict: string | null, why: string, dueAt: string | null, startedAt: string | null,
 *   endedAt: string | null, createdAt: string}[]} runs
 * @property {number | boolean} runsLeftOut
 * @property {{verdict: string, firstDueAt: string, lastDueAt: string, count: number}[]} stretches
 * @property {{dueAt: string, opensAt: string}[]} ahead
 * @property {boolean} aheadLeftOut
 * @property {number | null} typicalMs
 */

/**
 * @typedef {object} Bar
 * @property {"run" | "ahead"} kind
 * @property {number} waitFrom when it began to wait; `from` where it did not
 * @property {number} from when it started, or will; its end while it has not
 * @property {number} to
 * @property {number} expectedTo when a run that goes on will usually be over; else `to`
 * @property {number} row
 * @property {number} rows how many share the height with it: as many as overlap in one heap
 * @property {string} tone
 * @property {string} word
 * @property {string} glyph
 * @property {boolean} live
 * @property {any} about the run or start
 */

/**
 * @typedef {{from: number, to: number, tone: string, word: string, glyph: string, about: Lane["stretches"][number]}} Band
 * @typedef {{bars: Bar[], bands: Band[], live: boolean, earliest: number, latest: number}} Drawn `earliest` is where the
 *   runs begin that are told, `latest` where the starts to come end
 * @typedef {{x: number, y: number, width: number, height: number}} Place
 */

const at = (/** @type {string | null} */ text) => (text ? Date.parse(text) : NaN);

/**
 * @param {Lane} lane
 * @param {number} now where what goes on ends
 * @returns {Drawn}
 */
export function drawn(lane, now) {
  /** @type {Bar[]} */
  const bars = [];
  let earliest = Infinity;
  let latest = -Infinity;
  for (const run of lane.runs) {
    const key = standing(run);
    const { tone, word, glyph } = look(key);
    const created = at(run.createdAt);
    const due = at(run.dueAt);
    // Only what is due by a schedule is late from then on; what follows others could not have started before.
    const waitFrom = run.why === "schedule" && due < created ? due : created;
    const live = run.endedAt === null && run.verdict === null;
    const to = live ? Math.max(now, waitFrom) : at(run.endedAt);
    const end = Number.isNaN(to) ? created : to;
    const started = run.startedAt === null ? end : Math.min(at(run.startedAt), end);
    const expectedTo = live && run.startedAt !== null && lane.typicalMs ? Math.max(end, started + lane.typicalMs) : end;
    bars.push({ kind: "run", waitFrom: Math.min(waitFrom, started), from: started, to: end, expectedTo, row: 0, rows: 1, tone, word, glyph, live, about: run });
    earliest = Math.min(earliest, waitFrom);
  }
  for (const start of lane.ahead) {
    const from = at(start.opensAt ?? start.dueAt);
    const to = from + (lane.typicalMs ?? 0);
    bars.push({ kind: "ahead", waitFrom: from, from, to, expectedTo: to, row: 0, rows: 1, tone: "quiet", word: "will start", glyph: "", live: false, about: start });
    latest = Math.max(latest, from);
  }
  stack(bars);
  const bands = lane.stretches.map((stretch) => {
    const { tone, word, glyph } = look(stretch.verdict);
    return { from: at(stretch.firstDueAt), to: at(stretch.lastDueAt), tone, word, glyph, about: stretch };
  });
  return { bars, bands, live: bars.some((bar) => bar.live), earliest, latest };
}

/**
 * Puts bars that overlap below each other, in as few rows as it takes. Bars that overlap nothing have the height for
 * themselves, whatever happens elsewhere on the lane.
 * @param {Bar[]} bars are put in the order of their beginnings
 */
export function stack(bars) {
  bars.sort((a, b) => a.waitFrom - b.waitFrom || a.expectedTo - b.expectedTo);
  /** @type {Bar[]} */
  let heap = [];
  /** When each row of the heap is free. */
  /** @type {number[]} */
  let ends = [];
  const close = () => {
    for (const bar of heap) bar.rows = ends.length;
    heap = [];
    ends = [];
  };
  for (const bar of bars) {
    if (ends.every((end) => end <= bar.waitFrom)) close();
    let row = ends.findIndex((end) => end <= bar.waitFrom);
    if (row < 0) row = ends.length;
    ends[row] = Math.max(bar.expectedTo, bar.to);
    bar.row = row;
    heap.push(bar);
  }
  close();
}

/** In CSS pixels. */
const LEAST_WIDTH = 3;
const LEAST_HEIGHT = 3;
const BAND_HEIGHT = 7;
const EDGE = 4;

/**
 * Where bars of a row are, from top to bottom of a lane.
 * @param {number} row
 * @param {number} rows
 * @param {number} height of the lane
 * @param {boolean} banded whether room is kept for bands below
 */
export function rowPlace(row, rows, height, banded) {
  const room = height - 2 * EDGE - (banded ? BAND_HEIGHT + 1 : 0);
  const gap = rows > 1 ? 1 : 0;
  const each = Math.max(LEAST_HEIGHT, (room - gap * (rows - 1)) / rows);
  // More rows than there is room for share the last place.
  const y = Math.min(EDGE + row * (each + gap), EDGE + room - each);
  return { y, height: Math.min(each, room) };
}

/**
 * @param {{from: number, to: number}} what
 * @param {{from: number, to: number}} window
 * @param {number} width
 * @param {number} [least]
 */
export function across(what, window, width, least = LEAST_WIDTH) {
  const scale = width / (window.to - window.from);
  const x = (what.from - window.from) * scale;
  return { x, width: Math.max(least, (what.to - what.from) * scale) };
}

/** @param {number} height */
export const bandPlace = (height) => ({ y: height - EDGE - BAND_HEIGHT + 1, height: BAND_HEIGHT });

/**
 * What is drawn at a point of a lane: of several the one whose middle is nearest.
 * @param {Drawn} drawn
 * @param {{from: number, to: number}} window
 * @param {number} width
 * @param {number} height
 * @param {number} x
 * @param {number} y
 * @returns {Bar | Band | null}
 */
export function under({ bars, bands }, window, width, height, x, y) {
  const slack = 3;
  /** @type {Bar | Band | null} */
  let best = null;
  let nearest = Infinity;
  const consider = (/** @type {Bar | Band} */ what, /** @type {Place} */ place) => {
    if (x < place.x - slack || x > place.x + place.width + slack || y < place.y - slack || y > place.y + place.height + slack) return;
    const beside = Math.max(place.y - y, y - place.y - place.height, 0) + Math.max(place.x - x, x - place.x - place.width, 0);
    const distance = beside * 1_000 + Math.abs(x - place.x - place.width / 2);
    if (distance < nearest) {
      nearest = distance;
      best = what;
    }
  };
  for (const bar of bars) {
    const place = across({ from: bar.waitFrom, to: Math.max(bar.to, bar.expectedTo) }, window, width);
    if (place.x > width || place.x + place.width < 0) continue;
    consider(bar, { ...place, ...rowPlace(bar.row, bar.rows, height, bands.length > 0) });
  }
  for (const band of bands) consider(band, { ...across(band, window, width, 6), ...bandPlace(height) });
  return best;
}
