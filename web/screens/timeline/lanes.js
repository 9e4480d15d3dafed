/** The lanes in sight: asked for by pages, kept while they are asked for again, and asked for anew when something happened on them. */

import { useEffect, useRef, useState } from "../../vendor/preact.js";
import { get } from "../../data/http.js";
import { onEvent } from "../../data/stream.js";

export const PAGE = 40;
/** However much happens, a page is not asked for more often. */
const SHORTEST_MS = 1_500;
/** At the same time; the rest waits, so that what is in sight comes first. */
const AT_ONCE = 2;

/**
 * @typedef {{search?: string, state?: string, sort?: string, busy?: string}} Filter
 * @typedef {{lanes: import("./bars.js").Lane[], range: string}} Page
 * @typedef {{total: number | null, lane: (index: number) => import("./bars.js").Lane | null, problem: Error | null, reload: () => void}} Lanes
 */

/**
 * @param {Filter} filter
 * @param {{from: number, to: number}} asked
 * @param {number} first of the rows in sight
 * @param {number} last behind the last of them
 * @returns {Lanes}
 */
export function useLanes(filter, asked, first, last) {
  const [, render] = useState(0);
  const [problem, setProblem] = useState(/** @type {Error | null} */ (null));
  const key = JSON.stringify(filter);
  const range = `${asked.from}-${asked.to}`;
  const kept = useRef({ key, total: /** @type {number | null} */ (null), pages: /** @type {Map<number, Page>} */ (new Map()) });
  if (kept.current.key !== key) kept.current = { key, total: null, pages: new Map() };
  const wanted = useRef({ filter, asked, range, first, last });
  wanted.current = { filter, asked, range, first, last };
  const reloads = useRef(() => {});
  const pumps = useRef(() => {});

  useEffect(() => {
    const mine = kept.current;
    /** @type {Map<number, AbortController>} */
    const asking = new Map();
    /** Pages on which something happened since they were asked for. */
    /** @type {Set<number>} */
    const dirty = new Set();
    /** @type {ReturnType<typeof setTimeout> | null} */
    let planned = null;
    let over = false;

    const inSight = () => {
      const { first: from, last: to } = wanted.current;
      const pages = [];
      const start = Math.floor(from / PAGE);
      for (let page = start; page * PAGE < Math.max(to, from + 1); page += 1) {
        // How many there are is known with the first answer.
        if (page === start || (mine.total !== null && page * PAGE < mine.total)) pages.push(page);
      }
      return pages;
    };
    const load = async (/** @type {number} */ page) => {
      const controller = new AbortController();
      asking.set(page, controller);
      dirty.delete(page);
      const { filter: chosen, asked: span, range: name } = wanted.current;
      const params = { ...chosen, from: new Date(span.from).toISOString(), to: new Date(span.to).toISOString(), offset: page * PAGE, limit: PAGE };
      try {
        const answer = await get("timeline", params, { signal: controller.signal });
        mine.total = answer.total;
        mine.pages.set(page, { lanes: answer.lanes, range: name });
        setProblem(null);
      } catch (error) {
        if (!controller.signal.aborted) {
          setProblem(error instanceof Error ? error : new Error(String(error)));
          const known = mine.pages.get(page);
          // What cannot be had is not asked for again until something else is.
          mine.pages.set(page, { lanes: known?.lanes ?? [], range: name });
        }
      }
      asking.delete(page);
      if (over) return;
      render((turn) => turn + 1);
      if (dirty.has(page)) soon();
      pump(page);
    };
    const pump = (/** @type {number} */ except = -1) => {
      for (const page of inSight()) {
        if (page === except && dirty.has(page)) continue;
        const known = mine.pages.get(page);
        if (asking.has(page) || (known && known.range === wanted.current.range && !dirty.has(page))) continue;
        if (asking.size >= AT_ONCE) return;
        void load(page);
      }
    };
    const soon = () => {
      planned ??= setTimeout(() => {
        planned = null;
        pump();
      }, SHORTEST_MS);
    };
    /** Once a page that is being asked for has come, it is asked for again. */
    const soil = (/** @type {(page: Page) => boolean} */ concerns) => {
      for (const [number, page] of mine.pages) if (concerns(page)) dirty.add(number);
      soon();
    };
    reloads.current = () => {
      for (const number of mine.pages.keys()) dirty.add(number);
      pump();
    };
    pumps.current = () => pump();
    pump();
    const stop = onEvent((event) => {
      if (event.kind === "reset" || event.kind === "job" || event.kind === "pause") soil(() => true);
      else if (event.kind === "run" || event.kind === "stretch") soil(({ lanes }) => lanes.some((lane) => lane.job === event.job));
    });
    return () => {
      over = true;
      stop();
      if (planned) clearTimeout(planned);
      for (const controller of asking.values()) controller.abort();
    };
  }, [key]);
  useEffect(() => pumps.current(), [range, first, last]);

  const { total, pages } = kept.current;
  return {
    total,
    lane: (index) => pages.get(Math.floor(index / PAGE))?.lanes[index % PAGE] ?? null,
    problem,
    reload: () => reloads.current(),
  };
}
