/** The present, for what is shown relative to it. One timer serves the whole page. */

import { useEffect, useState } from "../vendor/preact.js";

/** @type {Set<() => void>} */
const watchers = new Set();
/** @type {ReturnType<typeof setInterval> | null} */
let timer = null;

/**
 * The present in milliseconds; renders again each second.
 */
export function useNow() {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const tick = () => setNow(Date.now());
    watchers.add(tick);
    timer ??= setInterval(() => watchers.forEach((watcher) => watcher()), 1_000);
    return () => {
      watchers.delete(tick);
      if (watchers.size === 0 && timer) {
        clearInterval(timer);
        timer = null;
      }
    };
  }, []);
  return now;
}
