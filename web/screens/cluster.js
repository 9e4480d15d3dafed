/** Cluster: who decides, on what machines runs run, what there is and what is used, and what this server is. */

import { html } from "../vendor/preact.js";
import { count } from "../data/format.js";
import { about, useGet } from "../data/query.js";
import { Banners } from "../parts/banners.js";
import { Loading, ProblemBox } from "../parts/problem.js";
import { to } from "../shell/route.js";
import { Agents } from "./cluster/agents.js";
import { Shortfall } from "./cluster/shortfall.js";

/** @param {{route: import("../shell/route.js").Route}} props */
export default function Cluster({ route }) {
  const info = useGet("info", {}, { on: about(["launcher", "clock", "pause", "term", "zone"]), every: 60_000 });
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
          ${launcher.master && html`<dt>masters</dt><dd><code>${launcher.master}</code></dd>`}
          ${launcher.roles?.length > 0 && html`<dt>${launcher.roles.length > 1 ? "roles" : "role"}</dt><dd>${launcher.roles.join(", ")}</dd>`}
          ${launcher.framework && html`<dt>framework</dt><dd><code>${launcher.framework}</code></dd>`}
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
    <${Shortfall} />
    <${Agents} route=${route} />
  </div>`;
}
