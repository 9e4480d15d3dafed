/**
 * Requests to the REST API. All addresses are relative to the page, so that it works behind a path prefix.
 */

import { authorization } from "./session.js";

/** Where the API is. The names of Chronos 2 and 3 alike can be read and changed through this prefix. */
const PREFIX = "scheduler/";

/** What the server refused, or that it could not be reached. */
export class Problem extends Error {
  /**
   * @param {number} status 0: no answer came
   * @param {{message?: string, code?: string, field?: string, remedy?: string, position?: {start: number, end: number},
   *   problems?: {message: string, field?: string, remedy?: string}[]}} body
   */
  constructor(status, body) {
    super(body.message || `the server answered ${status}`);
    this.status = status;
    this.code = body.code ?? null;
    this.field = body.field ?? null;
    this.remedy = body.remedy ?? null;
    this.position = body.position ?? null;
    this.problems = body.problems ?? [];
  }
}

/** A question that is not answered within this has no answer; a tab may also wait for one of the connections that others hold. */
const PATIENCE_MS = 30_000;

/** @type {Set<() => void>} */
const whenRefused = new Set();

/**
 * Calls `listener` each time the server wants other credentials.
 * @param {() => void} listener
 */
export function onCredentialsRefused(listener) {
  whenRefused.add(listener);
  return () => whenRefused.delete(listener);
}

/**
 * @typedef {Record<string, string | number | boolean | null | undefined>} Params
 */

/**
 * @param {string} path below the prefix, each part encoded
 * @param {Params} [params] what is null, undefined or empty is left out
 */
export function address(path, params = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== "") query.set(key, String(value));
  }
  const text = query.toString();
  return PREFIX + path + (text ? `?${text}` : "");
}

/**
 * @param {string} url
 * @param {RequestInit & {headers?: Record<string, string>}} [init]
 * @returns {Promise<Response>} one that says yes
 */
export async function ask(url, init = {}) {
  /** @type {Record<string, string>} */
  const headers = { ...init.headers };
  const known = authorization();
  if (known) headers.Authorization = known;
  let response;
  try {
    // Without credentials of the browser's own, it does not ask for a password in a window of its own either.
    response = await fetch(url, { ...init, headers, credentials: "omit", cache: "no-store" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreached(error, init.method ? "what was asked for may have been done all the same: look, and try again" : undefined);
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  if (response.status === 401) for (const listener of whenRefused) listener();
  throw new Problem(response.status, typeof body === "object" && body ? body : {});
}

/**
 * @param {string} path
 * @param {Params} [params]
 * @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 */
export async function get(path, params, options = {}) {
  return (await question(address(path, params), options.signal)).data;
}

/**
 * @param {unknown} error
 * @param {string} [remedy]
 */
function unreached(error, remedy = "the page tries again by itself") {
  const late = error instanceof DOMException && error.name === "TimeoutError";
  return new Problem(0, { message: late ? `the server did not answer within ${PATIENCE_MS / 1_000} s` : "the server cannot be reached", remedy });
}

/**
 * An answer with all of its body, within a time.
 * @param {string} url
 * @param {AbortSignal} [signal]
 */
async function question(url, signal) {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const response = await ask(url, { signal: signal ? AbortSignal.any([signal, patience]) : patience });
  try {
    return { data: await response.json(), response };
  } catch (error) {
    // What breaks off half-way is no answer either.
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreached(error);
  }
}

/**
 * The same with the tag of the definition that is answered, for `ifMatch` of a change.
 *
 * @param {string} path
 * @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<{data: any, etag: string}>}
 */
export async function getTagged(path, options = {}) {
  const { data, response } = await question(address(path), options.signal);
  return { data, etag: response.headers.get("ETag") ?? "" };
}

/**
 * A change. Repeated by the caller it is the same change: the key is made once for each call.
 *
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {{params?: Params, ifMatch?: string, create?: boolean}} [options] `create`: refused if there is such a job already
 * @returns {Promise<{data: any, headers: Headers, warnings: string[]}>}
 */
export async function send(method, path, body, options = {}) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (options.ifMatch) headers["If-Match"] = options.ifMatch;
  if (options.create) headers["If-None-Match"] = "*";
  if (options.params?.dryRun !== true) headers["Idempotency-Key"] = key();
  const init = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
  const response = await ask(address(path, options.params), init);
  const text = await response.text();
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    data = text;
  }
  return { data, headers: response.headers, warnings: warnings(response.headers.get("Warning")) };
}

/** `crypto.randomUUID` is only there on pages that came encrypted or from this machine. */
function key() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * The texts of `Warning` headers.
 * @param {string | null} header
 */
function warnings(header) {
  if (!header) return [];
  return [...header.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((match) => match[1].replace(/\\(.)/g, "$1"));
}

/** @param {string} part */
export const part = (part) => encodeURIComponent(part);
