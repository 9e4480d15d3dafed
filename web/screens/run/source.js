/**
 * Brings the output of one stream of an attempt into what is held of it: the end first, other parts when they are wanted,
 * and what is added while it runs.
 *
 * Little output is followed as the server writes it. Much of it, and output with a gap, is asked for from where it is
 * known to, because following begins at its beginning each time.
 */

import { address, ask, part, Problem } from "../../data/http.js";
import { Output } from "./lines.js";

/** Of one request; the server gives no more at once. */
export const PIECE_BYTES = 1024 * 1024;
/** So much is taken as a whole. */
const AT_ONCE_BYTES = 512 * 1024;
/** So much of what is known is asked for again, because a range of which nothing is kept is refused. */
const BEYOND_BYTES = 64;
/** More than this is not followed. */
const FOLLOWED_BYTES = 2 * PIECE_BYTES;
/** Between two looks at output that is not followed. */
const LOOK_MS = 1_500;
const RETRY_MS = 2_000;
/** How the server marks a gap in what is followed. A command may print the same. */
const MARK = "[chronode: ";

/**
 * @typedef {{live: boolean, begun: boolean, problem: Error | null, gone: string | null}} Standing `gone`: nothing of it is kept, in the server's words
 */

export class Source {
  /**
   * @param {string} run
   * @param {"stdout" | "stderr"} stream
   * @param {number} attempt
   * @param {(grownFrom: number | null) => void} changed told of each change, and from where on something was added at the end
   */
  constructor(run, stream, attempt, changed) {
    this.stream = stream;
    this.output = new Output();
    /** @type {Standing} */
    this.standing = { live: false, begun: false, problem: null, gone: null };
    this.path = `run/${part(run)}/${stream}`;
    this.attempt = attempt;
    this.changed = changed;
    this.stopped = new AbortController();
    /** @type {AbortController | null} */
    this.following = null;
    this.over = false;
    /** Whether all that was ever written up to the end is known to have been told. */
    this.complete = false;
    /** Whether it is shown. */
    this.wanted = false;
    /** Whether it is looked at instead of followed. */
    this.looks = false;
    /** @type {Map<number, Promise<void>>} */
    this.asking = new Map();
  }

  /**
   * @param {boolean} over whether nothing more is going to be written
   * @param {boolean} wanted whether it is shown, so that what is added is of interest
   */
  async begin(over, wanted) {
    this.over = over;
    this.wanted = wanted;
    try {
      await this.#first();
      this.#stands({ begun: true, problem: null });
    } catch (error) {
      this.#failed(error);
      if (this.standing.gone) this.#stands({ begun: true });
      else if (!this.stopped.signal.aborted) setTimeout(() => this.stopped.signal.aborted || this.begin(this.over, this.wanted), RETRY_MS);
      return;
    }
    if (over) this.complete = true;
    else if (this.wanted) void this.#follow();
  }

  /** What is written from now on is the last. */
  end() {
    // Whoever follows hears the end from the server; whoever looks now and then looks once more.
    this.over = true;
  }

  /** While nobody looks at it, it holds no connection: browsers have few of them. */
  pause() {
    this.wanted = false;
    this.following?.abort();
    this.following = null;
    if (this.standing.live) this.#stands({ live: false });
  }

  resume() {
    this.wanted = true;
    if (this.standing.begun && !this.complete && !this.following && !this.stopped.signal.aborted) void this.#follow();
  }

  stop() {
    this.stopped.abort();
    this.following?.abort();
  }

