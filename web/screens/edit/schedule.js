/** When a job runs: its cron line or interval, its zone, and which part of it could not be read. */

import { html } from "../../vendor/preact.js";
import { interval, intervalText, periodInWords } from "../../data/period.js";
import { placeOfByte } from "../../data/place.js";
import { Text } from "../../parts/field.js";

/** @type {[string, string][]} */
const LINES = [["*/15 * * * *", "every 15 min"], ["0 * * * *", "hourly"], ["0 2 * * *", "daily"], ["0 7 * * MON-FRI", "on workdays"], ["0 3 * * SUN", "weekly"], ["0 4 1 * *", "monthly"]];

const zones = () => {
  try {
    return Intl.supportedValuesOf("timeZone");
  } catch {
    return [];
  }
};

/** @param {{given: import("./form.js").Given, kind: string}} props */
export function Schedule({ given, kind }) {
  const { draft, change, of, refused } = given;
  const text = String(draft.schedule ?? "");
  const parts = interval(text);
  const put = (/** @type {string} */ key) => (/** @type {string} */ value) => parts && change({ schedule: intervalText({ ...parts, [key]: value.trim() }) });
  const wrong = refused.find((each) => each.field === "schedule" && each.position);
  return html`
    ${kind === "schedule" &&
    parts &&
    html`<div class="fields">
      <${Text} label="Every" mono value=${parts.every} set=${put("every")} placeholder="PT1H" hint=${periodInWords(parts.every) ?? "such as PT15M, P1D or P1M"} />
      <${Text} label="Beginning" mono value=${parts.begin} set=${put("begin")} placeholder="2026-01-01T00:00:00Z" hint="empty: when it is stored" />
      <${Text} label="How often" type="number" min="0" value=${parts.times} set=${put("times")} placeholder="without end" />
    </div>`}
    <${Text}
      label=${kind === "cron" ? "Cron line" : "As text"}
      mono
      ...${of("schedule", { set: (/** @type {string} */ value) => change({ schedule: value }) })}
      hint=${kind === "cron" ? "minute, hour, day, month, weekday; with seconds in front if there are six" : undefined}
    />
    ${wrong && html`<${Marked} text=${text} position=${wrong.position} />`}
    ${kind === "cron" &&
    html`<p class="presets">
      ${LINES.map(([line, words]) => html`<button type="button" class="chip" aria-pressed=${text === line} onClick=${() => change({ schedule: line })}>${words}</button>`)}
    </p>`}
    <${Text}
      label="Zone"
      ...${of("scheduleTimeZone", { set: (/** @type {string} */ value) => change({ scheduleTimeZone: value }) })}
      list="zones"
      placeholder="UTC"
      hint="By whose clock: it follows its changes to and from summer time."
    />
    <datalist id="zones">${zones().map((zone) => html`<option value=${zone}></option>`)}</datalist>
  `;
}

/**
 * Which part of a text is at fault.
 * @param {{text: string, position: any}} props
 */
function Marked({ text, position }) {
  const [start, end] = [placeOfByte(text, position.start), placeOfByte(text, position.end)];
  return html`<pre class="marked"><span>${text.slice(0, start)}</span><mark>${text.slice(start, Math.max(end, start)) || " "}</mark><span>${text.slice(Math.max(end, start))}</span></pre>`;
}
