/** Now: what runs, what waits and why, what is late, what failed, what comes, and who decides. */

import { html } from "../vendor/preact.js";
import { count, counted, millis } from "../data/format.js";
import { about, useGet } from "../data/query.js";
import { useZone, When, Lasting } from "../parts/time.js";
import { Empty, Loading, ProblemBox } from "../parts/problem.js";
import { standing, State, why } from "../parts/state.js";
import { Strip } from "../parts/strip.js";
import { HourBars } from "../parts/hours.js";
import { to, toJob, toRun } from "../shell/route.js";
import { Banners, PauseEverything } from "../parts/banners.js";

const LISTED = 12;
const FIRST_JOB = `chronode job put - <<'EOF'
{"name": "hello", "schedule": "* * * * *", "command": "echo hello, world"}
EOF`;

export default function Now() {
  const jobs = useGet("overview", { limit: 0 }, { on: about(["job", "run", "pause", "stretch"]), every: 60_000 });
  const info = useGet("info", {}, { on: about(["launcher", "clock", "pause", "term"]) });
  const counts = jobs.data?.counts;

  if (jobs.problem && !jobs.data) return html`<${ProblemBox} problem=${jobs.problem} retry=${jobs.reload} />`;
  if (!counts) return html`<${Loading} lines=${8} />`;
  if (counts.all === 0) return html`<${Welcome} />`;
  return html`<div class="now">
    <div class="title-row">
      <h1>Now</h1>
      ${info.data && !info.data.paused && html`<p class="buttons"><${PauseEverything} /></p>`}
    </div>
    <${Banners} info=${info.data} />
    <div class="tiles">
      <${Tile} tone="running" glyph="▶" name="running" amount=${counts.running} address=${to(["jobs"], { state: "running" })} />
      <${Tile} tone="quiet" glyph="…" name="waiting" amount=${counts.waiting} address=${to(["jobs"], { state: "waiting" })} />
      <${Tile} tone="late" glyph="◷" name="late" amount=${counts.late} address=${to(["jobs"], { state: "late" })} />
      <${Tile} tone="bad" glyph="✕" name="failing" amount=${counts.failing} address=${to(["jobs"], { state: "failing" })} />
      <${Tile} tone="stopped" glyph="‖" name="paused" amount=${counts.paused} address=${to(["jobs"], { state: "paused" })} />
      <${Tile} tone="quiet" glyph="⊘" name="disabled" amount=${counts.disabled} address=${to(["jobs"], { state: "disabled" })} />
      <${Tile} tone="good" glyph="Σ" name="jobs" amount=${counts.all} address=${to(["jobs"])} />
    </div>
    <div class="cards">
      <${Running} amount=${counts.running} />
      <${Waiting} />
      <${Late} amount=${counts.late} />
      <${Failing} amount=${counts.failing} />
      <${Ahead} />
      <${House} info=${info.data} />
    </div>
  </div>`;
}

/** @param {{tone: string, glyph: string, name: string, amount: number, address: string}} props */
function Tile({ tone, glyph, name, amount, address }) {
  return html`<a class="tile ${amount ? tone : "quiet"}" href=${address}>
    <span class="glyph" aria-hidden="true">${glyph}</span>
    <b class="number">${count(amount)}</b>
    <span>${name}</span>
  </a>`;
}

/** @param {{title: string, all?: string, children?: any}} props */
function Card({ title, all, children }) {
  return html`<section class="card" aria-label=${title}>
    <div class="card-head">
      <h2>${title}</h2>
      ${all && html`<a href=${all}>all</a>`}
    </div>
    ${children}
  </section>`;
}

/** @param {{answer: import("../data/query.js").Answer<any>, list: any[] | undefined, none: string, row: (each: any) => any}} props */
function List({ answer, list, none, row }) {
  if (answer.problem && !answer.data) return html`<${ProblemBox} problem=${answer.problem} retry=${answer.reload} />`;
  if (!list) return html`<${Loading} lines=${3} />`;
  if (list.length === 0) return html`<p class="none">${none}</p>`;
  return html`<ul class="runs">${list.map(row)}</ul>`;
}

/**
 * The running jobs and what each of them runs: counted by the server, so that none is left out of the count.
 * @param {{amount: number}} props
 */
function Running({ amount }) {
  const answer = useGet("overview", { state: "running", limit: LISTED }, { on: about(["run", "job"]) });
  return html`<${Card} title="Running" all=${to(["jobs"], { state: "running" })}>
    <${List}
      answer=${answer}
      list=${answer.data?.jobs}
      none="Nothing runs at this moment."
      row=${(/** @type {any} */ job) => {
        const runs = job.recent.filter((/** @type {any} */ run) => run.run && run.startedAt && !run.endedAt);
        const [run] = runs;
        return html`<li key=${job.name}>
          <${State} state=${run ? standing(run) : "running"} small=${true} />
          <a class="name" href=${run ? toRun(run.run) : toJob(job.name)}>${job.name}</a>
          <span class="soft">${job.running > 1 ? html`<a href=${to(["history"], { job: job.name, live: true })}>${counted(job.running, "run")}</a>` : run ? why(run.why) : ""}</span>
          ${run && html`<${Lasting} from=${run.startedAt} />`}
        </li>`;
      }}
    />
    <${Others} more=${amount - LISTED} />
  <//>`;
}

/** @param {{more: number}} props */
function Others({ more }) {
  return more > 0 ? html`<p class="hint">and ${counted(more, "other job")}</p>` : null;
}

