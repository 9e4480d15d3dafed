/** A new backfill: for which instants, and how; and what it would run, before it does. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { kindOf } from "../../data/definition.js";
import { clock, counted, day, millis } from "../../data/format.js";
import { get, part, send } from "../../data/http.js";
import { refusal, useMe } from "../../data/me.js";
import { useAnswer } from "../../data/query.js";
import { confirm } from "../../parts/dialog.js";
import { Area, Check, Choose, Text, Variables } from "../../parts/field.js";
import { Instant } from "../../parts/instant.js";
import { Loading, ProblemBox } from "../../parts/problem.js";
import { SearchJobs } from "../../parts/search_jobs.js";
import { VirtualRows } from "../../parts/table.js";
import { JobZone, useZone } from "../../parts/time.js";
import { go, to, toJob } from "../../shell/route.js";
import { tell, tellProblem } from "../../shell/notices.js";
import { faultOf, refusals } from "../edit/faults.js";
import { instantsOf } from "./progress.js";

const PAUSE_MS = 400;
const DAY_MS = 86_400_000;

/** @param {{params: Record<string, string>}} props */
export function NewBackfill({ params }) {
  const name = params.job ?? "";
  const { data, problem } = useAnswer(`backfill of ${name}`, (signal) => (name ? get(`job/${part(name)}`, {}, { signal }) : Promise.resolve(null)));
  return html`<div class="title-row">
      <h1>New backfill${name && html` of <a href=${toJob(name)}>${name}</a>`}</h1>
      <p class="buttons"><a class="button" href=${to(["backfill"])}>All backfills</a></p>
    </div>
    <p class="hint">It runs the job once more for instants of the past, also while the job is paused or disabled.</p>
    <section class="card"><${SearchJobs} label=${name ? "Another job" : "Which job"} add=${(/** @type {string} */ job) => go(to(["backfill"], { job }))} without=${name ? [name] : []} /></section>
    <${ProblemBox} problem=${problem} />
    ${name && !data && !problem && html`<${Loading} />`}
    ${data && html`<${JobZone.Provider} value=${data.scheduleTimeZone || ""}><${Form} job=${data} params=${params} /><//>`}`;
}

/**
 * @typedef {{by: "range" | "instants", from: string, to: string, instants: string, only: string, order: string, concurrency: string,
 *   stopOnFailure: boolean, arguments: string, environment: any[]}} Wanted
 */

/**
 * @param {string} job
 * @param {Wanted} wanted
 */
function bodyOf(job, wanted) {
  const environment = wanted.environment.filter((each) => each.name);
  return {
    job,
    ...(wanted.by === "range" ? { from: wanted.from, to: wanted.to } : { dueAt: instantsOf(wanted.instants).instants }),
    only: wanted.only,
    order: wanted.order,
    concurrency: Number(wanted.concurrency) || 1,
    stopOnFailure: wanted.stopOnFailure,
    ...(wanted.arguments ? { arguments: wanted.arguments } : {}),
    ...(environment.length ? { environment } : {}),
  };
}

/**
 * What is listed for what is wanted; null while that is not said in full.
 * @param {string} job
 * @param {Wanted} wanted
 */
