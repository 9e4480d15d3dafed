/** One run: how it stands and why, what it writes, and what can be done about it. */

import { html } from "../../vendor/preact.js";
import { part } from "../../data/http.js";
import { useGet } from "../../data/query.js";
import { Empty, Loading, ProblemBox } from "../../parts/problem.js";
import { Tabs } from "../../parts/tabs.js";
import { JobZone } from "../../parts/time.js";
import { to } from "../../shell/route.js";
import { Actions } from "./actions.js";
import { Attempts } from "./attempts.js";
import { Environment } from "./environment.js";
import { Files } from "./files.js";
import { Header, Reasons } from "./header.js";
import { Objections } from "./objections.js";
import { Lineage } from "./lineage.js";
import { Log } from "./log.js";

const TABS = [
  { id: "log", label: "Log" },
  { id: "attempts", label: "Attempts" },
  { id: "files", label: "Files" },
  { id: "lineage", label: "Lineage" },
  { id: "explain", label: "Explain" },
  { id: "environment", label: "Environment" },
];

/** Kinds of events that may change what is said of a run that is not over. */
const CONCERN = ["run", "job", "pause", "launcher", "clock", "round"];

/**
 * @param {{route: import("../../shell/route.js").Route, me: import("../../data/me.js").Me}} props
 */
export default function RunScreen({ route, me }) {
  const id = route.path[1] ?? "";
  const { data: run, problem, reload } = useGet(`run/${part(id)}`, {}, { on: (event) => event.run === id });
  const job = run?.job ?? null;
  const over = run?.state === "ended";
  const { data: explained } = useGet(job && `run/${part(id)}/explain`, {}, {
    on: (event) => event.run === id || (!over && CONCERN.includes(event.kind) && (event.job === undefined || event.job === job)),
  });
  const { data: definition } = useGet(job && `job/${part(job)}`, {}, { on: (event) => event.kind === "job" && event.job === job });

  if (!run && /** @type {any} */ (problem)?.status === 404) {
    return html`<${Empty} title="There is no run ${id}" command="chronode run list">
      It may have been pruned with the history, or its job is not yours to see. <a href=${to(["history"])}>The history</a> has those that are kept.
    <//>`;
  }
  if (!run && problem) return html`<${ProblemBox} problem=${problem} retry=${reload} />`;
  if (!run) return html`<${Loading} lines=${8} />`;
  const hasFiles = run.attempts.some((/** @type {any} */ attempt) => attempt.hasSandbox);
  const tabs = TABS.filter((each) => each.id !== "files" || hasFiles || route.params.tab === "files");
  const tab = tabs.some((each) => each.id === route.params.tab) ? route.params.tab : "log";
  return html`<${JobZone.Provider} value=${definition?.scheduleTimeZone ?? ""}>
    <div class="run-screen ${tab === "log" || tab === "lineage" ? "filled" : ""}">
      <${Header} run=${run} definition=${definition} explained=${explained}>
        <${Actions} run=${run} me=${me} />
      <//>
      <${Tabs} tabs=${tabs} chosen=${tab} label="parts of the run" />
      ${tab === "log" && (run.attempts.length ? html`<${Log} run=${run} route=${route} />` : html`<${NotBegun} run=${run} />`)}
      ${tab === "attempts" && html`<${Attempts} run=${run} />`}
      ${tab === "files" && html`<${Files} run=${run} route=${route} />`}
      ${tab === "lineage" && html`<${Lineage} run=${run} />`}
      ${tab === "explain" && html`<${Reasons} explained=${explained} full=${true} /><${Objections} explained=${explained} />`}
      ${tab === "environment" && html`<${Environment} run=${run} definition=${definition} />`}
    </div>
  <//>`;
}

/** @param {{run: any}} props */
function NotBegun({ run }) {
  return run.state === "ended"
    ? html`<${Empty} title="It was never started">So it has no log. Above is why.<//>`
    : html`<${Empty} title="It has not been started yet">Its log is followed here as soon as it is. Above is what it waits for.<//>`;
}
