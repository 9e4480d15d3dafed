/** What the audit log says, in words. Pure. */

/**
 * @typedef {{sequence: number, at: string, caller: string, role?: string, peer?: string, door: string, method?: string, path?: string, what: string,
 *   jobs?: string[], outcome: {result: string, status?: number, code?: string}, detail?: string, requestId?: string, revision?: number,
 *   run?: string, reason?: string, idempotencyKey?: boolean}} Entry
 */

/** @type {Record<string, string>} */
const WHATS = {
  put: "stored", delete: "deleted", run: "ran", kill: "stopped", markSuccess: "marked as succeeded", progress: "told progress of", completeTask: "told the end of a task of",
  clearQueue: "cleared the queue", apply: "applied a set of jobs", cutOver: "took over", retry: "retried", "retry-down": "retried from here down", succeed: "counted as succeeded",
  skip: "skipped", pause: "paused", resume: "resumed", skipAhead: "skipped an occurrence of", unskipAhead: "took back a skip of", backfill: "began a backfill of",
  cancelBackfill: "cancelled a backfill of", cutBacklog: "cut the backlog", liftQuarantine: "lifted the quarantine of", trustClock: "trusted the clock", request: "asked",
  start: "started the server", stop: "stopped the server", reload: "reloaded the settings", credential: "changed credentials", audit: "kept the audit log",
};

/** @param {string} what */
export const did = (what) => WHATS[what] ?? what;

/**
 * How it ended: a state that the page knows the look of, and words.
 * @param {Entry["outcome"]} outcome
 */
export function outcomeOf({ result, status, code }) {
  if (result === "done") return { tone: "good", glyph: "✓", text: "done" };
  if (result === "refused") return { tone: "bad", glyph: "✕", text: ["refused", status, code].filter(Boolean).join(" ") };
  return { tone: "late", glyph: "?", text: result };
}

/**
 * All that is recorded of one, for who looks closer.
 * @param {Entry} entry
 * @returns {[string, string][]}
 */
export function particulars(entry) {
  const { role, peer, door, method, path, requestId, revision, idempotencyKey, sequence } = entry;
  /** @type {[string, string | number | undefined | null | false][]} */
  const all = [
    ["Number", sequence], ["Role", role], ["From", peer], ["Door", door], ["Request", method && path ? `${method} ${path}` : path], ["Request id", requestId],
    ["Revision", revision], ["Idempotency key", idempotencyKey && "carried one: it may have been a repetition"],
  ];
  return all.flatMap(([name, value]) => (value === undefined || value === null || value === false || value === "" ? [] : [/** @type {[string, string]} */ ([name, String(value)])]));
}
