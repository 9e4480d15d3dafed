/**
 * Which pages of lanes are known, and which lane is on which row. Pure.
 *
 * Pages are found by their place in the list of jobs. Where only jobs are wanted that have something in the time that is
 * looked at, nobody knows how many those are: each page then says where the next one begins, and they are asked for in turn.
 */

export const PAGE = 40;
/** Rows that stand for what is still to be asked for. */
export const TO_COME = 10;

/**
 * @typedef {import("./bars.js").Lane} Lane
 * @typedef {{lanes: Lane[], next: number | null, range: string}} Page `range` is the time that was asked for
 * @typedef {{chained: boolean, total: number | null, pages: Page[]}} Book `total` is how many jobs match; pages may be missing
 */

/**
 * @param {boolean} chained whether each page says where the next one begins
 * @returns {Book}
 */
export const makeBook = (chained) => ({ chained, total: null, pages: [] });

/**
 * Whether there is more than the rows that are known.
 * @param {Book} book
 */
export function goesOn({ chained, pages }) {
  const last = pages[pages.length - 1];
  return chained && last !== undefined && last.next !== null;
}

/**
 * How many rows there are to scroll through.
 * @param {Book} book
 */
export function rows(book) {
  if (!book.chained) return book.total ?? 0;
  const known = book.pages.reduce((sum, { lanes }) => sum + lanes.length, 0);
  return known + (goesOn(book) ? TO_COME : 0);
}

/**
 * The lane of a row, or null while it is not known.
 * @param {Book} book
 * @param {number} row
 * @returns {Lane | null}
 */
export function laneAt({ chained, pages }, row) {
  if (!chained) return pages[Math.floor(row / PAGE)]?.lanes[row % PAGE] ?? null;
  let before = 0;
  for (const { lanes } of pages) {
    if (row < before + lanes.length) return lanes[row - before];
    before += lanes.length;
  }
  return null;
}

/**
 * Where in the list of jobs a page begins; null while nobody knows.
 * @param {Book} book
 * @param {number} page
 * @returns {number | null}
 */
export function offsetOf({ chained, pages }, page) {
  if (!chained) return page * PAGE;
  return page === 0 ? 0 : (pages[page - 1]?.next ?? null);
}

/**
 * The pages that the rows from `first` to before `last` are on, as far as they can be asked for.
 * @param {Book} book
 * @param {number} first
 * @param {number} last
 * @returns {number[]}
 */
export function wanted(book, first, last) {
  const found = [];
  if (!book.chained) {
    const start = Math.floor(first / PAGE);
    for (let page = start; page * PAGE < Math.max(last, first + 1); page += 1) {
      // How many there are is known with the first answer.
      if (page === start || (book.total !== null && page * PAGE < book.total)) found.push(page);
    }
    return found;
  }
  let before = 0;
  for (let page = 0; ; page += 1) {
    const known = book.pages[page];
    if (!known) {
      if ((before < last || page === 0) && offsetOf(book, page) !== null) found.push(page);
      return found;
    }
    const empty = known.lanes.length === 0;
    if (before < last && (empty || before + known.lanes.length > first)) found.push(page);
    before += known.lanes.length;
  }
}

/**
 * Takes in an answer.
 * @param {Book} book
 * @param {number} page
 * @param {{total: number, lanes: Lane[], next?: number | null}} answer
 * @param {string} range
 */
export function put(book, page, { total, lanes, next = null }, range) {
  const before = book.pages[page];
  book.total = total;
  book.pages[page] = { lanes, next, range };
  // What followed began elsewhere: it would have gaps, or tell of jobs twice.
  if (book.chained && before && before.next !== next) book.pages.length = page + 1;
}
