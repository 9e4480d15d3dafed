/**
 * The event stream: one connection of the whole page. Whoever shows something says which events concern it.
 *
 * It is read by `fetch`, because an `EventSource` cannot send credentials. After a loss it comes back with the id of the
 * last event, and the server tells what happened meanwhile, or `reset`. A page that nobody sees lets go of it: a browser
 * has six connections for all tabs together.
 */

import { address, ask, Problem } from "./http.js";

/**
 * @typedef {{kind: string, what?: string, job?: string, run?: string, [key: string]: any}} Event
 * @typedef {{live: boolean, since: number}} Connection `since` is when it was last known to be in order
 */

/** A stream that says nothing for longer is taken for lost; the server says something every 15 seconds. */
const SILENCE_MS = 40_000;
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000];

/** @type {Set<(event: Event) => void>} */
const listeners = new Set();
/** @type {Set<(connection: Connection) => void>} */
const watchers = new Set();
/** @type {Connection} */
let connection = { live: false, since: Date.now() };
/** @type {AbortController | null} */
let current = null;
let last = "";
let running = false;

/** @param {(event: Event) => void} listener */
export function onEvent(listener) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** @param {(connection: Connection) => void} watcher */
export function onConnection(watcher) {
  watchers.add(watcher);
  watcher(connection);
  return () => void watchers.delete(watcher);
}

/** Begins to listen, or begins anew with other credentials. */
export function startStream() {
  current?.abort();
  if (running) return;
  document.addEventListener("visibilitychange", look);
  void run();
}

let seen = () => {};
let left = false;

/** Lets go while nobody looks, and goes on when somebody does. */
function look() {
  if (document.hidden) {
    left = true;
    current?.abort();
  } else seen();
}

/** @param {boolean} live */
function judge(live) {
  if (connection.live === live) {
    if (live) connection = { live, since: Date.now() };
    return;
  }
  connection = { live, since: live ? Date.now() : connection.since };
  for (const watcher of watchers) watcher(connection);
}

/** @param {Event} event */
function tell(event) {
  for (const listener of listeners) listener(event);
}

async function run() {
  running = true;
  let failures = 0;
  for (;;) {
    if (document.hidden) {
      await new Promise((resolve) => (seen = () => resolve(null)));
      failures = 0;
      // Without an id to come back with, nobody can tell what happened meanwhile.
      if (!last) tell({ kind: "reset" });
    }
    left = false;
    current = new AbortController();
    try {
      const response = await ask(address("events", { after: last }), { signal: current.signal });
      failures = 0;
      judge(true);
      if (response.body) await read(response.body, current);
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        judge(false);
        running = false;
        return;
      }
      if (error instanceof Problem && error.status === 400) last = "";
    }
    // Nothing is wrong with what is let go of: whoever comes back is told in a moment if there is.
    if (left) continue;
    judge(false);
    const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
    failures += 1;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/**
 * @param {ReadableStream<Uint8Array>} body
 * @param {AbortController} controller
 */
async function read(body, controller) {
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  let kept = "";
  for (;;) {
    const silence = setTimeout(() => controller.abort(), SILENCE_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(silence));
    if (done) return;
    judge(true);
    kept += value;
    const blocks = kept.split("\n\n");
    kept = blocks.pop() ?? "";
    for (const block of blocks) take(block);
  }
}

/** @param {string} block */
function take(block) {
  let name = "";
  let data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("id: ")) last = line.slice(4);
    else if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data += line.slice(6);
  }
  if (name === "reset") tell({ kind: "reset" });
  else if (data) tell(JSON.parse(data));
}

/**
 * Repeats what got no answer: after growing pauses if that may pass (not reached, too much at once, not now), and once the
 * server is heard from again.
 * @param {() => void} again
 */
export function retrying(again) {
  let failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const stop = onConnection(({ live }) => {
    if (live && failures) again();
  });
  return {
    /** @param {unknown} problem of the last question; null if it was answered */
    told(problem) {
      clearTimeout(timer);
      if (problem instanceof Problem && [0, 429, 503].includes(problem.status)) timer = setTimeout(again, Math.min(30_000, 1_000 * 2 ** failures));
      failures = problem ? failures + 1 : 0;
    },
    stop() {
      clearTimeout(timer);
      stop();
    },
  };
}