  /**
   * Loads from a hole as much as the server gives at once, one request at a time for each however often it is asked for.
   * @param {number} from
   * @param {number} to
   * @param {boolean} backwards the end of the hole instead of its beginning
   */
  load(from, to, backwards) {
    const key = backwards ? to : from;
    const known = this.asking.get(key);
    if (known) return known;
    const start = this.#start(from, to, backwards);
    const asked = this.#range(`bytes=${start}-${Math.min(backwards ? to + BEYOND_BYTES : to, start + PIECE_BYTES) - 1}`, start)
      .then(() => this.#stands({ problem: null }))
      .catch((error) => this.#failed(error))
      .finally(() => this.asking.delete(key));
    this.asking.set(key, asked);
    return asked;
  }

  /** Finds how long the gap is, which has the middle of the output in it if there is one. */
  async middle() {
    const { output } = this;
    let from = Math.floor(output.total / 2);
    try {
      for (let tries = 0; tries < 40; tries += 1) {
        await this.#range(`bytes=${from}-${from + PIECE_BYTES - 1}`, from);
        const end = output.parts.find((each) => each.kind === "gap")?.end;
        const hole = output.all().find((each) => each.kind === "hole" && each.start === end);
        if (!hole) return;
        from = hole.end - hole.start > PIECE_BYTES ? Math.floor((hole.start + hole.end) / 2) : hole.start;
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /**
   * Where to begin to load from a hole. One that ends with a gap hides how long the gap is; but of output with a gap as
   * much is kept before it as behind it, so the other side is asked for a little beyond where it should end.
   * @param {number} from
   * @param {number} to
   * @param {boolean} backwards
   */
  #start(from, to, backwards) {
    const { total } = this.output;
    const gap = this.output.parts.find((each) => each.kind === "gap");
    if (backwards && gap?.start === to) return Math.max(from, Math.min(to - 1, total - gap.end - PIECE_BYTES + BEYOND_BYTES));
    if (!backwards && gap?.end === from) return Math.max(from, Math.min(to - 1, total - gap.start - BEYOND_BYTES));
    return backwards ? Math.max(from, to - PIECE_BYTES + BEYOND_BYTES) : from;
  }

  /** Little output is given at once as a whole, without a word about positions; of much the end is asked for. */
  async #first() {
    const response = await ask(address(this.path, { attempt: this.attempt }), { signal: this.stopped.signal });
    const reader = response.body?.getReader();
    const pieces = [];
    let length = 0;
    for (let next = await reader?.read(); next?.value; next = await reader?.read()) {
      pieces.push(next.value);
      length += next.value.length;
      if (length > AT_ONCE_BYTES) break;
    }
    const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
    if (length <= AT_ONCE_BYTES && !new TextDecoder("latin1").decode(bytes).includes(MARK)) {
      this.#add(0, bytes, 0, length);
      return;
    }
    await reader?.cancel();
    await this.#range(`bytes=-${PIECE_BYTES}`, null);
    const { end, total } = this.output;
    if (end < total) await this.#range(`bytes=${end}-${total - 1}`, end);
  }

  /**
   * @param {string} range
   * @param {number | null} from what was asked for; null is the end
   */
  async #range(range, from) {
    let response;
    try {
      response = await ask(address(this.path, { attempt: this.attempt }), { headers: { Range: range }, signal: this.stopped.signal });
    } catch (error) {
      // Nothing of the range is kept: nothing was written yet, or what was there lies in a gap.
      if (!(error instanceof Problem) || error.status !== 416) throw error;
      const total = Number(/(\d+) bytes were written/.exec(error.message)?.[1] ?? 0);
      const to = Number(/-(\d+)$/.exec(range)?.[1] ?? -1) + 1;
      if (from !== null && total > from && to > from) this.output.gap(from, Math.min(to, total));
      this.output.grown(total);
      this.changed(null);
      return;
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    const [, first, total] = /bytes (\d+)-\d+\/(\d+)/.exec(response.headers.get("Content-Range") ?? "") ?? [];
    const position = first === undefined ? 0 : Number(first);
    const omitted = Number(response.headers.get("Chronode-Omitted") ?? 0);
    this.#add(position, bytes, position - omitted, Number(total ?? bytes.length));
    // An answer that ends early ends where a gap begins; how long that is, is not said.
    const start = position - omitted;
    const wanted = from === null ? Infinity : Number(/-(\d+)$/.exec(range)?.[1] ?? Infinity) + 1;
    const end = Math.min(wanted, start + PIECE_BYTES, Number(total ?? 0));
    if (position + bytes.length < end) {
      this.output.gap(position + bytes.length, position + bytes.length + 1);
      this.changed(null);
    }
  }

  /**
   * @param {number} position
   * @param {Uint8Array} bytes
   * @param {number} gapFrom
   * @param {number} total
   */
  #add(position, bytes, gapFrom, total) {
    const before = this.output.end;
    if (gapFrom < position) this.output.gap(gapFrom, position);
    this.output.add(position, bytes);
    this.output.grown(total);
    this.changed(position + bytes.length > before ? Math.max(before, gapFrom) : null);
  }

  async #follow() {
    const controller = new AbortController();
    this.following = controller;
    while (!controller.signal.aborted && !this.complete) {
      this.#stands({ live: true });
      try {
        if (this.output.total <= FOLLOWED_BYTES && !this.looks) await this.#stream(controller.signal);
        else await this.#look(controller.signal);
        this.#stands({ problem: null });
      } catch (error) {
        if (controller.signal.aborted) return;
        if (error instanceof Problem && error.code === "too_many_followers") {
          this.looks = true;
          continue;
        }
        this.#failed(error);
        await wait(RETRY_MS, controller.signal);
      }
    }
    if (this.following !== controller) return;
    this.following = null;
    this.#stands({ live: false });
  }

  /**
   * Reads what is written as it is written; ends when there is nothing more, or when it has to be looked at instead.
   * @param {AbortSignal} signal
   */
  async #stream(signal) {
    const response = await ask(address(this.path, { attempt: this.attempt, follow: true }), { signal });
    const reader = response.body?.getReader();
    if (!reader) return;
    this.#stands({ problem: null });
    const decoder = new TextDecoder("latin1");
    let position = 0;
    let before = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      // A mark says that positions are not what was counted; only the server knows them, so it is asked.
      const text = before + decoder.decode(value);
      if (text.includes(MARK) && (await this.#hasGap(position))) {
        this.looks = true;
        await reader.cancel();
        return;
      }
      before = text.slice(-MARK.length + 1);
      const from = Math.max(position, this.output.end);
      if (position + value.length > from) this.#add(from, value.subarray(from - position), from, position + value.length);
      position += value.length;
      if (position > FOLLOWED_BYTES) {
        await reader.cancel();
        return;
      }
    }
    // What is between here and the server may have ended it as well.
    if (!this.over) await wait(RETRY_MS, signal);
    this.complete = this.over;
  }

