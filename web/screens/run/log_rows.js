/**
 * The rows of a log of which only those in sight exist, with broken lines of any length among them, following the end
 * while the reader stays there.
 */

import { html, useLayoutEffect, useRef, useState } from "../../vendor/preact.js";
import { bytes, count } from "../../data/format.js";
import { parse, shown } from "./ansi.js";
import { line, visible } from "./lines.js";
import { marked } from "./marks.js";

const ROW_PX = 19;
/** Behind each line. */
const PADDING_PX = 10;
const BEYOND = 20;
/** Browsers have a greatest height; a longer list is scrolled in larger steps. */
const HEIGHT_MAX = 12_000_000;
/** So many lines before the first in sight are looked at for a colour that goes on. */
const CARRIED_LINES = 60;

/**
 * @typedef {{stream: string, position: number}} Place
 * @typedef {object} LogRowsProps
 * @property {import("./view.js").View} view
 * @property {boolean} wrap
 * @property {boolean} follow whether the end is kept in sight
 * @property {(follow: boolean) => void} onFollow the reader went to the end, or away from it
 * @property {RegExp | null} pattern
 * @property {Place | null} target a line that stands out
 * @property {{place: Place | null}} jump a line to bring in sight, each time another object comes
 * @property {boolean} both whether lines of two streams are shown
 * @property {(piece: import("./view.js").Piece, backwards: boolean) => void} load what is not loaded
 * @property {(piece: import("./view.js").Piece, index: number) => string} href the address of a line
 */

/** @param {LogRowsProps} props */
export function LogRows({ view, wrap, follow, onFollow, pattern, target, jump, both, load, href }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const ruler = useRef(/** @type {HTMLSpanElement | null} */ (null));
  const [size, setSize] = useState({ height: 600, columns: 100, character: 7.5 });
  const [scrolled, setScrolled] = useState(0);
  const anchor = useRef(/** @type {{place: Place, offset: number} | null} */ (null));
  const digits = Math.max(3, ...view.pieces.map((piece) => (piece.number === null ? 0 : String(piece.number + piece.count).length)));
  // As in styles/run.css.
  const gutter = digits + 0.6 + (both ? 5 : 1.4);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element || !ruler.current) return;
    const measure = () => {
      const character = (ruler.current?.getBoundingClientRect().width ?? 750) / 100;
      const columns = Math.max(20, Math.floor((element.clientWidth - PADDING_PX) / character - gutter - 0.01));
      setSize({ height: element.clientHeight, columns, character });
    };
    measure();
    const resized = new ResizeObserver(measure);
    resized.observe(element);
    return () => resized.disconnect();
  }, [gutter]);

  const geometry = useGeometry(view, wrap, size);
  const latest = useRef(geometry);
  latest.current = geometry;
  const placeAt = (/** @type {number} */ row) => {
    const found = view.at(row);
    if (!found) return null;
    const { piece, index } = found;
    return { stream: piece.stream, position: piece.part ? piece.part.starts[index] : piece.start };
  };

  const scrollTo = (/** @type {number} */ top) => {
    if (box.current) box.current.scrollTop = latest.current.physical(top);
    setScrolled(box.current?.scrollTop ?? 0);
  };
  // What the reader looks at stays where it is when something is loaded before it; the end stays the end.
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    if (follow) {
      element.scrollTop = element.scrollHeight;
      setScrolled(element.scrollTop);
    } else if (anchor.current) {
      const row = view.rowOf(anchor.current.place.stream, anchor.current.place.position);
      const top = row < 0 ? null : geometry.top(row) + anchor.current.offset;
      if (top !== null && Math.abs(top - geometry.virtual(element.scrollTop)) > 1) scrollTo(top);
    }
  }, [view, geometry, follow]);
  useLayoutEffect(() => {
    if (!jump.place) return;
    const row = view.rowOf(jump.place.stream, jump.place.position);
    if (row < 0) return;
    const place = placeAt(row);
    const offset = -Math.max(0, Math.floor(size.height / 3));
    anchor.current = place && { place, offset };
    scrollTo(Math.max(0, geometry.top(row) + offset));
  }, [jump]);

  const before = useRef(0);
  const onScroll = () => {
    const element = box.current;
    if (!element) return;
    const { scrollTop } = element;
    const backwards = scrollTop < before.current;
    const moved = scrollTop !== before.current;
    before.current = scrollTop;
    setScrolled(scrollTop);
    const top = geometry.virtual(scrollTop);
    const row = geometry.rowAt(top);
    // What is not loaded may become many rows; the first line after it stays where it is.
    const kept = view.at(row)?.piece.kind === "hole" && row + 1 < view.rows ? row + 1 : row;
    const place = placeAt(kept);
    anchor.current = place && { place, offset: top - geometry.top(kept) };
    onFollow(scrollTop + element.clientHeight >= element.scrollHeight - 4);
    if (!moved) return;
    const last = geometry.rowAt(top + size.height);
    for (const piece of view.holes()) if (piece.row >= row && piece.row <= last) load(piece, backwards);
  };

  const top = geometry.virtual(scrolled);
  const first = Math.max(0, geometry.rowAt(top) - BEYOND);
  const last = Math.min(view.rows, geometry.rowAt(top + size.height) + BEYOND);
  const shift = scrolled - (top - geometry.top(first));
  return html`<div
    class="log-rows ${wrap ? "wrapped" : ""}"
    ref=${box}
    onScroll=${onScroll}
    tabindex="0"
    role="region"
    aria-label="output"
  >
    <span class="ruler" ref=${ruler} aria-hidden="true">${"x".repeat(100)}</span>
    <div class="space" style=${{ height: `${geometry.height}px`, minWidth: wrap ? undefined : `${(gutter + geometry.widest + 2) * size.character}px` }}>
      <div class="shown" style=${{ transform: `translateY(${shift}px)` }}>
        ${rows({ view, first, last, pattern, target, both, load, href, digits })}
      </div>
    </div>
  </div>`;
}

