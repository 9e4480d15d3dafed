/** Keys of the whole page. A screen adds its own while it is shown. */

import { useEffect } from "../vendor/preact.js";

/**
 * @typedef {{key: string, does: string, run: (event: KeyboardEvent) => void}} Shortcut
 */

/** @type {Set<Shortcut[]>} */
const active = new Set();

/**
 * Shortcuts that hold while a component is shown.
 * @param {Shortcut[]} shortcuts
 */
export function useKeys(shortcuts) {
  useEffect(() => {
    active.add(shortcuts);
    return () => void active.delete(shortcuts);
  });
}

/** All that hold now, for the help. */
export function shortcuts() {
  return [...active].flat();
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest?.("input, textarea, select, [contenteditable]")) {
    if (event.key === "Escape") target.blur();
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  for (const list of [...active].reverse()) {
    const found = list.find((shortcut) => shortcut.key === event.key);
    if (found) {
      event.preventDefault();
      found.run(event);
      return;
    }
  }
});