function Waiting() {
  const answer = useGet("backlog", { limit: LISTED }, { on: about(["run", "pause", "launcher", "job"]), every: 30_000 });
  return html`<${Card} title="Waiting" all=${to(["jobs"], { state: "waiting" })}>
    <${List}
      answer=${answer}
      list=${answer.data?.runs}
      none="Nothing waits."
      row=${(/** @type {any} */ run) => html`<li key=${run.id ?? run.run}>
        <${State} state=${standing(run)} small=${true} />
        <a class="name" href=${toRun(run.id ?? run.run)}>${run.job}</a>
        <${When} at=${run.trigger?.dueAt ?? run.dueAt} />
        <span class="reason">${run.reasons?.[0]?.text ?? ""}</span>
      </li>`}
    />
    ${answer.data?.total > LISTED && html`<p class="hint">and ${counted(answer.data.total - LISTED, "other")}</p>`}
  <//>`;
}

/** @param {{amount: number}} props */
function Late({ amount }) {
  const answer = useGet("overview", { state: "late", limit: LISTED }, { on: about(["run", "job", "stretch"]), every: 30_000 });
  return html`<${Card} title="Late" all=${to(["jobs"], { state: "late" })}>
    <${List}
      answer=${answer}
      list=${answer.data?.jobs}
      none="Nothing is late."
      row=${(/** @type {any} */ job) => html`<li key=${job.name}>
        <span class="state late small"><span class="glyph" aria-hidden="true">◷</span><span class="unseen">late</span></span>
        <a class="name" href=${toJob(job.name, { tab: "explain" })}>${job.name}</a>
        <span class="soft">${job.words}</span>
      </li>`}
    />
    <${Others} more=${amount - LISTED} />
  <//>`;
}

/**
 * Jobs whose last run failed, whose failure is newest first; what failed and has succeeded since is in the history.
 * @param {{amount: number}} props
 */
function Failing({ amount }) {
  const answer = useGet("overview", { state: "failing", limit: 200 }, { on: about(["run", "job"]) });
  const list = answer.data?.jobs
    .map((/** @type {any} */ job) => ({ job, failures: job.recent.filter((/** @type {any} */ run) => run.verdict === "failed" || run.verdict === "lost") }))
    .sort((/** @type {any} */ one, /** @type {any} */ other) => ended(other) - ended(one));
  return html`<${Card} title="Failing" all=${to(["jobs"], { state: "failing" })}>
    <${List}
      answer=${answer}
      list=${list?.slice(0, LISTED)}
      none="The last run of every job succeeded."
      row=${(/** @type {any} */ { job, failures }) => {
        const last = failures.at(-1);
        return html`<li key=${job.name}>
          <${State} state=${last ? standing(last) : "failed"} small=${true} />
          <a class="name" href=${last?.run ? toRun(last.run) : toJob(job.name, { tab: "explain" })}>${job.name}</a>
          <${Strip} recent=${job.recent} length=${10} />
          <${When} at=${last?.endedAt ?? null} />
        </li>`;
      }}
    />
    <${Others} more=${amount - LISTED} />
    <p class="hint"><a href=${to(["history"], { verdict: "failed" })}>All failures</a></p>
  <//>`;
}

/** @param {{failures: any[]}} of when the newest failure ended, in milliseconds */
const ended = ({ failures }) => (failures.at(-1)?.endedAt ? millis(failures.at(-1).endedAt) : 0);

function Ahead() {
  const zone = useZone();
  const answer = useGet("forecast", { limit: LISTED, per: "hour" }, { on: about(["job", "pause"]), every: 60_000 });
  const forecast = answer.data;
  return html`<${Card} title="Next 24 hours" all=${to(["forecast"])}>
    ${forecast && html`<${HourBars} forecast=${forecast} zone=${zone} />`}
    <${List}
      answer=${answer}
      list=${forecast?.starts}
      none="Nothing is due."
      row=${(/** @type {any} */ start) => html`<li key=${start.job + start.dueAt}>
        <${When} at=${start.opensAt} exactly=${true} />
        <a class="name" href=${toJob(start.job)}>${start.job}</a>
        <${When} at=${start.opensAt} />
      </li>`}
    />
    ${forecast && html`<p class="hint">${counted(forecast.total, "start")}${forecast.complete ? "" : " and more"} in the next 24 hours</p>`}
  <//>`;
}

/** @param {{info: any}} props */
function House({ info }) {
  const agents = useGet("agents", {}, { on: about(["launcher", "run"]), every: 60_000 });
  const leader = useGet("leader", {}, { on: about(["term"]) });
  const list = agents.data?.agents ?? [];
  return html`<${Card} title="Leader and agents" all=${to(["cluster"])}>
    <dl class="facts">
      <dt>leader</dt>
      <dd>${leader.data?.leader || "nobody leads"}</dd>
      <dt>launcher</dt>
      <dd>${info ? `${info.launcher.kind}, ${info.launcher.state}` : "…"}</dd>
      <dt>version</dt>
      <dd>${info?.version ?? "…"}</dd>
      ${list.slice(0, 6).map(
        (/** @type {any} */ agent) => html`<dt>${agent.name}</dt>
          <dd>${agent.problem ?? counted(agent.runs, "live run")}</dd>`,
      )}
    </dl>
  <//>`;
}

function Welcome() {
  return html`<div class="welcome">
    <h1>There is no job yet</h1>
    <p>A job is a command with a schedule, or with other jobs that it follows. <a href="#/new">Create one here</a>, or from a shell:</p>
    <${Empty} title="A first job" command=${FIRST_JOB}>It runs each minute, and appears here by itself.<//>
    <p>Jobs of another scheduler come over with <code>chronode import chronos</code>; the API of Chronos is answered at <code>/scheduler</code> and <code>/v1/scheduler</code>.</p>
  </div>`;
}
