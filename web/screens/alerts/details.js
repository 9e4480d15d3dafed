/** One incident: its latest alerts, and the messages that told of it. */

import { html } from "../../vendor/preact.js";
import { count } from "../../data/format.js";
import { linkOf } from "../../data/link.js";
import { about, useGet } from "../../data/query.js";
import { Loading, ProblemBox } from "../../parts/problem.js";
import { Sentence } from "../../parts/sentence.js";
import { When } from "../../parts/time.js";
import { to, toJob, toRun } from "../../shell/route.js";
import { Notification } from "./outbox.js";
import { lookOf, newestFirst } from "./words.js";

/** @param {{incident: import("./words.js").Incident, me: import("../../data/me.js").Me}} props */
export function Details({ incident, me }) {
  const { data, problem, reload } = useGet(`incident/${encodeURIComponent(incident.id)}`, {}, { on: about(["incident", "notification"]) });
  const latest = newestFirst((data ?? incident).latest);
  return html`<div class="incident-details">
    <h4>Alerts${incident.alerts > latest.length && ` (the newest ${count(latest.length)} of ${count(incident.alerts)})`}</h4>
    <ul>${latest.map((alert) => html`<${Alert} key=${alert.id} alert=${alert} />`)}</ul>
    <h4>Notifications</h4>
    ${!data && (problem ? html`<${ProblemBox} problem=${problem} retry=${reload} />` : html`<${Loading} lines=${2} />`)}
    ${data?.notifications.length === 0 && html`<p class="soft">${incident.told.length > 0 ? "None of its own: it is told in a digest, together with others." : "None was made: nobody is to be told of it, or it is silenced."}</p>`}
    <ul>${data?.notifications.map((/** @type {any} */ each) => html`<${Notification} key=${each.id} notification=${each} me=${me} changed=${reload} brief=${true} />`)}</ul>
  </div>`;
}

/** @param {{alert: import("./words.js").Alert}} props */
function Alert({ alert: { kind, at, job, run, backfill, reason, retryAt, nextDueAt, runbook } }) {
  const { glyph, tone, word } = lookOf(kind);
  const link = linkOf(runbook);
  return html`<li>
    <${When} at=${at} exactly=${true} />
    <span><span class="state ${tone}"><span class="glyph" aria-hidden="true">${glyph}</span>${word}</span></span>
    <div>
      ${job && html`<a href=${toJob(job)}>${job}</a> `}
      ${run && html`<a class="mono" href=${toRun(run, { tab: "explain" })}>${run}</a> <a href=${toRun(run)}>log</a> `}
      ${backfill && html`<a href=${to(["backfill", backfill])}>backfill</a> `}
      ${link ? html`<a href=${link} rel="noreferrer noopener" target="_blank">runbook</a>` : runbook && html`<span class="soft">runbook: ${runbook}</span>`}
      ${reason && html`<p><${Sentence} text=${reason} /></p>`}
      ${(retryAt || nextDueAt) && html`<p class="soft">${retryAt && html`tried again <${When} at=${retryAt} exactly=${true} />`}${retryAt && nextDueAt && ", "}${nextDueAt && html`due next <${When} at=${nextDueAt} exactly=${true} />`}</p>`}
    </div>
  </li>`;
}
