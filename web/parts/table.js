/**
 * Rows of which only those in sight exist. However many there are, the browser holds a screenful, and the data layer is
 * asked for the pages in sight alone.
 */

import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { entry } from "../shell/route.js";

/** Rows rendered beyond each edge, so that scrolling by a little shows no gap. */
const BEYOND = 8;
const NARROW = "(max-width: 760px)";
/** With these the reader scrolls by hand. */
const TAKEN = ["wheel", "pointerdown", "keydown"];

/**
 * @typedef {object} VirtualRowsProps
 * @property {number} total
 * @property {number} height of a row in CSS pixels
 * @property {(index: number) => any} row renders one; its outermost element is given the height by style
 * @property {(first: number, last: number) => void} [seen] told of the rows in sight whenever they change
 * @property {string} [list] what is listed: another begins at its top, and Back brings back where the reader was in it
 * @property {number} [active] a row to keep in sight
 * @property {string} [label]
 * @property {any} [head]
 */

/** @param {VirtualRowsProps} props */
export function VirtualRows({ total, height, row, seen, list, active, label, head }) {
  const element = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [range, setRange] = useState({ first: 0, last: 30 });
  const kept = useRef(/** @type {{top?: number}} */ ({}));
  /** Where the list is to be scrolled to as soon as it is long enough. */
  const wanted = useRef(/** @type {number | null} */ (null));

  useEffect(() => {
    if (list === undefined) return;
    kept.current = entry();
    wanted.current = kept.current.top ?? 0;
  }, [list]);

  useEffect(() => {
    const box = element.current;
    if (!box) return;
    if (wanted.current !== null) {
      box.scrollTop = wanted.current;
      if (Math.abs(box.scrollTop - wanted.current) < 1) wanted.current = null;
    }
    const measure = () => {
      if (wanted.current === null) kept.current.top = box.scrollTop;
      const first = Math.max(0, Math.floor(box.scrollTop / height) - BEYOND);
      const last = Math.min(total, Math.ceil((box.scrollTop + box.clientHeight) / height) + BEYOND);
      setRange((known) => (known.first === first && known.last === last ? known : { first, last }));
    };
    measure();
    const taken = () => {
      wanted.current = null;
    };
    box.addEventListener("scroll", measure, { passive: true });
    for (const kind of TAKEN) box.addEventListener(kind, taken, { passive: true });
    const resized = new ResizeObserver(measure);
    resized.observe(box);
    return () => {
      box.removeEventListener("scroll", measure);
      for (const kind of TAKEN) box.removeEventListener(kind, taken);
      resized.disconnect();
    };
  }, [total, height, list]);

  useEffect(() => seen?.(range.first, Math.min(range.last, total)), [range.first, range.last, total, list]);

  useEffect(() => {
    const box = element.current;
    if (!box || active === undefined || active < 0) return;
    const top = active * height;
    const headHeight = /** @type {HTMLElement | null} */ (box.querySelector(".head"))?.offsetHeight ?? 0;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + height + headHeight > box.scrollTop + box.clientHeight) box.scrollTop = top + height + headHeight - box.clientHeight;
  }, [active]);

  const rows = [];
  for (let index = range.first; index < Math.min(range.last, total); index += 1) rows.push(row(index));
  return html`<div class="rows" ref=${element} role="table" aria-rowcount=${total} aria-label=${label} tabindex="0">
    ${head && html`<div class="head" role="rowgroup">${head}</div>`}
    <div class="space" role="rowgroup" style=${{ height: `${total * height}px` }}>
      <div class="shown" style=${{ transform: `translateY(${range.first * height}px)` }}>${rows}</div>
    </div>
  </div>`;
}

/** Whether there is little room. */
export function useNarrow() {
  const [narrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const media = matchMedia(NARROW);
    const changed = () => setNarrow(media.matches);
    media.addEventListener("change", changed);
    return () => media.removeEventListener("change", changed);
  }, []);
  return narrow;
}
