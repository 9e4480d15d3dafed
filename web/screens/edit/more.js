/** What few jobs say. */

import { html } from "../../vendor/preact.js";
import { Check, Choose, Frame, Items, List, Text } from "../../parts/field.js";
import { Fold, periodHint } from "./fold.js";
import { itemsOf, numberOrText, numbersOf, textOrNothing, withKey } from "./values.js";

const FIELDS = [
  "calendars", "notBefore", "notAfter", "jitter", "dst", "spreadBy", "retryOn", "noRetryOn", "retryUntil", "disableAfterFailures", "killGrace",
  "onUnknown", "runAsUser", "epsilon", "shadow", "ownerName",
];

/** These say something only where they differ from what every job has. */
const USUAL = new Set(["epsilon", "runAsUser", "ownerName"]);

/** @type {[string, string][]} */
const GAPS = [["", "as its kind does"], ["after", "after it"], ["shift", "shifted by it"], ["skip", "not at all"]];
/** @type {[string, string][]} */
const FOLDS = [["", "as its kind does"], ["first", "the first time"], ["last", "the second time"], ["both", "both times"]];
/** @type {[string, string][]} */
const UNKNOWN = [["", "is lost (default)"], ["lost", "is lost"], ["relaunch", "is launched again"]];

/** @param {{given: import("./form.js").Given, scheduled: boolean}} props */
export function More({ given, scheduled }) {
  const { draft, change, fault, of } = given;
  const object = (/** @type {string} */ field, /** @type {string} */ key) => ({
    value: draft[field]?.[key],
    problem: fault(`${field}.${key}`),
    set: (/** @type {string} */ text) => change({ [field]: withKey(draft[field], key, textOrNothing(text)) }),
  });
  const numbers = (/** @type {string} */ field, /** @type {string} */ label, /** @type {string} */ placeholder) =>
    html`<${Frame} props=${of(field, { label })}
      ><${Items} items=${draft[field]} parse=${numbersOf} set=${(/** @type {any} */ list) => change({ [field]: list })} label=${label} placeholder=${placeholder} />
    <//>`;
  const period = (/** @type {string} */ field, /** @type {string} */ label, /** @type {string} */ placeholder, hint = "") =>
    html`<${Text} label=${label} mono ...${of(field)} placeholder=${placeholder} hint=${periodHint(draft[field]) || hint} />`;
  return html`<${Fold} title="More" says=${FIELDS.some((field) => field in draft && !USUAL.has(field))} wrong=${FIELDS.some((field) => fault(field) !== null)}>
    <div class="fields">
      <${Check} label="Disabled" name="disabled" value=${draft.disabled} set=${(/** @type {boolean} */ on) => change({ disabled: on })} problem=${fault("disabled")} />
      <${Check} label="A final failure counts as success for its children" name="softError" value=${draft.softError} set=${(/** @type {boolean} */ on) => change({ softError: on })} problem=${fault("softError")} />
      <${Check}
        label="Only planned, never launched (shadow)"
        name="shadow"
        value=${Boolean(draft.shadow)}
        disabled=${draft.shadow?.until !== undefined}
        title=${draft.shadow?.until ? `until ${draft.shadow.until}` : undefined}
        set=${(/** @type {boolean} */ on) => change({ shadow: on })}
        problem=${fault("shadow")}
      />
    </div>
    ${scheduled &&
    html`<h3>When it may be due</h3>
      <div class="fields">
        <${Text} label="Not before" mono ...${of("notBefore")} placeholder="2026-02-01" />
        <${Text} label="Not after" mono ...${of("notAfter")} placeholder="2026-12-31" />
        ${period("jitter", "Starts spread over (jitter)", "PT10M", "not at all")}
        <${Text} label="Spread by the name" mono ...${of("spreadBy")} placeholder="its own" />
        <${Choose} label="In an hour that there is not" options=${GAPS} ...${object("dst", "gap")} />
        <${Choose} label="In an hour that there is twice" options=${FOLDS} ...${object("dst", "fold")} />
      </div>
      <${Calendars} given=${given} />`}
    <h3>Attempts</h3>
    <div class="fields">
      ${numbers("retryOn", "Try again only on exit codes", "1, 75")} ${numbers("noRetryOn", "Never try again on", "2")}
      ${period("retryUntil", "No attempt later than", "PT6H", "after it is due; no bound")}
      <${Text} label="Disable after failures in a row" type="number" min="0" ...${of("disableAfterFailures", { set: (/** @type {string} */ text) => change({ disableAfterFailures: numberOrText(text) }) })} placeholder="as the server says" />
      ${period("killGrace", "Time to stop when asked", "PT10S", "as the server says")}
      ${period("epsilon", "May be started late by", "PT60S")}
      <${Choose} label="An attempt nobody has news of" options=${UNKNOWN} ...${object("onUnknown", "then")} />
      <${Text} label="Wait for news" mono ...${object("onUnknown", "wait")} placeholder="PT1M" />
    </div>
    <h3>Who</h3>
    <div class="fields">
      <${Text} label="Run as user" mono ...${of("runAsUser")} placeholder="root" />
      <${Text} label="Name of the owner" ...${of("ownerName")} />
    </div>
  <//>`;
}

/** @param {{given: import("./form.js").Given}} props */
function Calendars({ given: { draft, change, fault } }) {
  return html`<${List}
    label="Calendars"
    name="calendars"
    items=${draft.calendars ?? []}
    set=${(/** @type {any[]} */ list) => change({ calendars: list.length ? list : undefined })}
    problem=${fault("calendars")}
    hint="Dates such as 2026-12-25, yearly 12-25 or 12-24/01-01; weekdays such as SAT or MON-FRI; windows such as 22:00/06:00. Commas between."
    make=${() => ({ name: "", use: "neverIn" })}
    add="Add a calendar"
    row=${(/** @type {any} */ item, /** @type {any} */ set, /** @type {number} */ index) => {
      const items = (/** @type {string} */ key, /** @type {string} */ placeholder) =>
        html`<${Items} label="${key} of calendar ${index + 1}" placeholder=${placeholder} items=${item[key]} parse=${itemsOf} set=${(/** @type {any} */ list) => set({ ...withKey(item, key, list) })} />`;
      return html`
        <input aria-label="name of calendar ${index + 1}" placeholder="name" value=${item.name ?? ""} onInput=${(/** @type {any} */ e) => set({ ...item, name: e.target.value })} />
        <select aria-label="use of calendar ${index + 1}" value=${item.use} onChange=${(/** @type {any} */ e) => set({ ...item, use: e.target.value })}>
          <option value="neverIn" selected=${item.use === "neverIn"}>never in</option>
          <option value="onlyIn" selected=${item.use === "onlyIn"}>only in</option>
        </select>
        ${items("dates", "dates")} ${items("weekdays", "weekdays")} ${items("windows", "windows")}
      `;
    }}
  />`;
}
