/** How a run stands, at a glance, and the answer to why. */

import { html } from "../../vendor/preact.js";
import { duration, millis } from "../../data/format.js";
import { useNow } from "../../data/present.js";
import { State, standing, why } from "../../parts/state.js";
import { Lasting, When } from "../../parts/time.js";
import { to, toJob, toRun } from "../../shell/route.js";
import { exitOf, lateness } from "./verbs.js";

/** What `dueAt` is of a run that exists for this reason. */
/** @type {Record<string, string>} */
const STANDS_FOR = {
  schedule: "the instant of the schedule that it stands for",
  catchUp: "the missed instant of the schedule that it stands for",
  parents: "the latest instant that the runs of its parents stand for",
  manual: "the instant that it stands for: when it was asked for, or the one that was named",
  retry: "the instant that the run which it retries stood for",
  backfill: "the instant of the past that it is run again for",
};

/** Sentences that say why a run exists; the others say how it stands. */
const EXISTS = ["scheduled", "caughtUp", "askedFor", "retries", "backfills", "followed"];
/** Sentences about one agent each. */
const OF_AGENTS = ["misfit", "moreMisfits"];
const LATER_THAN_MS = 1_000;

/**
 * @param {{run: any, definition: any, explained: any, children?: any}} props
 */
export function Header({ run, definition, explained, children }) {
  const last = run.attempts[run.attempts.length - 1];
  const first = run.attempts[0];
  const most = definition && Number.isInteger(definition.retries) ? definition.retries + 1 : null;
  const exit = last ? exitOf(last.exit) : null;
  const end = run.endedAt;
  return html`<header class="run-head">
    <div class="title-row">
      <span role="status"><${State} state=${standing(run)} /></span>
      <h1><a href=${toJob(run.job)}>${run.job}</a></h1>
      <code class="run-id" title="the id of this run">${run.id}</code>
      ${children}
    </div>
    <${Reasons} explained=${explained} />
    <dl class="glance">
      <${Fact} name="Due" hint=${STANDS_FOR[run.trigger.kind] ?? ""}><${When} at=${run.trigger.dueAt} exactly=${true} /> <small><${When} at=${run.trigger.dueAt} /></small><//>
      <${Fact} name="Why" broad=${Boolean(run.trigger.retryOf || run.trigger.backfill || run.causes?.length)}><${Because} run=${run} /><//>
      <${Fact} name="Started"><${When} at=${first?.startedAt ?? null} exactly=${true} none="not yet" /><//>
      <${Fact} name="Late by"><${Lateness} run=${run} /><//>
      <${Fact} name="Took" hint="from the start of its first attempt to its end"><${Lasting} from=${first?.startedAt ?? null} to=${end} /><//>
      <${Fact} name="Exit code">${exit ? html`<span class="exit ${exit.tone}">${exit.text}</span>` : html`<span class="none">${last && last.state === "ended" ? "not known" : "–"}</span>`}<//>
      <${Fact} name="Attempts" hint="tried, and how many there may be by the definition as it is now"
        >${run.attempts.length}${most !== null && html` <small>of ${run.attempts.length > most ? run.attempts.length : most}</small>`}${run.retryAt && html` <small>next <${When} at=${run.retryAt} /></small>`}<//
      >
      <${Fact} name=${last?.hostname ? "Host" : "Agent"} broad=${Boolean(last?.hostname)} hint=${last?.hostname ? `agent ${last.agent}` : ""}>${last?.hostname ?? last?.agent ?? html`<span class="none">–</span>`}<//>
      ${run.by && html`<${Fact} name="Asked by"><${Somebody} who=${run.by} /><//>`}
      ${run.stoppedBy && html`<${Fact} name="Stopped by"><${Somebody} who=${run.stoppedBy} /><//>`}
      ${run.reportBy && html`<${Fact} name="Report due"><${When} at=${run.reportBy} /><//>`}
      ${run.startDeadline && run.state !== "ended" && !first && html`<${Fact} name="Start by" hint="after that it is missed"><${When} at=${run.startDeadline} exactly=${true} /><//>`}
    </dl>
  </header>`;
}

/** @param {{name: string, hint?: string, broad?: boolean, children?: any}} props */
function Fact({ name, hint, broad = false, children }) {
  return html`<div class=${broad ? "broad" : ""} title=${hint || undefined}>
    <dt>${name}</dt>
    <dd>${children}</dd>
  </div>`;
}

/** @param {{who: {by: string, at: string, reason: string}}} props */
function Somebody({ who }) {
  return html`<b>${who.by}</b> <small><${When} at=${who.at} /></small>${who.reason && html`<q class="reason" title=${who.reason}>${who.reason}</q>`}`;
}

/** Why it exists, with what led to it. @param {{run: any}} props */
function Because({ run }) {
  const { kind, retryOf, backfill } = run.trigger;
  const causes = run.causes ?? [];
  return html`${why(kind)}${retryOf && html` of <a class="mono" href=${toRun(retryOf)}>${retryOf}</a>`}${backfill &&
  html` <a class="mono" href=${to(["backfill", backfill])}>${backfill}</a>`}${causes.length > 0 &&
  html`<small class="causes"
    >${causes.slice(0, 3).map((/** @type {string} */ cause) => html` <a class="mono" href=${toRun(cause)}>${cause}</a>`)}${causes.length > 3 &&
    html` <a href=${toRun(run.id, { tab: "lineage" })}>and ${causes.length - 3} more</a>`}</small
  >`}`;
}

/** @param {{run: any}} props */
function Lateness({ run }) {
  const now = useNow();
  const { from, to: started, since } = lateness(run);
  if (!started && run.state === "ended") return html`<span class="none">–</span>`;
  const length = (started ? millis(started) : now) - millis(from);
  if (length < 0 && !started) return html`<span class="none">not yet due</span>`;
  return html`<span class=${length >= LATER_THAN_MS && !started ? "late-now" : ""} title=${since}>${duration(Math.max(0, length))}</span>`;
}

/**
 * Sentences of the server: how it stands first, because that is what is asked.
 * @param {{explained: any, full?: boolean}} props `full` with their codes, and what they are
 */
export function Reasons({ explained, full = false }) {
  if (!explained) return html`<ul class="reasons ${full ? "full" : ""}" aria-busy="true"><li>…</li></ul>`;
  /** @type {{code: string, text: string}[]} */
  // What is against each agent is told in a table below the full list.
  const all = explained.agents?.length ? explained.reasons.filter((/** @type {any} */ each) => !OF_AGENTS.includes(each.code)) : explained.reasons;
  const sorted = full ? all : [...all.filter(({ code }) => !EXISTS.includes(code)), ...all.filter(({ code }) => EXISTS.includes(code))];
  return html`<ul class="reasons ${full ? "full" : ""}">
      ${sorted.map(({ code, text }, index) => html`<li class=${index === 0 && !full ? "first" : ""}>${full && html`<code class="badge">${code}</code>`}<span><${Sentence} text=${text} /></span></li>`)}
    </ul>
    ${full && html`<p class="hint">Calculated now, from what the decisions themselves look at. The word before each stays the same between versions; <code>chronode explain ${explained.run}</code> says the same. <a href=${toJob(explained.job, { tab: "explain" })}>Why its job stands as it does</a> is told there.</p>`}`;
}

/** What in a sentence of the server is an instant, or the id of a run. */
const TOLD = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)|\b(j\d+-[a-z]\d+)\b/;

/** A sentence of the server, its instants in the reader's zone. @param {{text: string}} props */
export function Sentence({ text }) {
  // A sentence may also begin with somebody's name.
  const first = /^(it|its|the|this|attempt|nobody|nothing|no|another|an?)\b/.test(text) ? text.slice(0, 1).toUpperCase() : text.slice(0, 1);
  const begun = `${first}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
  // Split by a pattern with two groups: text, instant, id, text, and so on.
  return html`${begun.split(TOLD).map((each, index) => {
    if (!each) return null;
    if (index % 3 === 1) return html`<${When} at=${each} exactly=${true} />`;
    if (index % 3 === 2) return html`<a class="mono" href=${toRun(each)}>${each}</a>`;
    return each;
  })}`;
}
