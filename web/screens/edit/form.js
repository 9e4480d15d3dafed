/** The draft as a form. It changes the fields it shows and leaves all others as they are. */

import { html } from "../../vendor/preact.js";
import { Sentence } from "../../parts/sentence.js";
import { kindOf, turnInto } from "../../data/definition.js";
import { Area, Check, Choose, List, Text, Variables } from "../../parts/field.js";
import { Constraints } from "./constraints.js";
import { Container, Fetch } from "./container.js";
import { faultOf } from "./faults.js";
import { periodHint } from "./fold.js";
import { Objectives } from "./objectives.js";
import { Parents } from "./parents.js";
import { Schedule } from "./schedule.js";
import { More } from "./more.js";
import { numberOrText, priorityFields, priorityOf, textOrNothing, withKey, worded, wordOf } from "./values.js";

/** Fields whose faults stand beside them; others are told above. */
export const FIELDS = [
  "name", "command", "schedule", "scheduleTimeZone", "parents", "triggerRule", "join", "description", "owner", "ownerName", "shell", "arguments",
  "environmentVariables", "retries", "retryDelay", "retryBackoff", "retryOn", "noRetryOn", "retryUntil", "disableAfterFailures", "timeout",
  "killGrace", "overlap", "catchUp", "priority", "cpus", "mem", "disk", "ports", "placement", "constraints", "container", "fetch", "calendars", "notBefore", "notAfter",
  "jitter", "dst", "spreadBy", "runAsUser", "epsilon", "onUnknown", "softError", "disabled", "shadow", "uris",
  "startBy", "finishBy", "maxLateness", "expectedDuration", "runbook", "labels",
];

/**
 * What the parts of the form are given.
 * @typedef {object} Given
 * @property {Record<string, any>} draft
 * @property {(changes: Record<string, any>) => void} change what is undefined is left out of the draft
 * @property {(field: string) => string | null} fault
 * @property {(field: string, more?: Record<string, any>) => any} of what a field of plain text is given
 * @property {import("./faults.js").Refused[]} refused
 */

/**
 * @param {object} props
 * @param {Record<string, any>} props.draft
 * @param {(draft: Record<string, any>) => void} props.set
 * @param {import("./faults.js").Refused[]} props.refused
 * @param {string | null} props.name of the stored job, which stays
 * @param {import("../../data/definition.js").Said} props.said
 */
export function Form({ draft, set, refused, name, said }) {
  const kind = kindOf(draft);
  const change = (/** @type {Record<string, any>} */ changes) => {
    const next = { ...draft, ...changes };
    for (const [key, value] of Object.entries(changes)) if (value === undefined) delete next[key];
    set(next);
  };
  const fault = (/** @type {string} */ field) => faultOf(refused, field);
  /** @type {Given["of"]} */
  const of = (field, more = {}) => ({
    name: field,
    value: draft[field],
    problem: fault(field),
    set: (/** @type {string} */ text) => change({ [field]: textOrNothing(text) }),
    ...more,
  });
  const amount = (/** @type {string} */ field, more = {}) =>
    of(field, { set: (/** @type {string} */ text) => change({ [field]: numberOrText(text) }), ...more });
  const given = { draft, change, fault, of, refused };

  return html`<form class="job-form" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
    <section class="card">
      <${Kind} kind=${kind} choose=${(/** @type {any} */ next) => set(turnInto(draft, next, nextHour(), said))} />
      <div class="fields">
        <${Text} label="Name" mono ...${of("name", { disabled: name !== null, set: (/** @type {string} */ text) => change({ name: text }) })} autofocus=${name === null} maxlength=${128} hint=${name === null ? "Letters, digits, . _ - # and blanks." : "A job keeps its name."} />
        <${Text} label="Owner" ...${of("owner")} placeholder="optional: addresses with commas between" />
      </div>
      <${Text} label="Description" ...${of("description")} placeholder="what it is for" />
      <${Area} label="Command" ...${of("command", { set: (/** @type {string} */ text) => change({ command: text }) })} rows=${Math.min(12, Math.max(2, String(draft.command ?? "").split("\n").length))} placeholder="/opt/report/run --all" />
      <div class="fields">
        <${Check}
          label="Read the command as shell text"
          name="shell"
          value=${draft.shell !== false}
          problem=${fault("shell")}
          set=${(/** @type {boolean} */ on) => change({ shell: on })}
        />
      </div>
      <${Arguments} given=${given} />
    </section>

    <section class="card">
      <h2>${kind === "dependent" ? "After which jobs" : "When"}</h2>
      ${kind === "dependent" ? html`<${Parents} given=${given} self=${name} />` : html`<${Schedule} given=${given} kind=${kind} />`}
    </section>

    <section class="card">
      <h2>If it fails, hangs or overlaps</h2>
      <div class="fields">
        <${Text} label="Further attempts" type="number" min="0" ...${amount("retries")} placeholder="2" />
        <${Text} label="Pause before the second" mono ...${of("retryDelay")} placeholder="PT1M" hint=${periodHint(draft.retryDelay) || "as the server says"} />
        <${Backoff} given=${given} />
        <${Text} label="Time-out of an attempt" mono ...${of("timeout")} placeholder="PT30M" hint=${periodHint(draft.timeout) || "never"} />
        <${Worded} given=${given} field="overlap" label="While one still runs" words=${OVERLAPS} counted=${["queue", "allow"]} />
        <${Worded} given=${given} field="catchUp" label="What was missed" words=${CATCH_UPS} counted=${["all"]} />
      </div>
    </section>

    <section class="card">
      <h2>What it needs</h2>
      <div class="fields">
        <${Text} label="CPUs" ...${amount("cpus")} placeholder="0.1" />
        <${Text} label="Memory, MB" ...${amount("mem")} placeholder="128" />
        <${Text} label="Disk, MB" ...${amount("disk")} placeholder="256" />
        <${Text} label="Ports" ...${amount("ports")} placeholder="none" hint="Given to the command as PORT0, PORT1 and so on, in a cluster." />
        <${Choose}
          label="Among agents with room"
          name="placement"
          value=${draft.placement ?? "pack"}
          problem=${fault("placement")}
          set=${(/** @type {string} */ word) => change({ placement: word === "pack" ? undefined : word })}
          options=${PLACEMENTS}
        />
        <${Choose}
          label="Priority"
          name="priority"
          value=${priorityOf(draft)}
          problem=${fault("priority")}
          set=${(/** @type {string} */ word) => change(priorityFields(word))}
          options=${[["low", "low"], ["normal", "normal"], ["high", "high"]]}
        />
      </div>
      <${Variables}
        name="environmentVariables"
        items=${draft.environmentVariables ?? []}
        set=${(/** @type {any} */ list) => change({ environmentVariables: list })}
        problem=${fault("environmentVariables")}
        hint="A secret is shown as *** everywhere; *** sent back keeps it."
      />
      <${Constraints} given=${given} />
    </section>

    <${Container} given=${given} />
    <${Fetch} given=${given} />
    <${Objectives} given=${given} />
    <${More} given=${given} scheduled=${kind !== "dependent"} />
  </form>`;
}

