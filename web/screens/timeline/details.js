/** What a bar of a timeline stands for, beside it. */

import { html } from "../../vendor/preact.js";
import { duration, exact, fully, relative } from "../../data/format.js";
import { why } from "../../parts/state.js";

/**
 * @typedef {import("./bars.js").Bar | import("./bars.js").Band} What
 */

/**
 * @param {{job: string, lane: import("./bars.js").Lane, what: What, zone: string, x: number, y: number}} props `x` and `y` are in the window
 */
export function Details({ job, lane, what, zone, x, y }) {
  const left = Math.max(8, Math.min(x + 14, innerWidth - 300));
  const below = y + 190 < innerHeight;
  const style = below ? { left: `${left}px`, top: `${y + 16}px` } : { left: `${left}px`, bottom: `${innerHeight - y + 12}px` };
  return html`<div class="bar-details" style=${style}>
    <p>
      <span class="state ${what.tone}"><span class="glyph" aria-hidden="true">${what.glyph || "○"}</span>${what.word}</span>
      <b>${job}</b>
    </p>
    <dl class="facts">
      ${facts(lane, what, zone).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}
    </dl>
  </div>`;
}

/**
 * The same in words.
 * @param {import("./bars.js").Lane} lane
 * @param {What} what
 * @param {string} zone
 */
export const spoken = (lane, what, zone) => `${lane.job}: ${what.word}; ${facts(lane, what, zone).map((fact) => fact.join(" ")).join("; ")}`;

/**
 * @param {import("./bars.js").Lane} lane
 * @param {What} what
 * @param {string} zone
 * @returns {[string, string][]}
 */
function facts(lane, what, zone) {
  if (!("kind" in what)) {
    const { firstDueAt, lastDueAt, count } = what.about;
    if (count === 1) return [["due", exact(what.from, zone)]];
    return [["occurrences", String(count)], ["first", exact(Date.parse(firstDueAt), zone)], ["last", exact(Date.parse(lastDueAt), zone)]];
  }
  if (what.kind === "ahead") {
    const start = what.about;
    /** @type {[string, string][]} */
    const found = [["starts", `${fully(what.from, zone)} (${relative(what.from, Date.now())})`]];
    if (start.dueAt !== start.opensAt) found.push(["due", exact(Date.parse(start.dueAt), zone)]);
    if (lane.typicalMs !== null) found.push(["usually takes", duration(lane.typicalMs)]);
    return found;
  }
  const run = what.about;
  /** @type {[string, string][]} */
  const found = [];
  if (run.dueAt) found.push(["due", exact(Date.parse(run.dueAt), zone)]);
  if (run.startedAt) found.push(["started", `${exact(Date.parse(run.startedAt), zone)}${what.from - what.waitFrom >= 1_000 ? `, after ${duration(what.from - what.waitFrom)}` : ""}`]);
  else found.push(["recorded", exact(Date.parse(run.createdAt), zone)]);
  if (run.endedAt) found.push(["ended", exact(Date.parse(run.endedAt), zone)]);
  if (run.startedAt) found.push([run.endedAt ? "took" : "for", duration(Math.max(0, (run.endedAt ? Date.parse(run.endedAt) : Date.now()) - Date.parse(run.startedAt)))]);
  if (what.live && lane.typicalMs !== null) found.push(["usually takes", duration(lane.typicalMs)]);
  found.push(["runs", why(run.why)]);
  return found;
}
