/** What stands around every screen: where one can go, whether what is shown is true, and how it is shown. */

import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { useNow } from "../data/present.js";
import { count, duration } from "../data/format.js";
import { theme, zone } from "../data/preferences.js";
import { about, useGet } from "../data/query.js";
import { onConnection } from "../data/stream.js";
import { signOut } from "../data/session.js";
import { Dialog } from "../parts/dialog.js";
import { shortcuts, useKeys } from "./keys.js";
import { go, to } from "./route.js";

const SCREENS = [
  { id: "now", label: "Now" },
  { id: "jobs", label: "Jobs" },
  { id: "timeline", label: "Timeline" },
  { id: "graph", label: "Graph" },
  { id: "history", label: "History" },
  { id: "forecast", label: "Forecast" },
  { id: "backfill", label: "Backfill" },
  { id: "alerts", label: "Alerts" },
  { id: "cluster", label: "Cluster" },
  { id: "audit", label: "Audit" },
];

/** Which entry of the navigation a path belongs to. */
/** @type {Record<string, string>} */
const UNDER = { job: "jobs", new: "jobs", edit: "jobs", run: "history", "": "now" };

const ZONES = { mine: "my time", job: "job’s zone", utc: "UTC" };
const THEMES = { system: "system", light: "light", dark: "dark" };

/**
 * @param {{screen: string, me: import("../data/me.js").Me, children?: any}} props
 */
export function Frame({ screen, me, children }) {
  const [help, setHelp] = useState(false);
  const [open, setOpen] = useState(false);
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));
  const current = UNDER[screen] ?? screen;

  useKeys([
    { key: "/", does: "search jobs", run: () => (document.querySelector(/** @type {any} */ ("[data-search]")) ?? search.current)?.focus() },
    { key: "?", does: "this help", run: () => setHelp(true) },
    { key: "g", does: "the graph", run: () => go(to(["graph"])) },
    { key: "n", does: "now", run: () => go(to(["now"])) },
    { key: "l", does: "the list of jobs", run: () => go(to(["jobs"])) },
    { key: "t", does: "the timeline", run: () => go(to(["timeline"])) },
  ], { frame: true });
  useEffect(() => setOpen(false), [screen]);

  const find = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    go(to(["jobs"], { search: search.current?.value }));
    search.current?.blur();
  };

  return html`<div class="frame">
    <a class="skip" href="#content" onClick=${skip}>Skip to content</a>
    <header class="top-bar">
      <button class="quiet menu" aria-expanded=${open} aria-controls="navigation" onClick=${() => setOpen(!open)}>Menu</button>
      <a class="brand" href=${to(["now"])}>Chronode</a>
      <form class="find" role="search" onSubmit=${find}>
        <input ref=${search} type="search" placeholder="Search jobs  /" aria-label="search jobs" />
      </form>
      <span class="chosen">
        <${Choice} label="times in" preference=${zone} names=${ZONES} />
        <${Choice} label="colours" preference=${theme} names=${THEMES} />
        <button class="quiet" onClick=${() => setHelp(true)} aria-label="keys and help">?</button>
        ${me.credentials &&
        html`<span class="who" title="role ${me.role}">${me.name}</span>
          <button
            class="quiet"
            onClick=${() => {
              signOut(true);
              location.reload();
            }}
          >
            Sign out
          </button>`}
      </span>
    </header>
    <nav id="navigation" class="screens ${open ? "open" : ""}" aria-label="screens">
      ${SCREENS.map(
        ({ id, label }) =>
          html`<a href=${to([id])} aria-current=${id === current ? "page" : undefined}>${label}${id === "alerts" && html`<${Untended} />`}</a>`,
      )}
      <span class="narrow">
        <${Choice} label="times in" preference=${zone} names=${ZONES} />
        <${Choice} label="colours" preference=${theme} names=${THEMES} />
      </span>
    </nav>
    <div class="main">
      <${StaleBar} />
      <main id="content" tabindex="-1">${children}</main>
    </div>
    ${help && html`<${Help} close=${() => setHelp(false)} />`}
  </div>`;
}

/** How many incidents nobody has acknowledged or silenced. */
function Untended() {
  const { data } = useGet("incidents", { state: "open", limit: 1 }, { on: about(["incident"]), every: 60_000 });
  const open = data?.counts.open;
  return open > 0 && html` <span class="amount">${count(open)}<span class="unseen"> that nobody looks after</span></span>`;
}

/** A link to a place in this page would take the place of the view's address. */
function skip(/** @type {Event} */ event) {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

/**
 * @param {{label: string, preference: any, names: Record<string, string>}} props
 */
function Choice({ label, preference, names }) {
  const [value, setValue] = useState(preference.get());
  return html`<label class="choice"
    ><span class="unseen">${label}</span>
    <select
      value=${value}
      title=${label}
      onChange=${(/** @type {any} */ event) => {
        preference.set(event.target.value);
        setValue(event.target.value);
      }}
    >
      ${preference.values.map((/** @type {string} */ each) => html`<option value=${each} selected=${each === value}>${names[each]}</option>`)}
    </select></label
  >`;
}

/** A loss shorter than this is not worth a word: a restart of the server is one. */
const WORTH_TELLING_MS = 1_500;

/** Says that what is shown may be old, since when, and when it is in order again. */
function StaleBar() {
  const [connection, setConnection] = useState({ live: true, since: Date.now() });
  const now = useNow();
  useEffect(() => onConnection(setConnection), []);
  const lost = !connection.live && now - connection.since > WORTH_TELLING_MS;
  // How old it is changes each second, and is not read out each time.
  return html`<div class="stale ${lost ? "shown" : ""}">
    <span role="status">${lost && "The server is not heard from. Trying again."}</span>
    ${lost && html` What is shown is ${duration(now - connection.since)} old.`}
  </div>`;
}

/** @param {{close: () => void}} props */
function Help({ close }) {
  const list = shortcuts();
  return html`<${Dialog} title="Keys" close=${close}>
    <table class="keys">
      <tbody>
        ${list.map(
          ({ key, does }) => html`<tr>
            <th><kbd>${key}</kbd></th>
            <td>${does}</td>
          </tr>`,
        )}
        <tr>
          <th><kbd>Esc</kbd></th>
          <td>close a dialog, leave a field</td>
        </tr>
      </tbody>
    </table>
    <p class="hint">Everything here is also in the REST API (<a href="scheduler/openapi.json">openapi.json</a>) and in <code>chronode --help</code>.</p>
    <p class="buttons"><button class="primary" onClick=${close}>Close</button></p>
  <//>`;
}
