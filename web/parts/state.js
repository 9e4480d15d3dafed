/** How runs and jobs stand: a word, a shape and a colour, never a colour alone. The same words as in the command line. */

import { html } from "../vendor/preact.js";

/**
 * @typedef {{word: string, glyph: string, tone: string}} Look `tone` names the colour in `styles/tokens.css`
 */

/** @type {Record<string, Look>} */
const LOOKS = {
  succeeded: { word: "succeeded", glyph: "✓", tone: "good" },
  failed: { word: "failed", glyph: "✕", tone: "bad" },
  lost: { word: "lost", glyph: "?", tone: "bad" },
  killed: { word: "killed", glyph: "■", tone: "stopped" },
  missed: { word: "missed", glyph: "∅", tone: "missed" },
  skipped: { word: "skipped", glyph: "»", tone: "quiet" },
  superseded: { word: "superseded", glyph: "⇢", tone: "quiet" },
  running: { word: "running", glyph: "▶", tone: "running" },
  launching: { word: "launching", glyph: "▹", tone: "running" },
  stopping: { word: "stopping", glyph: "◼", tone: "late" },
  unknown: { word: "unknown", glyph: "?", tone: "late" },
  queued: { word: "queued", glyph: "≡", tone: "quiet" },
  pending: { word: "pending", glyph: "…", tone: "quiet" },
  waiting: { word: "waits to retry", glyph: "↻", tone: "late" },
  reporting: { word: "awaits report", glyph: "◷", tone: "late" },
};

/**
 * The state of a run: its verdict, or where its live attempt stands.
 * @param {{state: string, verdict: string | null, attempts?: {state: string}[]}} run
 * @returns {string} a key of what {@link look} knows
 */
export function standing(run) {
  if (run.verdict) return run.verdict;
  if (run.state !== "active") return run.state;
  const attempt = run.attempts?.[run.attempts.length - 1];
  return attempt && attempt.state !== "ended" ? attempt.state : "running";
}

/**
 * @param {string} state
 * @returns {Look}
 */
export function look(state) {
  return LOOKS[state] ?? { word: state, glyph: "·", tone: "quiet" };
}

/** @param {{state: string, small?: boolean}} props */
export function State({ state, small = false }) {
  const { word, glyph, tone } = look(state);
  return html`<span class="state ${tone} ${small ? "small" : ""}" title=${small ? word : undefined}
    ><span class="glyph" aria-hidden="true">${glyph}</span>${small ? html`<span class="unseen">${word}</span>` : word}</span
  >`;
}

/** Why a run exists, as a word. */
/** @type {Record<string, string>} */
const WHYS = {
  schedule: "on schedule",
  catchUp: "caught up",
  parents: "after its parents",
  manual: "by hand",
  retry: "another try",
  backfill: "backfill",
};

/** @param {string} kind */
export const why = (kind) => WHYS[kind] ?? kind;
