/** What got no answer is asked for again by itself: after growing pauses, and at once when the server is heard from again. */

import { onConnection } from "./stream.js";

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;
/** Not reached, too much at once, not now: the same question may have an answer later. */
const PASSING = [0, 429, 503];

/** @param {() => void} again asks anew */
export function retrying(again) {
  let failures = 0;
  let failed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const stop = onConnection(({ live }) => {
    if (live && failed) again();
  });
  return {
    /** @param {unknown} problem what came of the last question; null if it was answered */
    told(problem) {
      clearTimeout(timer);
      failed = problem !== null;
      if (!failed) failures = 0;
      else if (PASSING.includes(/** @type {any} */ (problem).status)) {
        timer = setTimeout(again, Math.min(LONGEST_MS, FIRST_MS * 2 ** failures));
        failures += 1;
      }
    },
    stop() {
      clearTimeout(timer);
      stop();
    },
  };
}
