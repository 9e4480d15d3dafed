/** A field in which one finds a job by a part of its name: the server searches, because it alone knows them all. */

import { html, useEffect, useState } from "../vendor/preact.js";
import { get } from "../data/http.js";

const PAUSE_MS = 200;

/**
 * @param {{label: string, add: (name: string) => void, without?: string[]}} props
 */
export function SearchJobs({ label, add, without = [] }) {
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
      >${label}
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
