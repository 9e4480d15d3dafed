/** Each time that a run was tried. */

import { html } from "../../vendor/preact.js";
import { Empty } from "../../parts/problem.js";
import { State } from "../../parts/state.js";
import { Lasting, When } from "../../parts/time.js";
import { toRun } from "../../shell/route.js";
import { exitOf } from "./verbs.js";

/** @type {Record<string, string>} */
const STOPPED = {
  requested: "somebody had it stopped",
  timedOut: "it ran longer than its time-out",
  jobDeleted: "its job was deleted",
  superseded: "a newer run took its place",
};

/** @param {{run: any}} props */
export function Attempts({ run }) {
  if (!run.attempts.length) return html`<${Empty} title="It has not been tried">Above is why.<//>`;
  return html`<div class="scroll-x" tabindex="0" role="region" aria-label="attempts">
      <table class="attempts">
        <thead>
          <tr><th>Attempt</th><th>State</th><th>Launched</th><th>Started</th><th>Ended</th><th>Took</th><th>Exit</th><th>Where</th><th>What was said of it</th><th>Task</th></tr>
        </thead>
        <tbody>
          ${run.attempts.map((/** @type {any} */ attempt) => {
            const exit = exitOf(attempt.exit);
            const ended = attempt.state === "ended";
            return html`<tr>
              <td><a href=${toRun(run.id, { attempt: attempt.attempt })} title="its log">${attempt.attempt}</a></td>
              <td><${State} state=${ended ? endedAs(attempt) : attempt.state} /></td>
              <td><${When} at=${attempt.launchedAt} exactly=${true} /></td>
              <td><${When} at=${attempt.startedAt} exactly=${true} /></td>
              <td><${When} at=${attempt.endedAt} exactly=${true} /></td>
              <td><${Lasting} from=${attempt.startedAt} to=${attempt.endedAt} /></td>
              <td>${exit ? html`<span class="exit ${exit.tone}">${exit.text}</span>` : html`<span class="none">${ended ? "not known" : "–"}</span>`}</td>
              <td class="where">${attempt.hostname && html`${attempt.hasSandbox ? html`<a href=${toRun(run.id, { tab: "files", attempt: attempt.attempt })} title="its files">${attempt.hostname}</a>` : attempt.hostname} `}${attempt.hostname ? html`<small>${attempt.agent}</small>` : (attempt.agent ?? html`<span class="none">–</span>`)}</td>
              <td class="said">${said(attempt)}</td>
              <td><code class="task">${attempt.taskId}</code></td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>
    ${run.retryAt && run.state !== "ended" && html`<p class="hint">The next attempt is <${When} at=${run.retryAt} />.</p>`}`;
}

/** @param {any} attempt that has ended */
function endedAs({ exit, stopReason }) {
  if (exit?.code === 0) return "succeeded";
  if (!exit) return "lost";
  return stopReason ? "killed" : "failed";
}

/** @param {any} attempt */
function said({ message, reason, stopReason, reportedStatus, elements, until }) {
  const parts = [
    stopReason && (STOPPED[stopReason] ?? `stopped: ${stopReason}`),
    reason,
    message,
    reportedStatus !== null && reportedStatus !== undefined && `its job reported ${typeof reportedStatus === "object" ? JSON.stringify(reportedStatus) : reportedStatus}`,
    elements !== null && elements !== undefined && `${elements} elements processed`,
  ].filter(Boolean);
  return html`${parts.length ? parts.join("; ") : html`<span class="none">–</span>`}${until && html` <small>waits for news until <${When} at=${until} exactly=${true} /></small>`}`;
}
