/** One job in the list. */

import { html } from "../../vendor/preact.js";
import { refusal } from "../../data/me.js";
import { driftOf } from "../../data/origin.js";
import { runNow } from "../../parts/run_now.js";
import { Sparkline, Strip } from "../../parts/strip.js";
import { JobZone, When } from "../../parts/time.js";
import { to, toJob } from "../../shell/route.js";

/**
 * How a job stands, the most urgent first.
 * @param {any} job
 * @returns {{word: string, glyph: string, tone: string}}
 */
export function standingOf(job) {
  if (job.quarantined) return { word: "quarantined", glyph: "⚠", tone: "bad" };
  if (job.late) return { word: "late", glyph: "◷", tone: "late" };
  if (job.state === "running") return { word: job.running > 1 ? `${job.running} running` : "running", glyph: "▶", tone: "running" };
  if (job.state === "queued") return { word: "waiting", glyph: "…", tone: "quiet" };
  if (job.disabled) return { word: "disabled", glyph: "⊘", tone: "quiet" };
  if (job.paused) return { word: "paused", glyph: "‖", tone: "stopped" };
  if (job.shadow) return { word: "shadow", glyph: "◌", tone: "missed" };
  if (job.status === "failure") return { word: "failing", glyph: "✕", tone: "bad" };
  if (job.status === "success") return { word: "in order", glyph: "✓", tone: "good" };
  return { word: "never ran", glyph: "○", tone: "quiet" };
}

export function RowHead() {
  return html`<div class="job-row job-row-head" role="row">
    <span role="columnheader"><span class="unseen">marked</span></span>
    <span role="columnheader">State</span>
    <span role="columnheader">Job</span>
    <span role="columnheader" class="wide">Schedule</span>
    <span role="columnheader">Next run</span>
    <span role="columnheader" class="wide">Last runs</span>
    <span role="columnheader" class="wider">Took</span>
    <span role="columnheader"><span class="unseen">actions</span></span>
  </div>`;
}

/**
 * @param {{job: any, index: number, active: boolean, marked: Set<string>, mark: (name: string) => void,
 *   me: import("../../data/me.js").Me}} props
 */
export function JobRow({ job, index, active, marked, mark, me }) {
  if (!job) return html`<div class="job-row unknown" role="row" aria-rowindex=${index + 2}><span role="cell"></span></div>`;
  const { word, glyph, tone } = standingOf(job);
  const may = refusal(me, "operator");
  const drift = driftOf(job);
  return html`<${JobZone.Provider} value=${job.zone ?? ""}><div class="job-row ${active ? "active" : ""} ${job.disabled ? "off" : ""}" role="row" aria-rowindex=${index + 2} aria-selected=${active}>
    <span role="cell"><input type="checkbox" checked=${marked.has(job.name)} onChange=${() => mark(job.name)} aria-label="mark ${job.name}" /></span>
    <span role="cell"><span class="state ${tone}"><span class="glyph" aria-hidden="true">${glyph}</span>${word}</span></span>
    <span role="cell" class="two">
      <a href=${toJob(job.name)} title=${job.name}>${job.name}</a>
      <small>
        ${drift && html`<span class="state late" title=${drift.why}><span class="glyph" aria-hidden="true">≠</span>${drift.word}</span> `}
        ${job.owner.split(",").filter(Boolean).slice(0, 2).map((/** @type {string} */ each) => html`<a class="owner" href=${to(["jobs"], { owner: each.trim() })}>${each.trim()}</a> `)}
        ${job.description}
      </small>
    </span>
    <span role="cell" class="wide two"><span title=${job.schedule}>${job.words}</span></span>
    <span role="cell"><${When} at=${job.nextDue} /></span>
    <span role="cell" class="wide"><${Strip} recent=${job.recent} length=${15} /></span>
    <span role="cell" class="wider"><${Sparkline} values=${job.recent.map((/** @type {any} */ run) => run.tookMs)} width=${80} /></span>
    <span role="cell"
      ><button class="quiet" disabled=${may !== null} title=${may ?? `run ${job.name} now`} aria-label="run ${job.name} now" onClick=${() => runNow(job.name)}>▶ Run</button></span
    >
  </div><//>`;
}
