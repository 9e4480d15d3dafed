/** The timeline as a table: for those who do not see pictures, and for those who want to read it. */

import { html } from "../../vendor/preact.js";
import { count, duration, millis } from "../../data/format.js";
import { State, standing, why } from "../../parts/state.js";
import { VirtualRows } from "../../parts/table.js";
import { When } from "../../parts/time.js";
import { choose, toJob, toRun } from "../../shell/route.js";
import { useLanes } from "./lanes.js";
import { PAGE } from "./pages.js";

const ROW = 36;

/**
 * @typedef {{job: string, state: string | null, word: any, at: string, ended: string | null, tookMs: number | null, why: string}} Entry
 */

/**
 * All that is told of a job, in the order of time.
 * @param {import("./bars.js").Lane} lane
 * @returns {Entry[]}
 */
export function entries({ job, runs, stretches, ahead, typicalMs }) {
  /** @type {Entry[]} */
  const found = [];
  for (const run of runs) {
    const tookMs = run.startedAt && run.endedAt ? millis(run.endedAt) - millis(run.startedAt) : null;
    const state = standing(run);
    found.push({ job, state, word: { run: run.run }, at: run.startedAt ?? run.createdAt, ended: run.endedAt, tookMs, why: why(run.why) });
  }
  for (const { verdict, firstDueAt, lastDueAt, count: times } of stretches) {
    found.push({ job, state: verdict, word: { times }, at: firstDueAt, ended: times > 1 ? lastDueAt : null, tookMs: null, why: "on schedule" });
  }
  for (const { opensAt, dueAt } of ahead) found.push({ job, state: null, word: {}, at: opensAt ?? dueAt, ended: null, tookMs: typicalMs, why: "on schedule" });
  return found.sort((a, b) => millis(a.at) - millis(b.at));
}

/** @param {Entry} entry */
function whatOf({ state, word }) {
  if (state === null) return html`<span class="state quiet"><span class="glyph" aria-hidden="true">○</span>will start</span>`;
  return word.run ? html`<a href=${toRun(word.run)} title="the run"><${State} state=${state} /></a>` : html`<${State} state=${state} />`;
}

/** @type {WeakMap<object, Entry[]>} */
const known = new WeakMap();

/** @param {import("./bars.js").Lane} lane */
function kept(lane) {
  const made = known.get(lane) ?? entries(lane);
  known.set(lane, made);
  return made;
}

/**
 * @param {{filter: import("./lanes.js").Filter, asked: {from: number, to: number}, page: number}} props
 */
export function List({ filter, asked, page }) {
  const lanes = useLanes(filter, asked, page * PAGE, (page + 1) * PAGE);
  /** @type {Entry[]} */
  const rows = [];
  for (let index = page * PAGE; index < (page + 1) * PAGE; index += 1) {
    const lane = lanes.lane(index);
    if (lane) rows.push(...kept(lane));
  }
  const row = (/** @type {number} */ index) => {
    const entry = rows[index];
    if (!entry) return null;
    return html`<div class="timeline-row" role="row" aria-rowindex=${index + 1} style=${{ height: `${ROW}px` }}>
      <span role="cell"><a href=${toJob(entry.job)} title=${entry.job}>${entry.job}</a></span>
      <span role="cell">
        ${whatOf(entry)} ${entry.word.times > 1 && html`<small>${count(entry.word.times)} times</small>`}
      </span>
      <span role="cell"><${When} at=${entry.at} exactly /></span>
      <span role="cell"><${When} at=${entry.ended} exactly /></span>
      <span role="cell" class="number">${entry.tookMs === null ? "–" : `${entry.state === null ? "about " : ""}${duration(entry.tookMs)}`}</span>
      <span role="cell">${entry.why}</span>
    </div>`;
  };
  const head = html`<div class="timeline-row" role="row">
    ${["Job", "What", "At", "Until", "Took", "Why"].map((name) => html`<span role="columnheader">${name}</span>`)}
  </div>`;
  const pages = Math.ceil((lanes.total ?? 0) / PAGE);
  return html`<${VirtualRows} total=${rows.length} height=${ROW} row=${row} head=${head} label="runs and starts of the time that is looked at" />
    ${pages > 1 &&
    html`<p class="lane-pages">
      <button disabled=${page === 0} onClick=${() => choose({ page: page - 1 || null })}>Previous jobs</button>
      <span>jobs ${count(page * PAGE + 1)} to ${count(Math.min(lanes.total ?? 0, (page + 1) * PAGE))} of ${count(lanes.total ?? 0)}${lanes.goesOn ? " or more" : ""}</span>
      <button disabled=${page + 1 >= pages} onClick=${() => choose({ page: page + 1 })}>Next jobs</button>
    </p>`}`;
}