function useList(job, wanted) {
  const [list, setList] = useState({ key: "", data: /** @type {any} */ (null), problem: /** @type {any} */ (null) });
  const body = bodyOf(job, wanted);
  const { instants, wrong } = instantsOf(wanted.instants);
  const complete = wanted.by === "range" ? Boolean(wanted.from && wanted.to) : wrong.length === 0 && instants.length > 0;
  const key = complete ? JSON.stringify(body) : "";
  useEffect(() => {
    if (!key) return;
    let current = true;
    const timer = setTimeout(() => {
      send("POST", "backfill", JSON.parse(key), { params: { dryRun: true } }).then(
        ({ data }) => current && setList({ key, data, problem: null }),
        (problem) => current && setList({ key, data: null, problem }),
      );
    }, PAUSE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [key]);
  return { complete, data: list.key === key ? list.data : null, problem: list.key === key ? list.problem : null };
}

/**
 * @param {{job: Record<string, any>, params: Record<string, string>}} props
 */
function Form({ job, params }) {
  const me = useMe();
  const dependent = kindOf(job) === "dependent";
  const [wanted, setWanted] = useState(
    /** @type {Wanted} */ ({
      by: dependent || params.dueAt ? "instants" : "range", from: params.from ?? "", to: params.to ?? "", instants: params.dueAt ?? "", only: "missing",
      order: "oldest", concurrency: "1", stopOnFailure: false, arguments: "", environment: [],
    }),
  );
  const [turn, setTurn] = useState(0);
  const [busy, setBusy] = useState(false);
  const { complete, data, problem } = useList(job.name, wanted);
  const set = (/** @type {string} */ key) => (/** @type {any} */ value) => setWanted((known) => ({ ...known, [key]: value }));
  const [operator, editor] = [refusal(me, "operator"), refusal(me, "editor")];
  const list = problem ? refusals(problem) : [];
  const { wrong } = instantsOf(wanted.instants);
  const last = (/** @type {number} */ days) => {
    const now = Math.floor(Date.now() / 60_000) * 60_000;
    setWanted((known) => ({ ...known, from: new Date(now - days * DAY_MS).toISOString(), to: new Date(now).toISOString() }));
    setTurn(turn + 1);
  };
  const begin = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!data || data.dueAt.length === 0) return;
    const reason = await confirm({
      title: `Run ${job.name} ${counted(data.dueAt.length, "time")}?`,
      body: html`<p>For ${counted(data.dueAt.length, "instant")}, ${wanted.order} first, at most ${counted(Number(wanted.concurrency) || 1, "run")} at once.</p>`,
      confirm: "Begin the backfill",
      reason: true,
    });
    if (reason === null) return;
    setBusy(true);
    try {
      const answer = await send("POST", "backfill", { ...bodyOf(job.name, wanted), ...(reason ? { reason } : {}) });
      tell({ tone: "good", text: `backfill ${answer.data.backfill} of ${job.name} begins with ${counted(answer.data.dueAt.length, "instant")}` });
      go(to(["backfill", answer.data.backfill]));
    } catch (error) {
      tellProblem("the backfill was not begun", error);
      setBusy(false);
    }
  };
  const modes = /** @type {const} */ ([["range", "A range"], ["instants", "Single instants"]]);
  return html`<form class="edit" onSubmit=${begin}>
    <div class="edit-main">
      <section class="card">
        <div class="kinds" role="group" aria-label="for what">
          ${modes.map(
            ([each, label]) => html`<button
              type="button"
              aria-pressed=${wanted.by === each}
              disabled=${dependent && each === "range"}
              title=${dependent && each === "range" ? "a job with parents has no instants of its own: name them" : undefined}
              onClick=${() => set("by")(each)}
            >
              ${label}
            </button>`,
          )}
        </div>
        ${wanted.by === "range"
          ? html`<p class="presets">
                <button type="button" class="chip" onClick=${() => last(1)}>the last day</button>
                <button type="button" class="chip" onClick=${() => last(7)}>the last 7 days</button>
                <button type="button" class="chip" onClick=${() => last(30)}>the last 30 days</button>
              </p>
              <div class="fields" key=${turn}>
                <${Instant} label="From" value=${wanted.from} set=${set("from")} problem=${faultOf(list, "from")} hint="Itself included." />
                <${Instant} label="To" value=${wanted.to} set=${set("to")} problem=${faultOf(list, "to")} hint="Itself not." />
              </div>`
          : html`<${Area}
              label="Instants"
              rows=${5}
              value=${wanted.instants}
              set=${set("instants")}
              placeholder="2026-01-01T02:00:00Z"
              problem=${wrong.length ? `${wrong.slice(0, 3).join(", ")}: no instant; write one such as 2026-01-01T02:00:00Z` : faultOf(list, "dueAt")}
              hint="With blanks, commas or line breaks between."
            />`}
        <${Choose}
          label="Which of them"
          value=${wanted.only}
          set=${set("only")}
          options=${[["missing", "those without a success"], ["all", "all, also those that have succeeded"]]}
        />
      </section>
      <section class="card">
        <h2>How</h2>
        <div class="fields">
          <${Choose} label="Order" value=${wanted.order} set=${set("order")} options=${[["oldest", "oldest first"], ["newest", "newest first"]]} />
          <${Text} label="At once" type="number" min="1" max="100" value=${wanted.concurrency} set=${set("concurrency")} problem=${faultOf(list, "concurrency")} />
          <${Text} label="Arguments" mono value=${wanted.arguments} set=${set("arguments")} placeholder=${(job.arguments ?? []).join(" ") || "the job’s own"} problem=${faultOf(list, "arguments")} />
        </div>
        <${Check} label="Stop at the first that does not succeed" value=${wanted.stopOnFailure} set=${set("stopOnFailure")} />
        <${Variables}
          label="Variables for these runs alone"
          items=${wanted.environment}
          set=${set("environment")}
          disabled=${editor !== null}
          title=${editor ?? undefined}
          hint=${editor ?? undefined}
          problem=${faultOf(list, "environment")}
        />
      </section>
    </div>
    <aside class="edit-side">
      <section class="card">
        <h2>What would be run</h2>
        ${!complete && html`<p class="none">Say for which time first.</p>`} ${complete && !data && !problem && html`<${Loading} lines=${3} />`}
        <${ProblemBox} problem=${problem} />
        ${data?.warnings.map((/** @type {string} */ text) => html`<p class="warning">${text}</p>`)} ${data && html`<${Listed} instants=${data.dueAt} />`}
        <p class="buttons">
          <button class="primary" disabled=${operator !== null || busy || !data || data.dueAt.length === 0} title=${operator ?? undefined}>Begin…</button>
        </p>
      </section>
    </aside>
  </form>`;
}

/** @param {{instants: string[]}} props */
function Listed({ instants }) {
  const zone = useZone();
  if (instants.length === 0) return html`<p class="none">Nothing: all of it has succeeded, or the schedule names nothing in it.</p>`;
  const row = (/** @type {number} */ index) => {
    const at = millis(instants[index]);
    return html`<div class="instant-row" role="row" key=${instants[index]}><span role="cell" class="number"><time datetime=${instants[index]}>${day(at, zone)} ${clock(at, zone)}</time></span></div>`;
  };
  return html`<p><strong>${counted(instants.length, "run")}</strong>, in this order:</p>
    <${VirtualRows} total=${instants.length} height=${30} row=${row} label="instants" />`;
}
