/** What happened because of something the reader did: told in a corner, and to screen readers. */

import { html, useEffect, useState } from "../vendor/preact.js";

/**
 * @typedef {{id: number, text: string, tone: "good" | "bad", detail?: string | null,
 *   action?: {label: string, run: () => void}}} Notice
 */

const SHOWN_MS = 8_000;

/** @type {Notice[]} */
let notices = [];
/** @type {Set<() => void>} */
const watchers = new Set();
let numbered = 0;

function changed() {
  for (const watcher of watchers) watcher();
}

/** @param {number} id */
function dismiss(id) {
  notices = notices.filter((notice) => notice.id !== id);
  changed();
}

/**
 * @param {Omit<Notice, "id">} notice
 */
export function tell(notice) {
  const id = (numbered += 1);
  notices = [...notices.slice(-4), { ...notice, id }];
  changed();
  // What went wrong stays until it is read.
  if (notice.tone === "good") setTimeout(() => dismiss(id), SHOWN_MS);
}

/**
 * @param {string} what such as `job a was not deleted`
 * @param {unknown} error
 */
export function tellProblem(what, error) {
  const problem = /** @type {{message?: string, remedy?: string | null}} */ (error);
  tell({ tone: "bad", text: `${what}: ${problem.message ?? error}`, detail: problem.remedy ?? null });
}

export function Notices() {
  const [, render] = useState(0);
  useEffect(() => {
    const watcher = () => render((turn) => turn + 1);
    watchers.add(watcher);
    return () => void watchers.delete(watcher);
  }, []);
  return html`<div class="notices" role="status" aria-live="polite">
    ${notices.map(
      (notice) => html`<div class="notice ${notice.tone}" key=${notice.id}>
        <p>${notice.text}${notice.detail && html`<br /><small>${notice.detail}</small>`}</p>
        ${notice.action &&
        html`<button
          class="quiet"
          onClick=${() => {
            dismiss(notice.id);
            notice.action?.run();
          }}
        >
          ${notice.action.label}
        </button>`}
        <button class="quiet" aria-label="dismiss" onClick=${() => dismiss(notice.id)}>×</button>
      </div>`,
    )}
  </div>`;
}
