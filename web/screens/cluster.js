/** Cluster: who decides, on what machines runs run, what there is and what is used, and what this server is. */

import { html } from "../vendor/preact.js";
import { count, counted } from "../data/format.js";
import { about, useGet } from "../data/query.js";
import { Banners } from "../parts/banners.js";
import { Empty, Loading, ProblemBox } from "../parts/problem.js";
import { to } from "../shell/route.js";

export default function Cluster() {
  const info = useGet("info", {}, { on: about(["launcher", "clock", "pause", "term", "zone"]), every: 60_000 });
  const agents = useGet("agents", {}, { on: about(["launcher", "run"]), every: 60_000 });
  const leader = useGet("leader", {}, { on: about(["term"]) });
  if (info.problem && !info.data) return html`<${ProblemBox} problem=${info.problem} retry=${info.reload} />`;
  if (!info.data) return html`<${Loading} lines=${6} />`;
  const { zoneData, launcher, audit, counts, listening } = info.data;
  return html`<div>
    <div class="title-row"><h1>Cluster</h1></div>
    <${Banners} info=${info.data} />
    <div class="cards">
      <section class="card" aria-label="this server">
        <h2>This server</h2>
        <dl class="facts">
          <dt>name</dt>
          <dd>${info.data.node}</dd>
          <dt>version</dt>
          <dd>${info.data.version}</dd>
          <dt>leader</dt>
          <dd>${leader.data?.leader || "nobody leads"}</dd>
          <dt>answers on</dt>
          <dd>${listening.map((/** @type {string} */ each) => html`<code>${each}</code> `)}</dd>
          <dt>launcher</dt>
          <dd>${launcher.kind}, ${launcher.state}${launcher.problem ? `: ${launcher.problem}` : ""}</dd>
          <dt>audit log</dt>
          <dd>${audit.state}${audit.problem ? `: ${audit.problem}` : ""}</dd>
          <dt>zone data</dt>
          <dd>${zoneData.version}, ${zoneData.source}${zoneData.host && zoneData.host !== zoneData.version ? ` (this machine has ${zoneData.host})` : ""}</dd>
          <dt>jobs</dt>
          <dd><a href=${to(["jobs"])}>${count(counts.jobs)}</a></dd>
          <dt>live runs</dt>
          <dd><a href=${to(["history"], { live: true })}>${count(counts.liveRuns)}</a>, of which ${count(counts.pendingRuns)} wait for room</dd>
        </dl>
      </section>
      <section class="card" aria-label="several servers">
        <h2>Several servers</h2>
        <p>This release decides on one server. Leader election and hot spares on ZooKeeper are to come; then this shows who leads, who follows, and how far each is.</p>
      </section>
    </div>
    <h2 class="section">Agents</h2>
    ${agents.problem && !agents.data && html`<${ProblemBox} problem=${agents.problem} retry=${agents.reload} />`}
    ${agents.data?.problem && html`<p class="problem">${agents.data.problem}</p>`}
    ${agents.data && agents.data.agents.length === 0 && html`<${Empty} title="No agent is known">Nothing can be started until there is one.<//>`}
    ${agents.data?.agents.map((/** @type {any} */ agent) => html`<${Agent} key=${agent.name} agent=${agent} />`)}
  </div>`;
}

/** @param {{agent: any}} props */
function Agent({ agent }) {
  const attributes = Object.entries(agent.attributes ?? {});
  return html`<section class="card agent" aria-label="agent ${agent.name}">
    <div class="card-head">
      <h3>${agent.name}</h3>
      <a href=${to(["history"], { agent: agent.name })}>${counted(agent.runs, "live run")}</a>
    </div>
    ${agent.problem && html`<p class="problem">${agent.problem}</p>`}
    <div class="gauges">
      <${Gauge} name="cpus" of=${agent.cpus} show=${(/** @type {number} */ value) => String(Math.round(value * 100) / 100)} />
      <${Gauge} name="memory" of=${agent.mem} show=${mebibytes} />
      <${Gauge} name="disk" of=${agent.disk} show=${mebibytes} />
    </div>
    ${attributes.length > 0 && html`<p class="attributes">${attributes.map(([name, value]) => html`<span class="badge">${name}: ${String(value)}</span> `)}</p>`}
  </section>`;
}

/** @param {number} amount in MiB, as resources of Mesos are */
function mebibytes(amount) {
  return amount >= 10 * 1024 ? `${Math.round(amount / 1024)} GiB` : `${Math.round(amount)} MiB`;
}

/** @param {{name: string, of: {total: number | null, used: number}, show: (value: number) => string}} props `total` is null of an agent that offers nothing */
function Gauge({ name, of, show }) {
  if (of.total === null) return html`<div class="gauge"><span>${name}</span><span class="none">${show(of.used)} used, nothing offered</span></div>`;
  const share = of.total > 0 ? Math.min(1, of.used / of.total) : 0;
  const label = `${show(of.used)} of ${show(of.total)}`;
  return html`<div class="gauge">
    <span>${name}</span>
    <meter min="0" max="1" high="0.9" value=${share} aria-label="${name}: ${label}">${label}</meter>
    <span class="number">${label}</span>
  </div>`;
}
