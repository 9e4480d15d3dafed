/** The axis above all lanes: days, times of day, changes of the clock, and the present. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { clock, day, duration, fully, offset } from "../../data/format.js";
import { clockChanges, midnights, stepFor, stretches, ticks } from "./ticks.js";

/** CSS pixels between marks, at least: their texts need so many. */
const APART = 64;
/** Room for the text of a day. */
const DAY_WIDTH = 112;
const DAY = 86_400_000;

/**
 * @typedef {{step: number, ticks: number[], midnights: number[], changes: {at: number, by: number}[]}} Marks
 */

/** @type {{key: string, marks: Marks | null}} */
let last = { key: "", marks: null };

/**
 * The marks of a window; all lanes of a frame ask for the same.
 * @param {{from: number, to: number}} window
 * @param {string} zone
 * @param {number} width
 * @returns {Marks}
 */
export function marksOf({ from, to }, zone, width) {
  const key = `${from} ${to} ${zone} ${width}`;
  if (last.key === key && last.marks) return last.marks;
  const parts = stretches(from, to, (at) => offset(at, zone));
  const step = stepFor(to - from, Math.max(2, Math.floor(width / APART)));
  const marks = { step, ticks: ticks(parts, step), midnights: midnights(parts), changes: clockChanges(parts) };
  last = { key, marks };
  return marks;
}

/**
 * @param {{scene: import("./scene.js").Scene, zone: string, width: number}} props
 */
export function Axis({ scene, zone, width }) {
  const [, render] = useState(0);
  useEffect(() => scene.watch(() => render((turn) => turn + 1)), [scene]);
  if (width === 0) return null;
  const window = scene.get();
  const { step, ticks: at, midnights: days, changes } = marksOf(window, zone, width);
  const place = (/** @type {number} */ instant) => ((instant - window.from) / (window.to - window.from)) * width;
  const now = place(Date.now());
  // The day that the window begins in is told at its left edge, until the next one comes near.
  const starts = days.filter((each) => place(each) >= 0 && place(each) <= width);
  const room = starts.length ? place(starts[0]) : width;
  return html`<div class="axis" aria-hidden="true">
    ${room > DAY_WIDTH && html`<span class="day" style=${{ left: "0px" }}>${day(window.from, zone)}</span>`}
    ${starts
      .filter((_, index) => spaced(starts, place, index))
      .map((each) => html`<span key=${each} class="day begins" style=${{ left: `${place(each)}px` }}>${day(each, zone)}</span>`)}
    ${step < DAY &&
    at.map((each) => {
      const x = place(each);
      return x < 8 || x > width - 14 ? null : html`<span key=${each} class="hour" style=${{ left: `${x}px` }}>${clock(each, zone)}</span>`;
    })}
    ${changes.map(
      ({ at: when, by }) =>
        html`<span
          key=${when}
          class="change badge late"
          style=${{ left: `${place(when)}px` }}
          title=${`The clock is put ${by > 0 ? "forward" : "back"} by ${duration(by)}:\n${fully(when - 1, zone)}\nthen ${fully(when, zone)}`}
          >DST ${by > 0 ? "+" : "−"}${duration(by)}</span
        >`,
    )}
    ${now >= 0 && now <= width && html`<span class="present" style=${{ left: `${now}px` }}>now</span>`}
  </div>`;
}

/**
 * Whether the text of a day is told: where all of them have no room, every second or fourth.
 * @param {number[]} days
 * @param {(at: number) => number} place
 * @param {number} index
 */
function spaced(days, place, index) {
  if (days.length < 2) return true;
  const every = Math.ceil(DAY_WIDTH / (place(days[1]) - place(days[0])));
  // Counted from a fixed day, so that they stay the same while the window moves.
  return Math.round(days[index] / DAY) % Math.max(1, every) === 0;
}
