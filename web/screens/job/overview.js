/** What comes next of a job, what was, and how long it took. */

import { html } from "../../vendor/preact.js";
import { get, part } from "../../data/http.js";
import { refusal, useMe } from "../../data/me.js";
import { about, useAnswer, useGet } from "../../data/query.js";
import { counted, duration } from "../../data/format.js";
import { Occurrences } from "../../parts/occurrences.js";
import { Empty, Loading, ProblemBox } from "../../parts/problem.js";
import { Sentence } from "../../parts/sentence.js";
import { When } from "../../parts/time.js";
import { to, toJob, toRun } from "../../shell/route.js";
import { Durations } from "./durations.js";
import { RunTable } from "./history.js";
import { skip, unskip } from "./verbs.js";

/**
 * @param {{shown: import("./screen.js").Shown, previewProblem: Error | null}} props
 */
export function Overview({ shown, previewProblem }) {
  const { name, job, entries } = shown;
  return html`<div class="job-overview">
    <section class="card wide">
      <h2>How long it took</h2>
      ${entries === null && html`<${Loading} lines=${3} />`}
      ${entries?.length === 0 && html`<${Empty} title="It has never run" command=${`chronode job run ${/^[\w.-]+$/.test(name) ? name : `'${name}'`}`}>Run it now with the button above (<kbd>r</kbd>), or:<//>`}
      ${entries && entries.length > 0 && html`<${Durations} entries=${entries} /><${Percentiles} name=${name} />`}
    </section>
    ${"parents" in job ? html`<${Round} name=${name} />` : html`<${Next} shown=${shown} problem=${previewProblem} />`}
    <section class="card">
      <h2>Last runs</h2>
      ${entries && entries.length > 0 && html`<${RunTable} entries=${entries.slice(0, 8)} short />`}
      ${entries?.length === 0 && html`<p class="none">None yet.</p>`}
      <p class="hint"><a href=${to(["job", name], { tab: "history" })}>All of its history</a></p>
    </section>
  </div>`;
}

/** @param {{shown: import("./screen.js").Shown, problem: Error | null}} props */
function Next({ shown, problem }) {
  const { name, job, preview, skips } = shown;
  const refused = refusal(useMe(), "operator");
  const beside = (/** @type {string} */ utc) =>
    skips.includes(utc)
      ? html`<button class="quiet" disabled=${refused !== null} title=${refused ?? "run it after all"} onClick=${() => unskip(name, utc)}>run after all</button>`
      : html`<button class="quiet" disabled=${refused !== null} title=${refused ?? "leave this one out"} onClick=${() => skip(name, utc)}>skip</button>`;
  return html`<section class="card">
    <h2>What comes next</h2>
    <${ProblemBox} problem=${problem} />
    ${!preview && !problem && html`<${Loading} />`}
    ${preview?.warnings.map((/** @type {string} */ text) => html`<p class="warning"><${Sentence} text=${text} /></p>`)}
    ${preview && preview.next.length === 0 && html`<p class="none">Its schedule names nothing to come.</p>`}
    ${preview && preview.next.length > 0 && html`<${Occurrences} next=${preview.next} zone=${job.scheduleTimeZone} beside=${beside} skipped=${skips} />`}
    ${job.disabled && preview?.next.length > 0 && html`<p class="hint">It is disabled: none of them will be run.</p>`}
  </section>`;
}

/** @param {{name: string}} props */
function Round({ name }) {
  const { data, problem } = useGet(`round/${part(name)}`, {}, { on: about(["round", "run", "job"]) });
  return html`<section class="card">
    <h2>What it waits for</h2>
    <${ProblemBox} problem=${problem} />
    ${!data && !problem && html`<${Loading} />`}
    ${data?.waitsFor && html`<p class="told"><${Sentence} text=${data.waitsFor} jobs=${data.parents.map((/** @type {any} */ each) => each.name)} /></p>`}
    ${data &&
    html`<div class="scroll-x"><table>
      <thead><tr><th scope="col">parent</th><th scope="col">done since</th><th scope="col">next due</th></tr></thead>
      <tbody>
        ${data.parents.map(
          (/** @type {any} */ each) => html`<tr>
            <td class="name"><a href=${toJob(each.name)}>${each.name}</a> ${each.disabled && html`<span class="badge">disabled</span>`}</td>
            <td><span class="state ${each.sufficient ? "good" : "quiet"}"><span class="glyph" aria-hidden="true">${each.sufficient ? "✓" : "…"}</span>${each.sufficient ? "yes" : "not yet"}</span> <${Latest} done=${each.done} /></td>
            <td><${When} at=${each.nextDue} /></td>
          </tr>`,
        )}
      </tbody>
    </table></div>`}
  </section>`;
}

/** @param {{done: any}} props */
function Latest({ done }) {
  const run = done?.run ?? done?.latest ?? null;
  return typeof run === "string" ? html`<a class="mono" href=${toRun(run)}>${run}</a>` : null;
}

const FIGURES = [
  ["median", "median"],
  ["75thPercentile", "75 %"],
  ["95thPercentile", "95 %"],
  ["99thPercentile", "99 %"],
];

/** @param {{name: string}} props */
function Percentiles({ name }) {
  const load = (/** @type {AbortSignal} */ signal) => get(`job/stat/${part(name)}`, {}, { signal });
  const { data } = useAnswer(`stat ${name}`, load, { on: (event) => event.kind === "run" && event.job === name && event.what === "ended" });
  if (!data || data.histogram.count === 0) return null;
  return html`<dl class="figures">
    ${FIGURES.map(([key, label]) => html`<div><dt>${label}</dt><dd>${duration(data.histogram[key])}</dd></div>`)}
    <div><dt>made of</dt><dd>${counted(data.histogram.count, "success", "successes")}</dd></div>
  </dl>`;
}
