/** Backfills: runs of a job for instants of the past. All of them, one of them, and a new one. */

import { html } from "../vendor/preact.js";
import { useGet } from "../data/query.js";
import { Empty, Loading, ProblemBox } from "../parts/problem.js";
import { When } from "../parts/time.js";
import { to, toJob } from "../shell/route.js";
import { NewBackfill } from "./backfill/new.js";
import { OneBackfill } from "./backfill/one.js";
import { moves, Progress, Standing } from "./backfill/parts.js";

/**
 * @param {{route: import("../shell/route.js").Route}} props
 */
export default function Backfill({ route }) {
  const id = route.path[1];
  if (id) return html`<${OneBackfill} id=${id} />`;
  if (route.params.job !== undefined || route.params.new) return html`<${NewBackfill} key=${route.params.job ?? ""} params=${route.params} />`;
  return html`<${All} />`;
}

function All() {
  const { data, problem, reload } = useGet("backfills", {}, { on: moves() });
  const list = data?.backfills ?? [];
  const going = list.filter((/** @type {any} */ each) => each.state === "going");
  const over = list.filter((/** @type {any} */ each) => each.state !== "going");
  return html`<div class="title-row">
      <h1>Backfill</h1>
      <p class="buttons"><a class="button primary" href=${to(["backfill"], { new: true })}>New backfill</a></p>
    </div>
    <${ProblemBox} problem=${problem} retry=${reload} />
    ${!data && !problem && html`<${Loading} lines=${6} />`}
    ${data &&
    list.length === 0 &&
    html`<${Empty} title="Nothing is run again for the past" command="chronode backfill JOB --from 2026-01-01T00:00:00Z --to 2026-01-08T00:00:00Z">
      A backfill runs a job once more for instants that it missed, or for all of a range. Begin one above, or:
    <//>`}
    ${going.length > 0 && html`<section class="card"><h2>Going</h2><${Table} list=${going} /></section>`}
    ${over.length > 0 && html`<section class="card"><h2>Over</h2><${Table} list=${over} /><p class="hint">The latest 100 that are over are kept.</p></section>`}`;
}

/** @param {{list: any[]}} props */
function Table({ list }) {
  return html`<div class="scroll-x">
    <table class="backfills">
      <thead>
        <tr><th scope="col">backfill</th><th scope="col">job</th><th scope="col">how far</th><th scope="col">state</th><th scope="col">begun</th><th scope="col">by</th></tr>
      </thead>
      <tbody>
        ${list.map(
          (each) => html`<tr key=${each.id}>
            <td><a class="mono" href=${to(["backfill", each.id])}>${each.id}</a></td>
            <td class="name"><a href=${toJob(each.job)}>${each.job}</a></td>
            <td class="progress-cell"><${Progress} backfill=${each} /></td>
            <td><${Standing} backfill=${each} /></td>
            <td><${When} at=${each.by.at} /></td>
            <td class="reason">${each.by.by}${each.by.reason && html`<br /><small>${each.by.reason}</small>`}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
