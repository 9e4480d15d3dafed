/** Instants that a schedule names: by the job's clock and by the reader's, with the changes of clock between them. */

import { html } from "../vendor/preact.js";
import { clock, offset } from "../data/format.js";
import { lines, offsetName, sameClock } from "../data/occurrences.js";
import { useZone, When } from "./time.js";

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** @param {string} text a date and a time of day */
function dated(text) {
  const weekday = WEEKDAYS[new Date(`${text.slice(0, 10)}T12:00:00Z`).getUTCDay()];
  return `${weekday} ${text.slice(0, 10)} ${text.endsWith(":00") ? text.slice(11, 16) : text.slice(11)}`;
}

/**
 * @param {object} props
 * @param {import("../data/occurrences.js").Occurrence[]} props.next
 * @param {string} props.zone the job's, empty where it has none
 * @param {(utc: string) => any} [props.beside] what else is said of one
 * @param {string[]} [props.skipped] those that are left out
 * @param {boolean} [props.compact] two clocks leave no room for how far away they are
 */
export function Occurrences({ next, zone, beside, skipped = [], compact = false }) {
  const chosen = useZone();
  // Where the reader looks at the job's clock or UTC anyhow, their own stands beside it.
  const list = lines(next, chosen === "UTC" ? "UTC" : "");
  const one = sameClock(list);
  const away = one || !compact;
  const mine = list.length ? (chosen === "UTC" ? "UTC" : `your time, ${offsetName(offset(list[0].at, ""))}`) : "your time";
  return html`<div class="scroll-x">
    <table class="occurrences">
      <thead>
        <tr>
          <th scope="col">${zone || "UTC"}</th>
          ${!one && html`<th scope="col">${mine}</th>`}
          ${away && html`<th scope="col">from now</th>`}
          ${beside && html`<th scope="col"><span class="unseen">more</span></th>`}
        </tr>
      </thead>
      <tbody>
        ${list.map(
          (line) => html`<tr key=${line.utc} class=${skipped.includes(line.utc) ? "skipped" : ""}>
            <td class="number">
              <time datetime=${line.utc}>${dated(line.job)}</time><${Shift} text=${line.jobShift} />
              ${line.opensAt !== null && html`<br /><small>starts ${clock(line.opensAt, zone || "UTC")}, spread</small>`}
            </td>
            ${!one && html`<td class="number">${dated(line.mine)}<${Shift} text=${line.mineShift} /></td>`}
            ${away && html`<td><${When} at=${line.at} /></td>`}
            ${beside && html`<td class="beside">${beside(line.utc)}</td>`}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** @param {{text: string}} props */
function Shift({ text }) {
  return text ? html`<br /><span class="badge late" title="the clock has changed since the line above"><span aria-hidden="true">↷ </span>clock ${text}</span>` : null;
}
