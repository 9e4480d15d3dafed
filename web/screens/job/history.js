/** All that became of a job, page by page, newest first. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { duration } from "../../data/format.js";
import { useNow } from "../../data/present.js";
import { about, useGet } from "../../data/query.js";
import { Empty, Loading, ProblemBox } from "../../parts/problem.js";
import { standing, State, why } from "../../parts/state.js";
import { When } from "../../parts/time.js";
import { useKeys } from "../../shell/keys.js";
import { choose, go, to, toRun } from "../../shell/route.js";
import { lateness, took } from "./bars.js";

const PAGE = 50;
const VERDICTS = ["succeeded", "failed", "missed", "skipped", "killed", "lost", "superseded"];

/**
 * @param {{name: string, params: Record<string, string>}} props
 */
export function History({ name, params }) {
  const { verdict, before } = params;
  const live = params.live === "true";
  const asked = { job: name, verdict, live: live ? true : null, before, limit: PAGE };
  // An older page changes no more.
  const { data, problem, loading, reload } = useGet("runs", asked, before ? {} : { on: about(["run", "stretch"], name) });
  const [active, setActive] = useState(-1);
  const runs = data?.runs ?? [];
  useEffect(() => setActive(-1), [verdict, before, live]);

  const move = (/** @type {number} */ by) => setActive((at) => Math.max(0, Math.min(runs.length - 1, at + by)));
  useKeys([
    { key: "j", does: "next run", run: () => move(1) },
    { key: "k", does: "run before", run: () => move(-1) },
    { key: "Enter", does: "open the run", run: () => runs[active]?.kind === "run" && go(toRun(runs[active].id)) },
  ]);
  const chip = (/** @type {string} */ label, /** @type {boolean} */ pressed, /** @type {Record<string, any>} */ changes) =>
    html`<button class="chip" aria-pressed=${pressed} onClick=${() => choose({ before: null, ...changes })}>${label}</button>`;

  return html`<section>
    <div class="filters" role="group" aria-label="which runs">
      ${chip("all", !verdict && !live, { verdict: null, live: null })} ${chip("not over", live, { verdict: null, live: true })}
      ${VERDICTS.map((each) => chip(each, verdict === each, { verdict: each, live: null }))}
    </div>
    <${ProblemBox} problem=${problem} retry=${reload} />
    ${loading && !data && html`<${Loading} lines=${10} />`}
    ${data && runs.length === 0 && html`<${Empty} title=${before ? "Nothing older" : "No such run"}>${verdict || live ? "Choose another filter above." : "It has never run."}<//>`}
    ${runs.length > 0 && html`<div class="card"><${RunTable} entries=${runs} active=${active} /></div>`}
    <p class="pages">
      ${before && html`<a class="button" href=${to(["job", name], { ...params, before: null })}>Newest</a>`}
      ${data?.next && html`<a class="button" href=${to(["job", name], { ...params, before: data.next })}>Older</a>`}
    </p>
  </section>`;
}

/**
 * @param {{entries: any[], active?: number, short?: boolean}} props `short`: what fits in half a page
 */
export function RunTable({ entries, active = -1, short = false }) {
  const now = useNow();
  return html`<div class="scroll-x">
    <table class="runs-table">
      <thead>
        <tr>
          <th scope="col">state</th>
          <th scope="col">due</th>
          <th scope="col">took</th>
          <th scope="col">why</th>
          ${!short && html`<th scope="col">late</th><th scope="col">tries</th><th scope="col">agent</th><th scope="col">how it ended</th>`}
        </tr>
      </thead>
      <tbody>
        ${entries.map((entry, index) => (entry.kind === "run" ? html`<${Run} run=${entry} active=${index === active} short=${short} now=${now} />` : html`<${Stretch} entry=${entry} short=${short} />`))}
      </tbody>
    </table>
  </div>`;
}

/** @param {{run: any, active: boolean, short: boolean, now: number}} props */
function Run({ run, active, short, now }) {
  const last = run.attempts[run.attempts.length - 1];
  const [length, late] = [took(run, now), lateness(run)];
  const asked = run.by ? `${run.by.by}${run.by.reason ? `: ${run.by.reason}` : ""}` : "";
  return html`<tr class=${active ? "active" : ""} aria-selected=${active ? "true" : undefined}>
    <td><a class="whole" href=${toRun(run.id)} title=${run.id}><${State} state=${standing(run)} /></a></td>
    <td class="number"><${When} at=${run.trigger.dueAt} exactly /></td>
    <td class="number">${length === null ? html`<span class="none">–</span>` : duration(length)}</td>
    <td>${why(run.trigger.kind)}${asked && html` <small title=${asked}>${asked}</small>`}</td>
    ${!short &&
    html`<td class="number">${late === null ? html`<span class="none">–</span>` : duration(late)}</td>
      <td class="number">${run.attempts.length}</td>
      <td>${last?.agent ?? html`<span class="none">–</span>`}</td>
      <td class="reason">${ending(run, last)}</td>`}
  </tr>`;
}

/**
 * @param {any} run
 * @param {any} last
 */
function ending(run, last) {
  const { exit } = last ?? {};
  if (exit?.couldNotStart) return `could not start: ${exit.couldNotStart}`;
  if (exit?.signal) return `signal ${exit.signal}`;
  if (exit?.code) return `exit code ${exit.code}`;
  return run.reason || (exit?.code === 0 ? "exit code 0" : "");
}

/** @param {{entry: any, short: boolean}} props */
function Stretch({ entry, short }) {
  return html`<tr>
    <td><${State} state=${entry.verdict} /> ${entry.count > 1 && html`<small>${entry.count} times</small>`}</td>
    <td class="number">
      <${When} at=${entry.firstDueAt} exactly />${entry.count > 1 && html` to <${When} at=${entry.lastDueAt} exactly />`}
    </td>
    <td><span class="none">–</span></td>
    <td colspan=${short ? 1 : 5} class="reason">${entry.reason}</td>
  </tr>`;
}
