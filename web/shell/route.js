/**
 * Which view an address names: `#/jobs?search=etl&state=failing`. Every view has one, with all that was chosen in it, so
 * that it can be sent to somebody and Back works. Behind the `#`, so that the page works wherever it is served.
 */

import { useEffect, useState } from "../vendor/preact.js";

/**
 * @typedef {{path: string[], params: Record<string, string>}} Route
 */

/**
 * @param {string} hash
 * @returns {Route}
 */
export function parse(hash) {
  const [before, ...after] = hash.replace(/^#?\/?/, "").split("?");
  const path = before.split("/").filter(Boolean).map(decode);
  return { path, params: Object.fromEntries(new URLSearchParams(after.join("?"))) };
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The address of a view.
 * @param {string[]} path
 * @param {Record<string, string | number | boolean | null | undefined>} [params] what is null, undefined or empty is left out
 */
export function to(path, params = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== "" && value !== false) query.set(key, String(value));
  }
  const text = query.toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

/** @param {string} address */
export function go(address) {
  location.hash = address;
}

/**
 * Changes what is chosen in the view that is shown, and nothing else of it.
 * @param {Record<string, string | number | boolean | null | undefined>} changes
 * @param {{keep?: boolean}} [options] `keep`: a step of its own that Back takes back; else it takes the place of the last
 */
export function choose(changes, options = {}) {
  const { path, params } = parse(location.hash);
  const address = to(path, { ...params, ...changes });
  if (address === location.hash) return;
  if (options.keep) {
    location.hash = address;
  } else {
    history.replaceState(null, "", address);
    dispatchEvent(new HashChangeEvent("hashchange"));
  }
}

/** @type {Map<string, Record<string, any>>} */
const entries = new Map();
const ENTRIES = 12;

/**
 * What a view keeps for when Back leads to it.
 * @returns {Record<string, any>}
 */
export function entry() {
  const id = history.state?.entry ?? `${Date.now()} ${Math.random()}`;
  if (!history.state?.entry) history.replaceState({ entry: id }, "");
  const kept = entries.get(id) ?? {};
  entries.delete(id);
  entries.set(id, kept);
  for (const old of entries.keys()) if (entries.size > ENTRIES) entries.delete(old);
  return kept;
}

/** @returns {Route} */
export function useRoute() {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return parse(hash);
}

export const toJob = (/** @type {string} */ name, /** @type {Record<string, any>} */ params = {}) => to(["job", name], params);
export const toRun = (/** @type {string} */ id, /** @type {Record<string, any>} */ params = {}) => to(["run", id], params);

/** The forecast of the hour that begins at `at`, in milliseconds. */
export const toForecast = (/** @type {number} */ at) => to(["forecast"], { from: new Date(at).toISOString(), hours: 1 });
