/** What is known of the job that was chosen in the graph, and what decided when its last chain was over. */

import { html } from "../../vendor/preact.js";
import { duration } from "../../data/format.js";
import { get, part } from "../../data/http.js";
import { refusal, useMe } from "../../data/me.js";
import { about, useAnswer, useGet } from "../../data/query.js";
import { State, standing, why } from "../../parts/state.js";
import { runNow } from "../../parts/run_now.js";
import { Loading, ProblemBox } from "../../parts/problem.js";
import { Lasting, When } from "../../parts/time.js";
import { useKeys } from "../../shell/keys.js";
import { tell } from "../../shell/notices.js";
import { go, to, toJob, toRun } from "../../shell/route.js";
import { jobLook, standingOf } from "./states.js";

/** Names told of parents and children before the rest is counted. */
const NAMED = 12;

/**
 * @typedef {object} Known
 * @property {any} job its definition, as the API prints it
 * @property {string | null} words its schedule in words; null where it has none
 * @property {{code: string, text: string}[]} reasons
 */

/**
 * @param {string} name
 * @param {AbortSignal} signal
 * @returns {Promise<Known>}
 */
async function ask(name, signal) {
  const [job, explained] = await Promise.all([get(`job/${part(name)}`, {}, { signal }), get(`explain/${part(name)}`, {}, { signal })]);
  const words = job.schedule ? (await get("preview", { job: name, count: 1 }, { signal })).description : null;
  return { job, words, reasons: explained.reasons };
}

/**
 * @param {{name: string, node: import("./picture.js").Node | null, parents: string[], children: string[], more: number,
 *   run: any, critical: import("./critical.js").CriticalPath | null, chainProblem: Error | null, truncated: boolean,
 *   choose: (job: string | null) => void}} props `more` is how many
 *   children are not in the picture; `run` is the newest one, null where there is none
 */
export function Side({ name, node, parents, children, more, run, critical, chainProblem, truncated, choose }) {
  const known = useAnswer(`graph side ${name}`, (signal) => ask(name, signal), { on: about(["job", "run", "pause"], name) });
  const refused = refusal(useMe(), "operator");
  const start = () => (refused ? tell({ tone: "bad", text: `${name} was not started: it ${refused}` }) : void runNow(name));
  useKeys([
    { key: "r", does: "run the chosen job now", run: start },
    { key: "Enter", does: "open the chosen job", run: () => go(toJob(name)) },
  ]);
  const look = node && jobLook(standingOf(node));
  return html`<aside class="graph-side card" aria-label=${`job ${name}`}>
    <div class="side-title">
      <h2><a href=${toJob(name)}>${name}</a></h2>
      <button class="quiet" aria-label="close" title="close (Esc)" onClick=${() => choose(null)}>×</button>
    </div>
    ${look && html`<p><span class="state ${look.tone}"><span class="glyph" aria-hidden="true">${look.glyph}</span>${look.word}</span></p>`}
    <${ProblemBox} problem=${known.problem} retry=${known.reload} />
    ${!known.data && !known.problem && html`<${Loading} lines=${5} />`}
    ${known.data &&
    html`<dl class="facts">
      <dt>Runs</dt>
      <dd>${known.data.words ?? afterParents(known.data.job.parents ?? parents)}</dd>
      <dt>Next</dt>
      <dd><${When} at=${known.data.job.nextDue ?? node?.nextDue ?? null} none=${parents.length ? "when its parents are done" : "–"} /></dd>
      <dt>Last run</dt>
      <dd>${run ? html`<${LastRun} run=${run} />` : html`<span class="none">none yet</span>`}</dd>
      <${Names} label="After" names=${known.data.job.parents?.length ? known.data.job.parents : parents} more=${0} choose=${choose} />
      <${Names} label="Before" names=${children} more=${more} choose=${choose} />
    </dl>`}
    <p class="links">
      <button disabled=${refused !== null} title=${refused ?? "r"} onClick=${start}>Run now</button>
      <a class="button" href=${toJob(name)}>Job</a>
      ${run && html`<a class="button" href=${toRun(run.id)}>Last run</a>`}
      <a class="button" href=${to(["graph"], { job: name, at: name })}>Neighbourhood</a>
    </p>
    ${known.data && known.data.reasons.length > 0 &&
    html`<h3>Why</h3>
      <ul class="side-why">
        ${known.data.reasons.map(({ code, text }) => html`<li key=${code}>${text}</li>`)}
      </ul>`}
    ${chainProblem && html`<${ProblemBox} problem=${chainProblem} />`}
    ${critical && critical.stages.length > 1 && html`<${Critical} path=${critical} name=${name} truncated=${truncated} choose=${choose} />`}
  </aside>`;
}

