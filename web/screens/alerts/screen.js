/** Alerts: what is wrong, who was told of it and who looks after it, and whether messages arrive. */

import { html } from "../../vendor/preact.js";
import { about, useGet } from "../../data/query.js";
import { Banners } from "../../parts/banners.js";
import { Loading } from "../../parts/problem.js";
import { Tabs } from "../../parts/tabs.js";
import { Channels } from "./channels.js";
import { Incidents } from "./incidents.js";
import { Outbox } from "./outbox.js";
import { Standing } from "./standing.js";

const TABS = [
  { id: "incidents", label: "Incidents", shown: Incidents },
  { id: "outbox", label: "Outbox", shown: Outbox },
  { id: "channels", label: "Channels", shown: Channels },
];

/** @param {{route: import("../../shell/route.js").Route, me: import("../../data/me.js").Me}} props */
export default function Alerts({ route, me }) {
  const info = useGet("info", {}, { on: about(["launcher", "clock", "pause"]) });
  const channels = useGet("channels", {}, { on: about(["notification"]), every: 60_000 });
  const { id, shown } = TABS.find((each) => each.id === route.params.tab) ?? TABS[0];
  let content;
  // A server that tells nobody of anything knows how its jobs stand all the same.
  if (/** @type {any} */ (channels.problem)?.status === 404) content = html`<${Standing} />`;
  else if (channels.loading) content = html`<${Loading} />`;
  else content = html`<${Tabs} tabs=${TABS} chosen=${id} label="parts of the alerts" /><${shown} params=${route.params} me=${me} channels=${channels} />`;
  return html`<div>
    <div class="title-row"><h1>Alerts</h1></div>
    <${Banners} info=${info.data} />
    ${content}
  </div>`;
}
