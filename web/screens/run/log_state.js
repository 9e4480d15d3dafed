/** What a log knows while it is shown: both streams of an attempt, the order in which they came, and what is searched for. */

import { useEffect, useMemo, useRef, useState } from "../../vendor/preact.js";
import { onConnection } from "../../data/stream.js";
import { Source } from "./source.js";
import { search, View, WRONG } from "./view.js";

/** However much is written, it is not painted more often. */
const PAINT_MS = 80;
/** Matches beyond are not kept. */
const MATCHES_MAX = 100_000;
/** Output that grows is not searched more often. */
const SEARCH_MS = 1_000;

export const STREAMS = /** @type {const} */ (["stdout", "stderr"]);

/**
 * @typedef {import("./log_rows.js").Place} Place
 * @typedef {{sources: Record<"stdout" | "stderr", Source>, segments: import("./view.js").Segment[]}} Held
 */

/**
 * @param {string} run
 * @param {number} attempt
 * @param {boolean} over whether the attempt has ended
 * @param {string} shown `stdout`, `stderr` or `both`
 */
export function useOutput(run, attempt, over, shown) {
  const [version, setVersion] = useState(0);
  const held = useRef(/** @type {Held | null} */ (null));

  useEffect(() => {
    /** @type {ReturnType<typeof setTimeout> | null} */
    let planned = null;
    const paint = () => {
      planned ??= setTimeout(() => {
        planned = null;
        setVersion((known) => known + 1);
      }, PAINT_MS);
    };
    const make = (/** @type {"stdout" | "stderr"} */ stream) =>
      new Source(run, stream, attempt, (grownFrom) => {
        if (grownFrom !== null && mine.sources[stream].standing.begun) came(mine.segments, mine.sources[stream], grownFrom);
        paint();
      });
    /** @type {Held} */
    const mine = { sources: { stdout: make("stdout"), stderr: make("stderr") }, segments: [] };
    mine.segments = STREAMS.map((stream) => ({ stream, output: mine.sources[stream].output, from: 0, to: Infinity }));
    held.current = mine;
    for (const stream of STREAMS) void mine.sources[stream].begin(over, wanted(stream, shown));
    paint();
    return () => {
      if (planned) clearTimeout(planned);
      for (const stream of STREAMS) mine.sources[stream].stop();
      held.current = null;
    };
  }, [run, attempt]);

  useEffect(() => {
    const judge = () => {
      for (const stream of STREAMS) {
        const source = held.current?.sources[stream];
        if (wanted(stream, shown) && !document.hidden) source?.resume();
        else source?.pause();
      }
    };
    judge();
    document.addEventListener("visibilitychange", judge);
    // A connection that broke without a word looks like a command that writes nothing; the event stream knows better.
    let lost = false;
    const stop = onConnection(({ live }) => {
      if (live && lost) for (const stream of STREAMS) held.current?.sources[stream].pause();
      if (live && lost) judge();
      lost = !live;
    });
    return () => {
      document.removeEventListener("visibilitychange", judge);
      stop();
    };
  }, [run, attempt, shown]);
  useEffect(() => {
    if (over) for (const stream of STREAMS) held.current?.sources[stream].end();
  }, [run, attempt, over]);

  // What is known of the streams belongs to this view: they go on while it is looked at.
  const { view, begun } = useMemo(() => {
    const segments = held.current?.segments ?? [];
    const alone = segments.filter((each) => each.stream === shown).slice(0, 1).map((each) => ({ ...each, from: 0, to: Infinity }));
    const known = STREAMS.filter((stream) => held.current?.sources[stream].standing.begun);
    return { view: new View(shown === "both" ? segments : alone), begun: /** @type {string[]} */ (known) };
  }, [version, shown, run, attempt]);
  return { view, begun, version, sources: held.current?.sources ?? null };
}

/**
 * @param {string} stream
 * @param {string} shown
 */
const wanted = (stream, shown) => shown === "both" || shown === stream;

/**
 * Notes that a stream goes on behind what came last of the other.
 * @param {import("./view.js").Segment[]} segments
 * @param {Source} source
 * @param {number} from
 */
function came(segments, source, from) {
  const last = segments[segments.length - 1];
  if (last.stream === source.stream) return;
  const open = segments.findLast((each) => each.stream === source.stream);
  if (!open || from < open.from) return;
  open.to = from;
  segments.push({ stream: source.stream, output: source.output, from, to: Infinity });
}

/**
 * Lines that match, kept up with what is written.
 * @param {View} view
 * @param {RegExp | null} pattern
 */
export function useMatches(view, pattern) {
  const [found, setFound] = useState({ matches: /** @type {Place[]} */ ([]), done: true, cut: false });
  const last = useRef(0);
  const key = pattern ? pattern.source : "";
  const shownFor = useRef("");

  useEffect(() => {
    if (!pattern) {
      setFound({ matches: [], done: true, cut: false });
      return undefined;
    }
    const isNew = shownFor.current !== key;
    shownFor.current = key;
    if (isNew) setFound({ matches: [], done: false, cut: false });
    let stopped = false;
    const go = async () => {
      last.current = performance.now();
      /** @type {Place[]} */
      const matches = [];
      let seen = performance.now();
      for (const some of search(view, pattern)) {
        for (const each of some) matches.push(each);
        if (matches.length >= MATCHES_MAX) break;
        // Typing and scrolling go on meanwhile.
        if (performance.now() - seen > 12) {
          await new Promise((resolve) => setTimeout(resolve, 0));
          if (stopped) return;
          seen = performance.now();
        }
      }
      setFound({ matches: matches.slice(0, MATCHES_MAX), done: true, cut: matches.length >= MATCHES_MAX });
    };
    const wait = isNew ? 120 : Math.max(0, SEARCH_MS - (performance.now() - last.current));
    const timer = setTimeout(() => void go(), wait);
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [view, key]);
  return found;
}

/**
 * The first line that tells of something wrong: one of stderr, or one that says so.
 * @param {View} view
 * @returns {Place | null}
 */
export function firstWrong(view) {
  const told = view.pieces.find((piece) => piece.stream === "stderr" && piece.kind === "lines");
  let first = told ? { place: { stream: "stderr", position: told.start }, row: told.row } : null;
  for (const [match] of search(view, WRONG)) {
    if (!match) continue;
    const row = view.rowOf(match.stream, match.position);
    if (!first || row < first.row) first = { place: match, row };
    break;
  }
  return first?.place ?? null;
}