/** Where an interval begins unless somebody says otherwise. */
function nextHour() {
  return new Date(Math.ceil(Date.now() / 3_600_000) * 3_600_000).toISOString().replace(".000Z", "Z");
}

/** @type {[string, string][]} */
const OVERLAPS = [["", "as the server says"], ["skip", "skip the new one"], ["queue", "queue the new one"], ["replace", "stop the old one"], ["allow", "run both"]];
/** @type {[string, string][]} */
const CATCH_UPS = [["", "as the server says"], ["none", "is not run"], ["latest", "the latest is run late"], ["all", "all are run late"]];
/** @type {[string, string][]} */
const PLACEMENTS = [["pack", "the fullest (pack)"], ["spread", "the one with fewest of its runs (spread)"]];
/** @type {[string, string][]} */
const KINDS = [["cron", "Cron line"], ["schedule", "Interval"], ["dependent", "After other jobs"]];

/** @param {{kind: string, choose: (kind: string) => void}} props */
function Kind({ kind, choose }) {
  return html`<div class="kinds" role="group" aria-label="what triggers it">
    ${KINDS.map(([each, label]) => html`<button type="button" aria-pressed=${each === kind} onClick=${() => choose(each)}>${label}</button>`)}
  </div>`;
}

/** @param {{given: Given}} props */
function Arguments({ given: { draft, change, fault } }) {
  return html`<${List}
    label="Arguments"
    name="arguments"
    items=${draft.arguments ?? []}
    set=${(/** @type {string[]} */ list) => change({ arguments: list })}
    problem=${fault("arguments")}
    make=${() => ""}
    add="Add an argument"
    row=${(/** @type {string} */ item, /** @type {(item: string) => void} */ set, /** @type {number} */ index) =>
      html`<input class="mono wide" aria-label="argument ${index + 1}" value=${item} spellcheck="false" onInput=${(/** @type {any} */ e) => set(e.target.value)} />`}
  />`;
}

/** @param {{given: Given}} props */
function Backoff({ given: { draft, change, fault } }) {
  const backoff = draft.retryBackoff ?? {};
  const part = (/** @type {string} */ key, /** @type {any} */ value) => change({ retryBackoff: withKey(draft.retryBackoff, key, value) });
  return html`<div class="field ${fault("retryBackoff") ? "invalid" : ""}" data-field="retryBackoff" role="group" aria-label="how pauses grow">
    <label>Each pause longer by
      <span class="pair">
        <input aria-label="factor" placeholder="× 1" value=${backoff.factor ?? ""} onInput=${(/** @type {any} */ e) => part("factor", numberOrText(e.target.value))} />
        <input aria-label="longest pause" class="mono" placeholder="at most PT1H" value=${backoff.max ?? ""} onInput=${(/** @type {any} */ e) => part("max", textOrNothing(e.target.value))} />
      </span>
    </label>
    ${fault("retryBackoff") && html`<p class="wrong" role="alert"><${Sentence} text=${fault("retryBackoff")} /></p>`}
    <p class="hint">${periodHint(backoff.max) && `at most ${periodHint(backoff.max)}`}</p>
  </div>`;
}

/**
 * @param {{given: Given, field: string, label: string, words: [string, string][], counted: string[]}} props
 */
function Worded({ given: { draft, change, fault }, field, label, words, counted }) {
  const { word, amount } = worded(draft[field]);
  const put = (/** @type {string} */ next, /** @type {string} */ number) => change({ [field]: wordOf(next, number, counted) });
  return html`<div class="field ${fault(field) ? "invalid" : ""}" data-field=${field}>
    <label>${label}
      <span class="pair">
        <select value=${word} onChange=${(/** @type {any} */ e) => put(e.target.value, amount)}>
          ${words.map(([each, text]) => html`<option value=${each} selected=${each === word}>${text}</option>`)}
        </select>
        ${counted.includes(word) && html`<input class="small" aria-label="at most how many" placeholder="at most" value=${amount} onInput=${(/** @type {any} */ e) => put(word, e.target.value)} />`}
      </span>
    </label>
    ${fault(field) && html`<p class="wrong" role="alert"><${Sentence} text=${fault(field)} /></p>`}
  </div>`;
}
