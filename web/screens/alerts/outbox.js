/** The outbox: every message, whom it goes to, and whether it has arrived. */

import { html } from "../../vendor/preact.js";
import { count, counted } from "../../data/format.js";
import { send } from "../../data/http.js";
import { MOST, useListed } from "../../data/listed.js";
import { refusal } from "../../data/me.js";
import { about } from "../../data/query.js";
import { Empty, Loading, ProblemBox } from "../../parts/problem.js";
import { Sentence } from "../../parts/sentence.js";
import { When } from "../../parts/time.js";
import { tellProblem } from "../../shell/notices.js";
import { choose, to, toJob } from "../../shell/route.js";
import { addressText, deliveryOf } from "./words.js";

const STATES = { all: "all", pending: "on the way", held: "held", delivered: "delivered", givenUp: "given up" };

/** @param {{names: string[], leftOut?: number, most?: number}} props */
export function Jobs({ names, leftOut = 0, most = 8 }) {
  const more = Math.max(0, names.length - most) + leftOut;
  return html`${names.slice(0, most).map((name) => html`<a href=${toJob(name)}>${name}</a> `)}${more > 0 && html`<span class="soft">and ${count(more)} more</span> `}`;
}

/** That a list has more than is shown. @param {{list: ReturnType<typeof useListed>, shown: number, narrow: string}} props `narrow`: how others are found */
export function Rest({ list: { data, more }, shown, narrow }) {
  return data?.next && html`<p class="hint">
    ${more ? html`<button onClick=${more}>Show more</button> ` : ""}The newest ${count(shown)}${data.total !== null && ` of ${count(data.total)}`} are listed.${shown >= MOST && ` For the others ${narrow}.`}
  </p>`;
}

/** @param {{params: Record<string, string>, me: import("../../data/me.js").Me, channels: import("../../data/query.js").Answer<any>}} props */
export function Outbox({ params, me, channels }) {
  const { channel } = params;
  const state = params.delivery && params.delivery in STATES ? params.delivery : "all";
  const list = useListed("notifications", { state, channel }, "notifications", { on: about(["notification"]) });
  const { data } = list;
  // Who sees a part of the jobs is told of no numbers.
  const counts = data?.counts && { ...data.counts, pending: data.counts.held + data.counts.due };
  const shown = data?.notifications ?? [];
  const names = [...new Set([...(channels.data?.channels ?? []).map((/** @type {any} */ each) => each.name), ...(channel ? [channel] : [])])];
  return html`<div class="filters" role="search" aria-label="filter notifications">
      ${Object.entries(STATES).map(([each, text]) => html`<a class="chip" href=${to(["alerts"], { ...params, delivery: each === "all" ? null : each })} aria-current=${each === state ? "true" : undefined}>
        ${text}${counts?.[each] !== undefined && html` <b>${count(counts[each])}</b>`}
      </a>`)}
      <select aria-label="channel" value=${channel ?? ""} onChange=${(/** @type {any} */ event) => choose({ channel: event.target.value })}>
        <option value="">every channel</option>
        ${names.map((name) => html`<option value=${name} selected=${name === channel}>${name}</option>`)}
      </select>
    </div>
    ${list.problem && html`<${ProblemBox} problem=${list.problem} retry=${list.reload} />`}
    ${list.loading && html`<${Loading} lines=${6} />`}
    ${data && shown.length === 0 && html`<${Empty} title="No notification ${state === "all" ? "was made" : `is ${STATES[/** @type {keyof typeof STATES} */ (state)]}`}${channel ? ` by ${channel}` : ""}" command="chronode notify test">
      What happens is told to owners by the channels that are configured. Whether one works is shown by a test:
    <//>`}
    ${shown.length > 0 && html`<ul class="card notifications">${shown.map((/** @type {any} */ each) => html`<${Notification} key=${each.id} notification=${each} me=${me} changed=${list.reload} />`)}</ul>`}
    <${Rest} list=${list} shown=${shown.length} narrow="choose a state or a channel" />`;
}

/** @param {{notification: any, me: import("../../data/me.js").Me, changed: () => void, brief?: boolean}} props `brief`: where its incident is shown */
export function Notification({ notification, me, changed, brief = false }) {
  const { id, kind, incident, alerts, leftOut, jobs, jobsLeftOut, state, madeAt, until, nextTryAt, tries, deliveredAt, givenUpAt, problem } = notification;
  const { glyph, tone, word } = deliveryOf(notification);
  const may = refusal(me, "operator");
  const retry = async () => {
    try {
      await send("POST", `notification/${encodeURIComponent(id)}/retry`, {});
      changed();
    } catch (error) {
      tellProblem("it is not tried again", error);
    }
  };
  return html`<li>
    <${When} at=${madeAt} exactly=${true} />
    <span><span class="state ${tone}"><span class="glyph" aria-hidden="true">${glyph}</span>${word}</span></span>
    <div>
      <b>${addressText(notification)}</b>${" "}
      <span class="soft">${kind}${alerts + leftOut > 1 && ` of ${counted(alerts + leftOut, "alert")}`}</span>${" "}
      ${!brief && html`<${Jobs} names=${jobs} leftOut=${jobsLeftOut} most=${3} />
        ${incident && html`<a href=${to(["alerts"], { incident })}>incident</a>`}`}
      <span class="soft">
        ${state === "held" && html` collects until <${When} at=${until} exactly=${true} />`}
        ${state === "due" && nextTryAt && html` next try <${When} at=${nextTryAt} />`}
        ${deliveredAt && html` arrived <${When} at=${deliveredAt} exactly=${true} />`}
        ${givenUpAt && html` given up <${When} at=${givenUpAt} exactly=${true} />`}
        ${tries > 1 && ` after ${count(tries)} tries`}
      </span>
      ${problem && html`<p class="wrong"><${Sentence} text=${problem} /></p>`}
    </div>
    ${(state === "givenUp" || (state === "due" && tries > 0)) && html`<button disabled=${may !== null} title=${may} onClick=${retry}>Try now</button>`}
  </li>`;
}