/** @param {string[]} parents */
const afterParents = (parents) => (parents.length ? `after ${parents.length > 3 ? `its ${parents.length} parents` : parents.join(" and ")}` : "only by hand");

/** @param {{run: any}} props */
function LastRun({ run }) {
  const first = run.attempts[0];
  return html`<a href=${toRun(run.id)}><${State} state=${standing(run)} /></a> <${When} at=${run.endedAt ?? first?.startedAt ?? run.createdAt} />
    ${first?.startedAt && html`<small> · <${Lasting} from=${first.startedAt} to=${run.endedAt} /></small>`}
    <small> · ${why(run.trigger.kind)}</small>`;
}

/** @param {{label: string, names: string[], more: number, choose: (job: string) => void}} props */
function Names({ label, names, more, choose }) {
  if (names.length + more === 0) return null;
  const rest = Math.max(0, names.length - NAMED) + more;
  return html`<dt>${label}</dt>
    <dd>
      <ul class="kin-names">
        ${names.slice(0, NAMED).map(
          (name) => html`<li key=${name}><button class="as-link" onClick=${() => choose(name)}>${name}</button></li>`,
        )}
        ${rest > 0 && html`<li class="none">${names.length ? "and " : ""}${rest} more</li>`}
      </ul>
    </dd>`;
}

/**
 * @param {{path: import("./critical.js").CriticalPath, name: string, truncated: boolean, choose: (job: string) => void}} props
 */
function Critical({ path, name, truncated, choose }) {
  const on = path.stages.some((stage) => stage.job === name);
  const total = Math.max(1, path.totalMs);
  const share = (/** @type {number} */ ms) => `${Math.max(0, Math.min(100, (100 * ms) / total))}%`;
  return html`<h3>What its last chain waited for</h3>
    <p class="hint">
      ${duration(path.totalMs)} from the first run to the last${path.stages.some((stage) => stage.live) ? ", and it goes on" : ""}.
      ${on ? "" : ` ${name} was not on this path: a faster run of it would have changed nothing.`}
      ${truncated ? " The chain is longer than what is told of it." : ""}
    </p>
    <ol class="critical-path">
      ${path.stages.map(
        (stage) => html`<li key=${stage.run}>
          <span class="what">
            <button class="as-link" onClick=${() => choose(stage.job)} aria-current=${stage.job === name ? "true" : undefined}>${stage.job}</button>
            <a class="number" href=${toRun(stage.run)} title="this run">${duration(stage.tookMs)}</a>
          </span>
          <span class="track" aria-hidden="true">
            <i class="wait" style=${{ left: share(stage.startsAfterMs - stage.waitedMs), width: share(stage.waitedMs) }}></i>
            <i class="took" style=${{ left: share(stage.startsAfterMs), width: share(stage.tookMs) }}></i>
          </span>
          ${stage.waitedMs >= 1_000 && html`<small>waited ${duration(stage.waitedMs)} before it started</small>`}
        </li>`,
      )}
    </ol>`;
}

/**
 * The newest run of a job, asked for anew with its events.
 * @param {string | null} job
 */
export function useLastRun(job) {
  // A few, because entries about occurrences that were missed or skipped are not runs.
  const answer = useGet(job === null ? null : "runs", { job, limit: 5 }, { on: about(["run"], job) });
  return answer.data?.runs.find((/** @type {any} */ each) => each.kind === "run") ?? null;
}
