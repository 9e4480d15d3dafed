/** How a job stands, from what the API says of it. Pure. */

import { periodInWords } from "../../data/period.js";

/**
 * @typedef {{word: string, tone: string, glyph: string, until?: string | null, why?: string}} Badge
 */

/**
 * @typedef {{until: string | null, by?: any}} Pause
 */

/** What holds a job back, by the words of `explain`. */
/** @type {Record<string, {word: string, tone: string, glyph: string}>} */
const HELD = {
  quarantined: { word: "quarantined", tone: "bad", glyph: "⚠" },
  broken: { word: "broken", tone: "bad", glyph: "⚠" },
  disabled: { word: "disabled", tone: "quiet", glyph: "⊘" },
  paused: { word: "paused", tone: "late", glyph: "‖" },
  shadow: { word: "shadow", tone: "missed", glyph: "◌" },
  clockDoubted: { word: "the clock is doubted", tone: "bad", glyph: "⚠" },
  exhausted: { word: "exhausted", tone: "quiet", glyph: "∎" },
};

/**
 * Whether the latest success or failure of a job was a failure.
 * @param {Record<string, any>} job
 * @returns {"fresh" | "success" | "failure"}
 */
export function status(job) {
  const at = (/** @type {any} */ text) => Date.parse(text) || 0;
  const [good, bad] = [at(job.lastSuccess), at(job.lastError)];
  if (!good && !bad) return "fresh";
  return good > bad ? "success" : "failure";
}

/**
 * @param {Record<string, any>} job
 * @param {{code: string, text: string}[]} reasons of `explain`
 * @param {any[]} live its runs that are not over
 * @param {{paused?: Pause | null, everything?: Pause | null}} pauses
 * @returns {Badge[]} what a reader must know first, first
 */
export function badges(job, reasons, live, { paused, everything }) {
  /** @type {Badge[]} */
  const found = [];
  for (const { code, text } of reasons) if (HELD[code] && code !== "paused") found.push({ ...HELD[code], why: text });
  // It can be both: the one ends without the other.
  const whys = reasons.filter(({ code }) => code === "paused").map(({ text }) => text);
  if (paused) found.push({ ...HELD.paused, until: paused.until, why: whys[0] });
  if (everything) found.push({ ...HELD.paused, word: "everything paused", until: everything.until, why: whys.at(-1) });
  const begun = live.filter((run) => run.attempts?.some((/** @type {any} */ attempt) => attempt.state === "running" || attempt.state === "stopping"));
  if (begun.length) found.push({ word: begun.length > 1 ? `${begun.length} running` : "running", tone: "running", glyph: "▶" });
  else if (live.length) found.push({ word: live.length > 1 ? `${live.length} queued` : "queued", tone: "quiet", glyph: "≡" });
  else found.push({ word: "idle", tone: "quiet", glyph: "○" });
  const stands = status(job);
  if (stands === "failure") found.push({ word: "failing", tone: "bad", glyph: "✕" });
  else if (stands === "success") found.push({ word: "succeeding", tone: "good", glyph: "✓" });
  else found.push({ word: "never ran", tone: "quiet", glyph: "·" });
  return found;
}

/**
 * By when its runs should start and end, in words.
 * @param {Record<string, any>} job
 * @returns {string} empty where it says nothing of it
 */
export function objectives({ startBy, finishBy, maxLateness, expectedDuration }) {
  const span = (/** @type {string} */ text) => periodInWords(text) ?? text;
  const by = (/** @type {string} */ text) => (/^\d/.test(text) ? `by ${text}` : `within ${span(text)} after it is due`);
  const said = [
    startBy && `start ${by(startBy)}`,
    finishBy && `succeed ${by(finishBy)}`,
    maxLateness && `start at most ${span(maxLateness)} late`,
    expectedDuration && `take at most ${span(expectedDuration)}`,
  ];
  return said.filter(Boolean).join(", ");
}

/** Sentences of `explain` in the order of a reader's questions: why nothing comes of it, what it waits for, what is next. */
/** @type {Record<string, string>} */
const QUESTIONS = {
  quarantined: "held", broken: "held", disabled: "held", paused: "held", shadow: "held", clockDoubted: "held", exhausted: "held",
  skippedAhead: "next", atBoot: "next", nextHeld: "next", dueNow: "next", nextDue: "next",
  waitsForParents: "waits",
  lastRun: "last", lastLeftOut: "last",
};

/**
 * @param {{code: string, text: string}[]} reasons
 * @returns {{held: string[], waits: string[], next: string[], last: string[]}} what its live runs are told with is under `waits`
 */
export function answers(reasons) {
  /** @type {Record<string, string[]>} */
  const found = { held: [], waits: [], next: [], last: [] };
  for (const { code, text } of reasons) found[QUESTIONS[code] ?? "waits"].push(text);
  return /** @type {any} */ (found);
}