  /**
   * Whether the server kept less than everything up to somewhere behind a position.
   * @param {number} position
   */
  async #hasGap(position) {
    const range = `bytes=${Math.max(0, position - 1)}-${position + PIECE_BYTES - 2}`;
    const response = await ask(address(this.path, { attempt: this.attempt }), { headers: { Range: range }, signal: this.stopped.signal });
    await response.body?.cancel();
    const [, first, last, total] = (/bytes (\d+)-(\d+)\/(\d+)/.exec(response.headers.get("Content-Range") ?? "") ?? []).map(Number);
    const whole = first === Math.max(0, position - 1) && (last === total - 1 || last === first + PIECE_BYTES - 1);
    return !whole;
  }

  /**
   * Asks for what came since, now and then.
   * @param {AbortSignal} signal
   */
  async #look(signal) {
    for (;;) {
      const { over } = this;
      // From the last byte that is known, because a range in which nothing is kept is refused.
      const known = Math.max(0, this.output.end - 1);
      await this.#range(`bytes=${known}-${known + PIECE_BYTES - 1}`, known);
      if (signal.aborted) return;
      // Far behind, only the end is of interest; what is between can be loaded.
      if (this.output.total - this.output.end > PIECE_BYTES) await this.#range(`bytes=-${PIECE_BYTES}`, null);
      if (this.output.end < this.output.total) continue;
      if (over) {
        this.complete = true;
        return;
      }
      await wait(LOOK_MS, signal);
      if (signal.aborted) return;
    }
  }

  /** @param {unknown} error */
  #failed(error) {
    if (this.stopped.signal.aborted) return;
    if (error instanceof Problem && error.code === "no_output") this.#stands({ gone: error.message, problem: null });
    else this.#stands({ problem: error instanceof Error ? error : new Error(String(error)) });
  }

  /** @param {Partial<Standing>} change */
  #stands(change) {
    this.standing = { ...this.standing, ...change };
    if (!this.stopped.signal.aborted) this.changed(null);
  }
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function wait(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
