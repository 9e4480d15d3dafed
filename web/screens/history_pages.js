/** Pages of the history: newest first, read on as far as the reader looks, and kept up while new runs come. */

import { useEffect, useRef, useState } from "../vendor/preact.js";
import { get } from "../data/http.js";
import { onEvent, retrying } from "../data/stream.js";
import { entry } from "../shell/route.js";
import { keyOf, refreshed, told } from "./history_rows.js";

const PAGE = 100;
/** As many entries are held; whoever looks for more than that narrows the search. */
export const ROWS_MAX = 20_000;
/** The server looks at so much for one answer. Where little matches, it is asked on by itself so often. */
const EMPTY_PAGES = 5;
/** So many of them are asked for again when Back leads to them. */
const AGAIN = 200;
const REFRESH_MS = 1_000;

/**
 * @typedef {object} Pages
 * @property {any[]} rows
 * @property {string | null} next
 * @property {string | null} searchedTo the instant back to which was looked; null at the end of the history
 * @property {boolean} loading
 * @property {Error | null} problem
 * @property {number} fresh how many were recorded since, while the reader looks further down
 * @property {() => void} more
 * @property {() => void} renew
 */

/**
 * @param {import("../data/http.js").Params} params
 * @param {boolean} atTop whether the reader sees the newest
 * @returns {Pages}
 */
export function usePages(params, atTop) {
  const key = JSON.stringify(params);
  const [state, setState] = useState({ key, rows: /** @type {any[]} */ ([]), next: /** @type {string | null} */ (null), searchedTo: /** @type {string | null} */ (null), loading: true, problem: /** @type {Error | null} */ (null), fresh: 0 });
  const latest = useRef({ state, atTop, params });
  latest.current = { state, atTop, params };
  const acts = useRef({ more: () => {}, renew: () => {} });

  useEffect(() => {
    const stopped = new AbortController();
    let busy = false;
    /** @type {ReturnType<typeof setTimeout> | null} */
    let planned = null;
    let lastAsked = 0;
    /** What got no answer, to be asked again. */
    let again = () => {};
    const retry = retrying(() => again());
    const failed = (/** @type {unknown} */ error, /** @type {() => void} */ anew) => {
      if (stopped.signal.aborted) return;
      again = anew;
      retry.told(error);
      change({ loading: false, problem: error instanceof Error ? error : new Error(String(error)) });
    };
    const ask = (/** @type {string | null} */ before, limit = PAGE) => get("runs", { ...latest.current.params, limit, before }, { signal: stopped.signal });
    const change = (/** @type {any} */ changes) => {
      if (!stopped.signal.aborted) setState((known) => ({ ...(known.key === key ? known : { ...known, key, rows: [], next: null, searchedTo: null, fresh: 0 }), ...changes }));
    };

    const readOn = async (/** @type {any[]} */ rows, /** @type {string | null} */ from) => {
      busy = true;
      change({ rows, next: from, loading: true, problem: null });
      let before = from;
      let known = rows;
      try {
        for (let empty = 0; empty < EMPTY_PAGES; empty += 1) {
          lastAsked = performance.now();
          const page = await ask(before);
          known = [...known, ...page.runs];
          before = page.next;
          change({ rows: known, next: before, searchedTo: page.searchedTo ?? null });
          if (page.runs.length || before === null) break;
        }
        retry.told(null);
        change({ loading: false });
      } catch (error) {
        failed(error, () => busy || void readOn(known, before));
      }
      busy = false;
    };

    const renew = async () => {
      if (busy) return plan();
      busy = true;
      lastAsked = performance.now();
      try {
        const page = await ask(null);
        const { rows } = latest.current.state;
        const { rows: merged, joined } = refreshed(latest.current.state.key === key ? rows : [], page.runs, page.next);
        retry.told(null);
        change(joined ? { rows: merged, problem: null, fresh: 0 } : { rows: merged, next: page.next, searchedTo: page.searchedTo ?? null, problem: null, fresh: 0, loading: false });
      } catch (error) {
        failed(error, plan);
      }
      busy = false;
      return undefined;
    };
    const plan = () => {
      planned ??= setTimeout(() => {
        planned = null;
        void renew();
      }, Math.max(60, REFRESH_MS - (performance.now() - lastAsked)));
    };

    acts.current = {
      more: () => {
        const { state: now } = latest.current;
        if (!busy && now.key === key && now.next !== null && now.rows.length < ROWS_MAX) void readOn(now.rows, now.next);
      },
      renew: () => void renew(),
    };
    /** What was read before stays in its place; what has come since is told of. */
    const back = async (/** @type {any} */ { rows, next, searchedTo }) => {
      busy = true;
      change({ rows, next, searchedTo, loading: false, problem: null });
      try {
        const page = await ask(null, Math.min(rows.length, AGAIN));
        const now = new Map(page.runs.map((/** @type {any} */ each) => [keyOf(each), each]));
        const since = page.runs.findIndex((/** @type {any} */ each) => each.sequence <= rows[0].sequence);
        const known = latest.current.state;
        change({ rows: known.rows.map((each) => now.get(keyOf(each)) ?? each), fresh: since < 0 ? page.runs.length : since });
      } catch (error) {
        if (!stopped.signal.aborted) change({ problem: error instanceof Error ? error : new Error(String(error)) });
      }
      busy = false;
    };
    const kept = entry();
    if (kept.top > 0 && kept.pages?.key === key) void back(kept.pages);
    else {
      change({ loading: true, problem: null });
      void readOn([], null);
    }
    const stop = onEvent((event) => {
      if (event.kind === "reset") return plan();
      const recorded = event.what === "recorded" && (event.kind === "run" || event.kind === "stretch");
      const { job } = latest.current.params;
      if (job && event.job !== undefined && event.job !== job) return undefined;
      if (recorded && !latest.current.atTop) return change({ fresh: latest.current.state.fresh + (event.kind === "run" ? 1 : 0) });
      const rows = told(latest.current.state.rows, event);
      if (rows !== latest.current.state.rows) change({ rows });
      // Whether what moved belongs to what is chosen, only the server says; it also has the reason.
      if (latest.current.atTop && ["run", "stretch"].includes(event.kind) && (recorded || event.what === "ended" || latest.current.params.live !== undefined)) plan();
      return undefined;
    });
    return () => {
      if (latest.current.state.key === key) kept.pages = latest.current.state;
      stopped.abort();
      stop();
      retry.stop();
      if (planned) clearTimeout(planned);
    };
  }, [key]);

  const shown = state.key === key ? state : { ...state, rows: [], next: null, searchedTo: null, fresh: 0, loading: true, problem: null };
  return { ...shown, more: () => acts.current.more(), renew: () => acts.current.renew() };
}
