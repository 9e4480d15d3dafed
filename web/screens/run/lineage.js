/** What led to a run and what followed, on one axis of time. */

import { html, useRef } from "../../vendor/preact.js";
import { counted, duration, exact, millis } from "../../data/format.js";
import { part } from "../../data/http.js";
import { useNow } from "../../data/present.js";
import { useGet } from "../../data/query.js";
import { Loading, ProblemBox } from "../../parts/problem.js";
import { State, standing } from "../../parts/state.js";
import { VirtualRows } from "../../parts/table.js";
import { useZone } from "../../parts/time.js";
import { to, toRun } from "../../shell/route.js";
import { bars, ticks } from "./chain.js";

const ROW_PX = 30;
/** Deeper runs are not indented further. */
const DEPTH_MAX = 8;

/** @param {{run: any}} props */
export function Lineage({ run }) {
  const known = useRef({ runs: new Set(), jobs: new Set() });
  const { data: chain, problem, reload } = useGet(`chain/${part(run.id)}`, {}, {
    on: ({ kind, what, run: moved, job }) => kind === "run" && (known.current.runs.has(moved) || (what === "recorded" && known.current.jobs.has(job))),
  });
  const now = useNow();
  const zone = useZone();
  if (!chain) return problem ? html`<${ProblemBox} problem=${problem} retry=${reload} />` : html`<${Loading} lines=${6} />`;
  const { bars: all, from, to: end, path, waited, took } = bars(chain.steps, now);
  const span = Math.max(1, end - from);
  const share = (/** @type {number} */ at) => `${(((at - from) / span) * 100).toFixed(3)}%`;
  const asked = all.findIndex((bar) => bar.step.run === chain.asked);
  const jobs = new Set(chain.steps.map((/** @type {any} */ step) => step.job));
  known.current = { runs: new Set(chain.steps.map((/** @type {any} */ step) => step.run)), jobs };
  const idle = end - from - waited - took;

  const head = html`<div class="gantt-row gantt-head" role="row">
    <span class="gantt-name" role="columnheader">Run</span>
    <span class="gantt-state" role="columnheader">State</span>
    <span class="gantt-lane" role="columnheader">
      <span class="tick first">${exact(from, zone).slice(11)}</span>
      ${ticks(span).filter((at) => at < span * 0.94 && at > span * 0.08).map((at) => html`<span class="tick" style=${{ left: share(from + at) }}>+${duration(at)}</span>`)}
    </span>
    <span class="gantt-took" role="columnheader">Took</span>
  </div>`;
  const row = (/** @type {number} */ index) => {
    const { step, from: begun, started, to: ended, critical, depth } = all[index];
    const state = step.state === "active" ? "running" : standing(step);
    const told = `${step.job}: ${state}; waited ${duration(started - begun)}, took ${step.startedAt ? duration(ended - started) : "nothing yet"}${critical ? "; on the critical path" : ""}`;
    return html`<div key=${step.run} role="row" aria-rowindex=${index + 1} class="gantt-row ${index === asked ? "asked" : ""} ${critical ? "critical" : ""}" style=${{ height: `${ROW_PX}px` }}>
      <span class="gantt-name" role="cell" style=${{ paddingLeft: `${0.5 + Math.min(depth, DEPTH_MAX) * 0.7}rem` }}>
        <span class="on-path" title=${critical ? "on the critical path" : undefined} aria-hidden="true">${critical ? "◆" : ""}</span
        >${step.retryOf && html`<span title="another try of ${step.retryOf}" class="again">↻</span>`}<a href=${toRun(step.run)} title="${step.job}\n${step.run}">${step.job}</a>
      </span>
      <span class="gantt-state" role="cell"><${State} state=${state} small=${true} /></span>
      <span class="gantt-lane" role="cell"><a href=${toRun(step.run)} title=${told} aria-label=${told}>
        <span class="gantt-bar waited" style=${{ left: share(begun), width: share(from + started - begun) }}></span>
        ${step.startedAt && html`<span class="gantt-bar took ${tone(state)}" style=${{ left: share(started), width: share(from + ended - started) }}></span>`}
      </a></span>
      <span class="gantt-took number" role="cell">${step.startedAt ? duration(ended - started) : html`<span class="none">–</span>`}</span>
    </div>`;
  };

  return html`<div class="lineage">
    <p class="gantt-words">
      ${counted(all.length, "run")} of ${counted(jobs.size, "job")} over <b>${duration(end - from)}</b>.
      ${path.length > 1 &&
      html` The <span class="on-path" aria-hidden="true">◆</span> critical path has ${counted(path.length, "run")}: they waited <b>${duration(waited)}</b> and worked <b>${duration(took)}</b>${idle > span / 20 ? html`; <b>${duration(idle)}</b> passed between them` : ""}.`}
      ${chain.truncated && html`<span class="badge late" role="note">There are more: a chain shows 1,000 runs at most, those that led to this one first.</span>`}
    </p>
    <p class="legend hint">
      <span><i class="gantt-bar waited"></i> waited</span><span><i class="gantt-bar took good"></i> took, further attempts included</span><span>↻ another try</span><span>◆ critical path</span>
      <a href=${to(["graph"], { job: run.job })}>Its jobs in the graph</a>
    </p>
    <${VirtualRows} total=${all.length} height=${ROW_PX} row=${row} active=${asked} label="runs of the chain" head=${head} />
    ${path.length > 1 && html`<p class="hint path-words">Critical path: ${path.map((/** @type {any} */ step, index) => html`${index ? " → " : ""}<a href=${toRun(step.run)}>${step.job}</a> <small>${length(step, now)}</small>`)}</p>`}
  </div>`;
}

/** @param {any} step @param {number} now */
const length = (step, now) => (step.startedAt ? duration((step.endedAt ? millis(step.endedAt) : now) - millis(step.startedAt)) : "waits");

/** @param {string} state */
function tone(state) {
  if (state === "succeeded") return "good";
  if (state === "failed" || state === "lost") return "bad";
  if (state === "killed") return "stopped";
  if (state === "running") return "running";
  return "quiet";
}
