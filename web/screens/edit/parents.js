/** After which jobs a job runs. They are searched for in the server, which alone knows them all. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { get } from "../../data/http.js";
import { Choose } from "../../parts/field.js";
import { toJob } from "../../shell/route.js";

const PAUSE_MS = 200;

/** @type {[string, string][]} */
const RULES = [["", "every parent has succeeded anew"], ["all-done", "every parent is over, however it ended"], ["any-succeeded", "a parent has succeeded"], ["any-failed", "a parent has failed for good"]];
/** @type {[string, string][]} */
const JOINS = [["", "whatever they did since the last time"], ["due", "only what they did for the same due instant"]];

/** @param {{given: import("./form.js").Given, self: string | null}} props */
export function Parents({ given: { draft, change, fault, of }, self }) {
  /** @type {string[]} */
  const parents = Array.isArray(draft.parents) ? draft.parents : [];
  return html`
    <div class="field ${fault("parents") ? "invalid" : ""}" data-field="parents">
      <${Search} add=${(/** @type {string} */ name) => change({ parents: [...parents, name] })} without=${[...parents, ...(self === null ? [] : [self])]} />
      <ul class="chosen-jobs">
        ${parents.map(
          (name) => html`<li key=${name}>
            <a href=${toJob(name)} target="_blank" rel="noopener">${name}</a>
            <button class="quiet" type="button" aria-label="remove ${name}" onClick=${() => change({ parents: parents.filter((each) => each !== name) })}>×</button>
          </li>`,
        )}
      </ul>
      ${fault("parents") && html`<p class="wrong" role="alert">${fault("parents")}</p>`}
    </div>
    <div class="fields">
      <${Choose} label="It runs when" options=${RULES} ...${of("triggerRule", { value: draft.triggerRule === "all-succeeded" ? "" : draft.triggerRule })} />
      <${Choose} label="What belongs together" options=${JOINS} ...${of("join", { value: draft.join === "round" ? "" : draft.join })} />
    </div>
  `;
}

/** @param {{add: (name: string) => void, without: string[]}} props */
function Search({ add, without }) {
  const [text, setText] = useState("");
  const [found, setFound] = useState(/** @type {{name: string, words: string}[]} */ ([]));
  const [total, setTotal] = useState(0);
  const [at, setAt] = useState(0);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const stopped = new AbortController();
    if (!text.trim()) {
      setFound([]);
      return;
    }
    const timer = setTimeout(async () => {
      try {
        const { jobs, total: all } = await get("overview", { search: text, limit: 8 + without.length }, { signal: stopped.signal });
        setFound(jobs);
        setTotal(all);
        setAt(0);
      } catch {
        // Whoever knows the name can type all of it.
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stopped.abort();
    };
  }, [text]);

  const shown = found.filter((each) => !without.includes(each.name)).slice(0, 8);
  const take = (/** @type {string} */ name) => {
    if (name && !without.includes(name)) add(name);
    setText("");
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "ArrowDown") setAt(Math.min(at + 1, shown.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
    else if (event.key === "Enter" && !event.ctrlKey) take(shown[at]?.name ?? text.trim());
    else return;
    event.preventDefault();
  };
  const listed = open && shown.length > 0;
  return html`<div class="search-jobs">
    <label
      >Add a parent
      <input
        role="combobox"
        aria-expanded=${listed}
        aria-controls="found-jobs"
        aria-activedescendant=${listed ? `found-${at}` : undefined}
        autocomplete="off"
        spellcheck="false"
        placeholder="a part of its name"
        value=${text}
        onInput=${(/** @type {any} */ event) => setText(event.target.value)}
        onKeyDown=${keys}
        onFocus=${() => setOpen(true)}
        onBlur=${() => setOpen(false)}
    /></label>
    <ul id="found-jobs" role="listbox" aria-label="jobs found" class=${listed ? "" : "hidden"}>
      ${shown.map(
        (each, index) => html`<li
          id=${`found-${index}`}
          role="option"
          aria-selected=${index === at}
          onPointerDown=${(/** @type {Event} */ event) => {
            // Before the field loses the keyboard.
            event.preventDefault();
            take(each.name);
          }}
        >
          <span>${each.name}</span> <small>${each.words}</small>
        </li>`,
      )}
      ${total > found.length && html`<li class="hint" role="presentation">${total - found.length} more: type more of the name</li>`}
    </ul>
  </div>`;
}
