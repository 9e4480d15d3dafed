/** Keys of the whole page. A screen adds its own while it is shown. */

import { useLayoutEffect } from "../vendor/preact.js";

/**
 * @typedef {{key: string, does: string, run: (event: KeyboardEvent) => void}} Shortcut
 */

/** @type {Set<Shortcut[]>} */
const active = new Set();
/** Those that hold everywhere, unless what is shown has the same key for something of its own. */
/** @type {Set<Shortcut[]>} */
const everywhere = new Set();

/**
 * Shortcuts that hold while a component is shown.
 * @param {Shortcut[]} shortcuts
 * @param {{frame?: boolean}} [options] `frame`: they give way to those of a screen
 */
export function useKeys(shortcuts, { frame = false } = {}) {
  // With what is seen, not after it: a key that follows at once means the row that is marked now.
  useLayoutEffect(() => {
    const set = frame ? everywhere : active;
    set.add(shortcuts);
    return () => void set.delete(shortcuts);
  });
}

/** All that hold now, for the help. */
export function shortcuts() {
  const all = [...active].reverse().flat();
  return [...all, ...[...everywhere].flat().filter(({ key }) => !all.some((other) => other.key === key))];
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest?.("input, textarea, select, [contenteditable]")) {
    if (event.key === "Escape") target.blur();
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  // What has the focus does with these keys what it always does.
  if (["Enter", " "].includes(event.key) && target.closest?.("a[href], button, summary, [role=menuitem], [role=option]")) return;
  for (const list of [...[...active].reverse(), ...everywhere]) {
    const found = list.find((shortcut) => shortcut.key === event.key);
    if (found) {
      event.preventDefault();
      found.run(event);
      return;
    }
  }
});
