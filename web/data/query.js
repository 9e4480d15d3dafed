/**
 * What a screen shows: asked for once, kept while it is asked for again, and asked for anew when something has happened
 * that concerns it.
 */

import { useEffect, useRef, useState } from "../vendor/preact.js";
import { get } from "./http.js";
import { onEvent, retrying } from "./stream.js";

/** However much happens, the same thing is not asked for more often. */
const SHORTEST_MS = 700;

/**
 * @template T
 * @typedef {{data: T | null, problem: Error | null, loading: boolean, reload: () => void}} Answer
 */

/**
 * @typedef {object} When
 * @property {(event: import("./stream.js").Event) => boolean} [on] which events it changes with; `reset` always
 * @property {number} [every] milliseconds after which it is asked for in any case; what depends on the time
 * @property {boolean} [paused] do not ask
 */

/**
 * Asks with `load` whenever `key` changes, and whenever `when` says.
 *
 * @template T
 * @param {string} key
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {When} [when]
 * @returns {Answer<T>}
 */
export function useAnswer(key, load, when = {}) {
  const [answer, setAnswer] = useState({
    key,
    data: /** @type {T | null} */ (null),
    problem: /** @type {Error | null} */ (null),
    loading: true,
  });
  const latest = useRef({ load, when });
  latest.current = { load, when };
  const reloads = useRef(() => {});

  useEffect(() => {
    /** @type {AbortController | null} */
    let asking = null;
    /** @type {ReturnType<typeof setTimeout> | null} */
    let planned = null;
    let lastAsked = 0;
    let again = false;

    const reload = async () => {
      if (latest.current.when.paused) return;
      if (asking) {
        again = true;
        return;
      }
      asking = new AbortController();
      const { signal } = asking;
      lastAsked = performance.now();
      try {
        const data = await latest.current.load(signal);
        if (!signal.aborted) {
          setAnswer({ key, data, problem: null, loading: false });
          retry.told(null);
        }
      } catch (error) {
        if (!signal.aborted) {
          const problem = error instanceof Error ? error : new Error(String(error));
          // What was known stays on the page: it is old, not wrong, and the bar above says so.
          setAnswer((known) => ({ key, data: known.key === key ? known.data : null, problem, loading: false }));
          retry.told(problem);
        }
      }
      if (signal.aborted) return;
      asking = null;
      if (again) {
        again = false;
        plan();
      }
    };

    const plan = () => {
      if (planned) return;
      const wait = Math.max(50, SHORTEST_MS - (performance.now() - lastAsked));
      planned = setTimeout(() => {
        planned = null;
        void reload();
      }, wait);
    };

    const retry = retrying(plan);
    setAnswer((known) => (known.key === key && known.data ? known : { key, data: null, problem: null, loading: true }));
    reloads.current = plan;
    void reload();
    const stop = onEvent((event) => {
      if (event.kind === "reset" || latest.current.when.on?.(event)) plan();
    });
    const { every } = latest.current.when;
    const timer = every ? setInterval(plan, every) : null;
    return () => {
      stop();
      retry.stop();
      if (timer) clearInterval(timer);
      if (planned) clearTimeout(planned);
      asking?.abort();
      reloads.current = () => {};
    };
  }, [key]);

  // The first render with another key must not show what belongs to the one before.
  const shown = answer.key === key ? answer : { key, data: null, problem: null, loading: true };
  return { data: shown.data, problem: shown.problem, loading: shown.loading, reload: () => reloads.current() };
}

/**
 * The same of one path.
 *
 * @param {string | null} path null: nothing is asked for
 * @param {import("./http.js").Params} [params]
 * @param {When} [when]
 * @returns {Answer<any>}
 */
export function useGet(path, params = {}, when = {}) {
  const key = path === null ? "" : `${path}?${JSON.stringify(params)}`;
  const load = (/** @type {AbortSignal} */ signal) => (path === null ? Promise.resolve(null) : get(path, params, { signal }));
  return useAnswer(key, load, when);
}

/**
 * For `When.on`: events of these kinds, and of this job if one is given.
 * @param {string[]} kinds
 * @param {string | null} [job]
 */
export function about(kinds, job = null) {
  return (/** @type {import("./stream.js").Event} */ event) =>
    kinds.includes(event.kind) && (job === null || event.job === undefined || event.job === job);
}
