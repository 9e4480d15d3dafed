/** The agents: what each has, what it offered last, and what became of that. */

import { html, useState } from "../../vendor/preact.js";
import { count, counted } from "../../data/format.js";
import { about, useGet } from "../../data/query.js";
import { Empty, Loading, ProblemBox } from "../../parts/problem.js";
import { When } from "../../parts/time.js";
import { choose, to, toJob, toRun } from "../../shell/route.js";
import { KINDS, bar, fateOf, listed, valueOf } from "./words.js";

/** Agents asked for at once. */
const PAGE = 60;
/** Offers come and go without an event that tells of them. */
const LOOK_MS = 10_000;
/** Fewer than this are looked through faster than they are searched. */
const SEARCHED_FROM = 8;

/** @param {{route: import("../../shell/route.js").Route}} props */
export function Agents({ route }) {
  const search = route.params.agents ?? "";
  const [limit, setLimit] = useState(PAGE);
  const { data, problem, reload } = useGet("agents", { search, limit }, { on: about(["launcher", "run"]), every: LOOK_MS });
  if (problem && !data) return html`<${ProblemBox} problem=${problem} retry=${reload} />`;
  if (!data) return html`<${Loading} lines=${4} />`;
  return html`<div class="title-row section">
      <h2>Agents</h2>
      <span class="hint">${count(data.total)}${search && " found"}</span>
      ${(data.total >= SEARCHED_FROM || search) &&
      html`<input
        type="search"
        class="agent-search"
        aria-label="find agents"
        placeholder="name, host or attribute"
        value=${search}
        onInput=${(/** @type {any} */ event) => {
          setLimit(PAGE);
          choose({ agents: event.target.value || null });
        }}
      />`}
    </div>
    ${data.problem && html`<p class="problem">${data.problem}</p>`}
    ${data.agents.length === 0 &&
    (search
      ? html`<${Empty} title="No agent is called so">Names, hosts and attributes were looked through.<//>`
      : html`<${Empty} title="No agent is known" command="chronode agents">
          ${data.launcher === "mesos" ? "An agent is known once it has offered something. Nothing is offered while nothing waits, nor to a role that has no share." : "Nothing can be started until there is one."}
        <//>`)}
    <div class="agents">${data.agents.map((/** @type {any} */ agent) => html`<${Agent} key=${agent.name} agent=${agent} />`)}</div>
    ${data.total > data.agents.length && html`<p><button onClick=${() => setLimit(Math.min(1_000, limit * 2))} disabled=${limit >= 1_000}>Show more of ${count(data.total)}</button></p>`}`;
}

/** @param {{agent: any}} props */
function Agent({ agent }) {
  const { name, hostname, offer, attributes, problem, unavailableFrom } = agent;
  return html`<section class="card agent" aria-label="agent ${name}">
    <div class="card-head">
      <h3>${hostname ?? name}</h3>
      <a href=${to(["history"], { agent: name })}>${counted(agent.runs, "live run")}</a>
    </div>
    ${hostname && hostname !== name && html`<p class="agent-id"><code>${name}</code></p>`}
    ${problem && html`<p class="problem">${problem}</p>`}
    ${unavailableFrom && html`<p class="maintenance"><span aria-hidden="true">⚠</span> out of service from <${When} at=${unavailableFrom} exactly=${true} /> on; nothing is placed on it that might run until then</p>`}
    <div class="gauges">
      ${KINDS.map(({ kind, name: called, show }) => {
        // On one machine there are no ports to be given away.
        if (kind === "ports" && !offer && !agent.ports.used) return null;
        return html`<${Gauge} name=${called} of=${bar(agent[kind], offer ? offer.left[kind] : null)} show=${show} />`;
      })}
    </div>
    ${attributes.length > 0 && html`<p class="attributes">${attributes.map((/** @type {any} */ each) => html`<span class="badge" title=${each.kind}>${each.name}: ${valueOf(each)}</span> `)}</p>`}
    ${offer && html`<${LastOffer} offer=${offer} />`}
  </section>`;
}

/** @param {{offer: import("./words.js").Offer}} props */
function LastOffer({ offer }) {
  const { text, tone, glyph } = fateOf(offer);
  return html`<p class="last-offer">
    <span class="state ${tone}"><span class="glyph" aria-hidden="true">${glyph}</span> ${text}</span>
    <small>${offer.at ? html`<${When} at=${offer.at} />, ` : ""}offered ${listed(offer.offered)}${offer.role && offer.role !== "*" ? html` to <code>${offer.role}</code>` : ""}</small>
    ${offer.job &&
    offer.run &&
    html`<small class="why-not">first in turn: <a href=${toRun(offer.run)}>a run</a> of <a href=${toJob(offer.job)}>${offer.job}</a>, ${offer.reason}</small>`}
  </p>`;
}

/** @param {{name: string, of: ReturnType<typeof bar>, show: (amount: number) => string}} props */
function Gauge({ name, of, show }) {
  const label = of.label(show);
  if (of.whole === null) return html`<div class="gauge"><span>${name}</span><span class="none">${label}</span></div>`;
  const share = of.whole > 0 ? Math.min(1, of.used / of.whole) : 0;
  return html`<div class="gauge">
    <span>${name}</span>
    <meter min="0" max="1" high="0.9" value=${share} aria-label="${name}: ${label}">${label}</meter>
    <span class="number">${label}</span>
  </div>`;
}
