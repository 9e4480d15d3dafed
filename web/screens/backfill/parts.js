/** What the list of backfills and the page of one have in common. */

import { html } from "../../vendor/preact.js";
import { count } from "../../data/format.js";
import { look } from "../../parts/state.js";
import { partsOf } from "./progress.js";

/**
 * For `When.on`: events that move a backfill, of one job if it is known.
 * @param {string} [job]
 */
export function moves(job) {
  return (/** @type {import("../../data/stream.js").Event} */ event) => event.kind === "backfill" && (job === undefined || event.job === job);
}

/** @param {{backfill: any}} props */
export function Progress({ backfill }) {
  const parts = partsOf(backfill);
  const left = backfill.state === "going" ? "left" : "never begun";
  const words = parts.map(({ state, amount }) => `${count(amount)} ${state === "pending" ? left : look(state).word}`).join(", ");
  const over = parts.filter((part) => part.state !== "pending" && part.state !== "running").reduce((sum, part) => sum + part.amount, 0);
  return html`<div class="progress">
    <span class="progress-bar" role="progressbar" aria-valuemin="0" aria-valuemax=${backfill.total} aria-valuenow=${over} aria-label=${words}>
      ${parts.map(({ state, share }) => html`<span class=${look(state).tone} data-part=${state} style=${{ width: `${share * 100}%` }}></span>`)}
    </span>
    <small>${count(over)} of ${count(backfill.total)}: ${words}</small>
  </div>`;
}

const STANDINGS = /** @type {Record<string, {glyph: string, tone: string, word: string}>} */ ({
  going: { glyph: "▶", tone: "running", word: "going" },
  done: { glyph: "✓", tone: "good", word: "done" },
  cancelled: { glyph: "■", tone: "stopped", word: "cancelled" },
});

/** @param {{backfill: any}} props */
export function Standing({ backfill }) {
  const { glyph, tone, word } = STANDINGS[backfill.state] ?? { glyph: "·", tone: "quiet", word: backfill.state };
  return html`<span class="state ${tone}" title=${backfill.reason ?? undefined}><span class="glyph" aria-hidden="true">${glyph}</span>${word}</span>`;
}
