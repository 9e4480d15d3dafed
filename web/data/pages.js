/** A list of any length of which only the pages in sight are asked for. */

import { useCallback, useLayoutEffect, useRef, useState } from "../vendor/preact.js";
import { onEvent, retrying } from "./stream.js";

/** While things happen, the pages in sight are asked for again, but not more often. */
const SHORTEST_MS = 1_000;
/** Pages kept; those that were looked at longest ago go first. */
const KEPT = 12;

/**
 * @template Row, Rest
 * @typedef {object} Pages
 * @property {number} total
 * @property {Rest | null} rest what came with the last page beside its rows
 * @property {Error | null} problem
 * @property {boolean} loading nothing is known yet
 * @property {(index: number) => Row | undefined} at
 * @property {(first: number, last: number) => void} see
 * @property {() => void} reload
 */

/**
 * @template Row, Rest
 * @param {string} key what is listed; another key is another list
 * @param {number} size rows of a page
 * @param {(offset: number, limit: number, signal: AbortSignal) => Promise<{total: number, rows: Row[], rest: Rest}>} load
 * @param {{on?: (event: import("./stream.js").Event) => boolean, every?: number}} [when]
 * @returns {Pages<Row, Rest>}
 */
export function usePages(key, size, load, when = {}) {
  const [state, setState] = useState({
    key,
    total: 0,
    rest: /** @type {Rest | null} */ (null),
    problem: /** @type {Error | null} */ (null),
    loading: true,
    pages: /** @type {Map<number, Row[]>} */ (new Map()),
  });
  const latest = useRef({ load, when });
  latest.current = { load, when };
  const inside = useRef(/** @type {{see: (first: number, last: number) => void, reload: () => void} | null} */ (null));

  // Before the table, which tells in an effect of its own what is in sight of the new list.
  useLayoutEffect(() => {
    const stopped = new AbortController();
    /** @type {Set<number>} */
    const asked = new Set();
    /** @type {Set<number>} */
    const known = new Set();
    /** @type {Set<number>} */
    const failed = new Set();
    let sight = [0];
    /** @type {ReturnType<typeof setTimeout> | null} */
    let planned = null;
    let lastAsked = 0;

    const ask = async (/** @type {number} */ page) => {
      if (asked.has(page)) return;
      asked.add(page);
      lastAsked = performance.now();
      try {
        const { total, rows, rest } = await latest.current.load(page * size, size, stopped.signal);
        if (stopped.signal.aborted) return;
        known.add(page);
        failed.delete(page);
        if (!failed.size) retry.told(null);
        setState((before) => {
          const pages = new Map(before.key === key ? before.pages : []);
          pages.delete(page);
          pages.set(page, rows);
          for (const old of pages.keys()) {
            if (pages.size <= KEPT) break;
            if (!sight.includes(old)) {
              pages.delete(old);
              known.delete(old);
            }
          }
          return { key, total, rest, problem: null, loading: false, pages };
        });
      } catch (error) {
        if (stopped.signal.aborted) return;
        const problem = error instanceof Error ? error : new Error(String(error));
        failed.add(page);
        retry.told(problem);
        setState((before) => (before.key === key ? { ...before, problem, loading: false } : { key, total: 0, rest: null, problem, loading: false, pages: new Map() }));
      } finally {
        asked.delete(page);
      }
    };
    const reload = () => {
      if (planned) return;
      planned = setTimeout(() => {
        planned = null;
        known.clear();
        failed.clear();
        for (const page of sight) void ask(page);
      }, Math.max(60, SHORTEST_MS - (performance.now() - lastAsked)));
    };
    inside.current = {
      see(first, last) {
        sight = [];
        for (let page = Math.floor(first / size); page <= Math.floor(Math.max(first, last - 1) / size); page += 1) sight.push(page);
        for (const page of sight) if (!known.has(page)) void ask(page);
      },
      reload,
    };
    const retry = retrying(reload);
    void ask(0);
    const stop = onEvent((event) => {
      if (event.kind === "reset" || latest.current.when.on?.(event)) reload();
    });
    const timer = latest.current.when.every ? setInterval(reload, latest.current.when.every) : null;
    return () => {
      stopped.abort();
      stop();
      retry.stop();
      if (planned) clearTimeout(planned);
      if (timer) clearInterval(timer);
      inside.current = null;
    };
  }, [key]);

  // While another list is on its way the one before stays in sight, so that typing does not make the page blink.
  const { total, rest, problem, loading, pages } = state;
  const see = useCallback((/** @type {number} */ first, /** @type {number} */ last) => inside.current?.see(first, last), []);
  return {
    total, rest, problem, loading, see,
    at: (index) => pages.get(Math.floor(index / size))?.[index % size],
    reload: () => inside.current?.reload(),
  };
}
