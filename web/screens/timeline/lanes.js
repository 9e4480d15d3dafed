/** The lanes in sight: asked for by pages, kept while they are asked for again, and asked for anew when something happened on them. */

import { useEffect, useRef, useState } from "../../vendor/preact.js";
import { get } from "../../data/http.js";
import { onEvent, retrying } from "../../data/stream.js";
import { goesOn, laneAt, makeBook, offsetOf, PAGE, put, rows, wanted as wantedOf } from "./pages.js";

/** However much happens, a page is not asked for more often. */
const SHORTEST_MS = 1_500;
/** At the same time; the rest waits, so that what is in sight comes first. */
const AT_ONCE = 2;

/**
 * @typedef {{job?: string, search?: string, state?: string, sort?: string, busy?: string}} Filter
 * @typedef {object} Lanes
 * @property {number | null} total how many rows there are; null while nobody knows
 * @property {boolean} goesOn whether there are more jobs than rows
 * @property {(index: number) => import("./bars.js").Lane | null} lane null while it is asked for
 * @property {Error | null} problem
 * @property {() => void} reload
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
  const kept = useRef({ key: "", book: makeBook(false) });
  if (kept.current.key !== key) kept.current = { key, book: makeBook(filter.busy === "true") };
  const wanted = useRef({ filter, asked, range, first, last });
  wanted.current = { filter, asked, range, first, last };
  const reloads = useRef(() => {});
  const pumps = useRef(() => {});

  useEffect(() => {
    const { book } = kept.current;
    /** @type {Map<number, AbortController>} */
    const asking = new Map();
    /** Pages on which something happened since they were asked for. */
    /** @type {Set<number>} */
    const dirty = new Set();
    /** @type {ReturnType<typeof setTimeout> | null} */
    let planned = null;
    let over = false;
    /** The time of which a page could not be had that was not known before. */
    let failed = "";
    const retry = retrying(() => reloads.current());

    const load = async (/** @type {number} */ page) => {
      const controller = new AbortController();
      asking.set(page, controller);
      dirty.delete(page);
      const { filter: chosen, asked: span, range: name } = wanted.current;
      const params = { ...chosen, from: new Date(span.from).toISOString(), to: new Date(span.to).toISOString(), offset: offsetOf(book, page), limit: PAGE };
      try {
        const answer = await get("timeline", params, { signal: controller.signal });
        put(book, page, answer, name);
        setProblem(null);
        retry.told(null);
      } catch (error) {
        if (!controller.signal.aborted) {
          setProblem(error instanceof Error ? error : new Error(String(error)));
          retry.told(error);
          // What cannot be had is not asked for again until something else is.
          const known = book.pages[page];
          if (known) known.range = name;
          else failed = name;
        }
      }
      asking.delete(page);
      if (over) return;
      render((turn) => turn + 1);
      if (dirty.has(page)) soon();
      pump(page);
    };
    const pump = (/** @type {number} */ except = -1) => {
      if (failed === wanted.current.range) return;
      for (const page of wantedOf(book, wanted.current.first, wanted.current.last)) {
        if (page === except && dirty.has(page)) continue;
        const known = book.pages[page];
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
    const soil = (/** @type {(page: import("./pages.js").Page) => boolean} */ concerns) => {
      failed = "";
      book.pages.forEach((page, number) => concerns(page) && dirty.add(number));
      soon();
    };
    reloads.current = () => {
      failed = "";
      book.pages.forEach((_, number) => dirty.add(number));
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
      retry.stop();
      if (planned) clearTimeout(planned);
      for (const controller of asking.values()) controller.abort();
    };
  }, [key]);
  useEffect(() => pumps.current(), [range, first, last]);

  const { book } = kept.current;
  return {
    total: book.total === null ? null : rows(book),
    goesOn: goesOn(book),
    lane: (index) => laneAt(book, index),
    problem,
    reload: () => reloads.current(),
  };
}