/**
 * Where rows are, in pixels of the whole list, and what of it the browser is told.
 * @param {import("./view.js").View} view
 * @param {boolean} wrap
 * @param {{height: number, columns: number}} size
 */
function useGeometry(view, wrap, size) {
  const made = useRef(/** @type {{key: any[], geometry: any} | null} */ (null));
  const key = [view, wrap, wrap ? size.columns : 0, size.height];
  if (!made.current || made.current.key.some((each, index) => each !== key[index])) {
    made.current = { key, geometry: geometryOf(view, wrap ? view.heights(size.columns) : null, wrap ? 0 : view.widest(), size.height) };
  }
  return /** @type {ReturnType<typeof geometryOf>} */ (made.current.geometry);
}

/**
 * @param {import("./view.js").View} view
 * @param {Int32Array | null} heights
 * @param {number} widest
 * @param {number} boxHeight
 */
function geometryOf(view, heights, widest, boxHeight) {
  const all = (heights ? heights[view.rows] : view.rows) * ROW_PX;
  const height = Math.min(all, HEIGHT_MAX);
  const scale = all > height ? (all - boxHeight) / Math.max(1, height - boxHeight) : 1;
  return {
    height,
    widest,
    virtual: (/** @type {number} */ scrollTop) => scrollTop * scale,
    physical: (/** @type {number} */ top) => top / scale,
    top: (/** @type {number} */ row) => (heights ? heights[row] : row) * ROW_PX,
    rowAt: (/** @type {number} */ top) => {
      const at = Math.max(0, Math.floor(top / ROW_PX));
      if (!heights) return Math.min(at, Math.max(0, view.rows - 1));
      let low = 0;
      let high = Math.max(0, view.rows - 1);
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (heights[middle] <= at) low = middle;
        else high = middle - 1;
      }
      return low;
    },
  };
}

/**
 * @param {Pick<LogRowsProps, "view" | "pattern" | "target" | "both" | "load" | "href"> & {first: number, last: number, digits: number}} props
 */
function rows({ view, first, last, pattern, target, both, load, href, digits }) {
  /** @type {Map<string, import("./ansi.js").Style | null>} */
  const styles = new Map();
  const made = [];
  for (let row = first; row < last; row += 1) {
    const found = view.at(row);
    if (!found) break;
    const { piece, index } = found;
    const { part, stream } = piece;
    if (!part) {
      made.push(between(piece, load));
      styles.set(stream, null);
      continue;
    }
    if (!styles.has(stream)) styles.set(stream, carried(part, index));
    const read = line(part, index);
    const { spans, style } = parse(read.text, styles.get(stream) ?? null);
    styles.set(stream, style);
    const number = piece.number === null ? null : piece.number + index - piece.first;
    const chosen = target && target.stream === stream && target.position >= read.start && target.position <= read.end;
    const label = number === null ? `byte ${read.start} of ${stream}` : `line ${number} of ${stream}`;
    made.push(html`<div key=${`${stream}${read.start}`} class="line ${stream} ${chosen ? "named" : ""}">
      <a class="number" href=${href(piece, index)} tabindex="-1" title=${number === null ? `${label}: not all of what is before it is loaded or kept` : label} aria-label=${label} style=${{ minWidth: `${digits}ch` }}
        >${number ?? "·"}</a
      >${both && html`<span class="side">${stream === "stderr" ? "err" : "out"}</span>`}<span class="text"
        >${marked(spans, pattern).map(paint)}${read.more > 0 &&
        html`<em class="more">… ${bytes(read.more)} more of this line: download it</em>`}${read.updates > 0 &&
        html`<em class="more" title="the line was written over ${count(read.updates)} times; this is the last">↻ ${count(read.updates)}</em>`}</span
      >
    </div>`);
  }
  return made;
}

/** @param {import("./marks.js").Marked} span */
function paint({ text, style, hit }) {
  const look = shown(style);
  if (hit) return html`<mark class=${look.names}>${visible(text)}</mark>`;
  return style ? html`<span class=${look.names} style=${look.style}>${visible(text)}</span>` : visible(text);
}

/**
 * @param {import("./view.js").Piece} piece
 * @param {LogRowsProps["load"]} load
 */
function between(piece, load) {
  const amount = bytes(piece.end - piece.start);
  return piece.kind === "gap"
    ? html`<div class="line between gap" key=${`gap${piece.stream}${piece.start}`}>
        <span class="text">⋯ ${piece.open ? `at least ${amount}` : `${amount} (${count(piece.end - piece.start)} bytes)`} of ${piece.stream} were not kept: it was longer than --output_cap</span>
      </div>`
    : html`<div class="line between" key=${`hole${piece.stream}${piece.start}`}>
        <button class="quiet" onClick=${() => load(piece, true)}>⋯ ${amount} of ${piece.stream} not loaded: load more</button>
      </div>`;
}

/**
 * The style that lines before one left behind.
 * @param {import("./lines.js").Bytes} part
 * @param {number} index
 */
function carried(part, index) {
  let style = /** @type {import("./ansi.js").Style | null} */ (null);
  for (let each = Math.max(0, index - CARRIED_LINES); each < index; each += 1) style = parse(line(part, each).text, style).style;
  return style;
}
