/** What is wrong, from its first alert until it is put right: the worst and newest first. */

import { html, useRef, useState } from "../../vendor/preact.js";
import { count, counted } from "../../data/format.js";
import { send } from "../../data/http.js";
import { useListed } from "../../data/listed.js";
import { refusal } from "../../data/me.js";
import { about, useGet } from "../../data/query.js";
import { confirm } from "../../parts/dialog.js";
import { Empty, Loading, ProblemBox } from "../../parts/problem.js";
import { Sentence } from "../../parts/sentence.js";
import { Silencing } from "../../parts/silencing.js";
import { When } from "../../parts/time.js";
import { Typed } from "../../parts/typed.js";
import { useKeys } from "../../shell/keys.js";
import { tell, tellProblem } from "../../shell/notices.js";
import { choose, to, toJob } from "../../shell/route.js";
import { Details } from "./details.js";
import { Jobs, Rest } from "./outbox.js";
import { Standing } from "./standing.js";
import { addressText, beside, grouped, lookOf, newestFirst, titleOf, wrong } from "./words.js";

/** @typedef {import("./words.js").Incident} Incident */

const STATES = ["open", "closed", "all"];
const TOLD = 4;

/** @param {{params: Record<string, string>, me: import("../../data/me.js").Me, channels: import("../../data/query.js").Answer<any>}} props */
export function Incidents({ params, me, channels }) {
  const { job } = params;
  const state = STATES.includes(params.state) ? params.state : "open";
  const list = useListed("incidents", { state, job }, "incidents", { on: about(["incident"]), every: 60_000 });
  const [silencing, setSilencing] = useState(/** @type {{title: string, put: (body: any) => Promise<void>} | null} */ (null));
  const active = useRef(/** @type {string | null} */ (null));
  const groups = grouped(list.data?.incidents ?? []);
  const shown = groups.flatMap(({ incidents }) => incidents);
  // One that a message leads to may be over, or far down.
  const named = params.incident && list.data && !shown.some(({ id }) => id === params.incident) ? params.incident : null;
  const alone = useGet(named && `incident/${encodeURIComponent(named)}`, {}, { on: about(["incident"]) });
  const may = refusal(me, "operator");

  const post = async (/** @type {string} */ path, /** @type {any} */ body, /** @type {string} */ text) => {
    await send("POST", path, body);
    tell({ tone: "good", text });
    list.reload();
    alone.reload();
  };
  const change = (/** @type {Incident} */ incident, /** @type {string} */ verb, /** @type {any} */ body, /** @type {string} */ done) =>
    post(`incident/${encodeURIComponent(incident.id)}/${verb}`, body, `${titleOf(incident)}: ${done}`);
  const acknowledge = async (/** @type {Incident} */ incident) => {
    const body = html`<p>Nobody is told of it any more until it is put right. Your colleagues see that you look after it.</p>`;
    const reason = await confirm({ title: `Acknowledge: ${titleOf(incident)}`, confirm: "Acknowledge", reason: true, body });
    if (reason !== null) await change(incident, "acknowledge", { reason }, "acknowledged").catch((error) => tellProblem("it was not acknowledged", error));
  };
  const unsilence = (/** @type {Incident} */ incident) =>
    change(incident, "unsilence", {}, "the silence is over").catch(stillSilent);
  const silence = (/** @type {Incident} */ incident) =>
    setSilencing({ title: titleOf(incident), put: (body) => change(incident, "silence", body, "silenced") });
  const silenceJob = () => setSilencing({ title: `all of ${job}`, put: (body) => post("silence", { job, ...body }, `${job}: silenced`) });
  const unsilenceJob = () => post("unsilence", { job }, `${job}: the silence is over`).catch(stillSilent);

  const element = (/** @type {string | null} */ id) => (id === null ? null : document.getElementById(`incident-${id}`));
  const step = (/** @type {number} */ by) => element((active.current = beside(shown.map(({ id }) => id), active.current, by)))?.focus();
  const unfold = (/** @type {string} */ id) => choose({ incident: params.incident === id ? null : id });
  /** What a key is about. */
  const chosen = () => [...shown, alone.data].find((each) => each && each.id === active.current);
  useKeys([
    { key: "j", does: "the next incident", run: () => step(1) },
    { key: "k", does: "the incident before", run: () => step(-1) },
    { key: "Enter", does: "its alerts and notifications", run: () => active.current && unfold(active.current) },
    {
      key: "a", does: "acknowledge the incident",
      run: () => {
        const incident = chosen();
        if (incident && !may && isUntended(incident)) void acknowledge(incident);
      },
    },
  ]);

  const row = (/** @type {Incident} */ incident) => html`<${Row} key=${incident.id} incident=${incident} open=${params.incident === incident.id} may=${may}
    unfold=${unfold} acknowledge=${acknowledge} silence=${silence} unsilence=${unsilence} seen=${() => (active.current = incident.id)} me=${me} />`;
  const section = (/** @type {any} */ title, /** @type {Incident[]} */ incidents) => html`<section class="card incidents" key=${title} aria-label=${title}>
    <h2>${title} <small>${count(incidents.length)}</small></h2>
    <ul>${incidents.map(row)}</ul>
  </section>`;
  const counts = list.data?.counts;
  const amounts = counts && { open: counts.open + counts.acknowledged + counts.silenced, closed: counts.closed };

  return html`<div class="filters" role="search" aria-label="filter incidents">
      ${STATES.map((each) => html`<a class="chip" href=${to(["alerts"], { job, state: each === "open" ? null : each })} aria-current=${each === state ? "true" : undefined}>
        ${each === "closed" ? "put right" : each}${typeof amounts?.[each] === "number" && html` <b>${count(amounts[each])}</b>`}
      </a>`)}
      <${Typed} name="job" value=${job} label="of the job" placeholder="Job: its whole name  /" main=${true} />
      ${job && list.data?.silence === null && html`<button disabled=${may !== null} title=${may} onClick=${silenceJob}>Silence the job…</button>`}
    </div>
    ${list.data?.silence && html`<div class="banner stopped" role="status"><p>Nobody is told of <b>${job}</b>: <${Silenced} silence=${list.data.silence} /></p> <button disabled=${may !== null} title=${may} onClick=${unsilenceJob}>End silence</button></div>`}
    ${channels.data?.channels.length === 0 && html`<p class="banner late" role="status"><span>No channel is configured, so nobody is told of anything. <a href=${to(["alerts"], { tab: "channels" })}>Configure one</a></span></p>`}
    ${list.problem && html`<${ProblemBox} problem=${list.problem} retry=${list.reload} />`}
    ${list.loading && html`<${Loading} lines=${6} />`}
    ${named && (alone.data ? section("The one of this address", [alone.data]) : html`<${ProblemBox} problem=${alone.problem} />`)}
    ${list.data && shown.length === 0 && html`<${Empty} title=${state === "open" ? "Nothing is wrong" : "No incident"}>
      ${job ? html`There is none of <b>${job}</b>. <a href=${to(["alerts"], { state: params.state })}>Those of all jobs</a>` : "An incident begins when a run fails for good, is missed or late, or the scheduler itself is in trouble. It lasts until that is put right, and its owners are told once, not each time."}
    <//>`}
    ${groups.map(({ title, incidents }) => section(title, incidents))}
    <${Rest} list=${list} shown=${shown.length} narrow="choose a job" />
    ${!job && state === "open" && html`<${Standing} told=${true} />`}
    ${silencing && html`<${Silencing} ...${silencing} close=${() => setSilencing(null)} />`}`;
}

/** @param {Error} error */
const stillSilent = (error) => tellProblem("it is silenced as before", error);

/** @param {{silence: any}} props */
const Silenced = ({ silence: { by, until, reason } }) => html`silenced by ${by} until <${When} at=${until} exactly=${true} />${reason && `: ${reason}`}`;

/** @param {Incident} incident */
const isUntended = ({ state }) => state === "open" || state === "silenced";

/** @param {{incident: Incident, open: boolean, may: string | null, me: import("../../data/me.js").Me, seen: () => void, unfold: (id: string) => void} & Record<"acknowledge" | "silence" | "unsilence", (incident: Incident) => void>} props */
function Row({ incident, open, may, me, seen, unfold, acknowledge, silence, unsilence }) {
  const { id, alerts, openedAt, lastAt, closedAt, told, toldAt, untold, acknowledged, silence: silenced, latest } = incident;
  const { glyph, tone } = lookOf(incident.kind);
  const { job, text } = wrong(incident);
  const [newest] = newestFirst(latest);
  return html`<li id="incident-${id}" class="incident" tabindex="-1" onFocusCapture=${seen}>
    <span class="state small ${tone}"><span class="glyph" aria-hidden="true">${glyph}</span></span>
    <div class="said">
      <h3>${job === null ? text : html`<a href=${toJob(job, { tab: "explain" })}>${job}</a> ${text}`}</h3>
      ${newest?.reason && html`<p><${Sentence} text=${newest.reason} /></p>`}
      <p class="soft">
        ${counted(alerts, "alert")} since <${When} at=${openedAt} />${alerts > 1 && html`, the last <${When} at=${lastAt} />`}${closedAt && html`, put right <${When} at=${closedAt} />`}.${" "}
        ${told.length ? html`Told${toldAt && html` <${When} at=${toldAt} />`}: ${told.slice(0, TOLD).map(addressText).join(", ")}${told.length > TOLD ? ` and ${count(told.length - TOLD)} more` : ""}${untold ? `; not of the last ${count(untold)}` : ""}.` : "Nobody was told."}
      </p>
      ${job === null && incident.jobs.length > 0 && html`<p><${Jobs} names=${incident.jobs} leftOut=${incident.jobsLeftOut} /></p>`}
      ${acknowledged && html`<p><span class="badge">acknowledged</span> by ${acknowledged.by} <${When} at=${acknowledged.at} />${acknowledged.reason && `: ${acknowledged.reason}`}</p>`}
      ${silenced && html`<p><span class="badge">silenced</span> <${Silenced} silence=${silenced} /></p>`}
    </div>
    <p class="buttons">
      ${isUntended(incident) && html`<button disabled=${may !== null} title=${may} onClick=${() => acknowledge(incident)}>Acknowledge</button>`}
      ${!closedAt && (silenced ? html`<button disabled=${may !== null} title=${may} onClick=${() => unsilence(incident)}>End silence</button>` : !acknowledged && html`<button disabled=${may !== null} title=${may} onClick=${() => silence(incident)}>Silence…</button>`)}
      <button class="quiet" aria-expanded=${open} onClick=${() => unfold(id)}><span aria-hidden="true">${open ? "▾" : "▸"}</span> Details</button>
    </p>
    ${open && html`<${Details} incident=${incident} me=${me} />`}
  </li>`;
}
