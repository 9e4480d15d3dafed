/** Entries of the history as they are listed, kept up and written to a file. Pure. */

import { exact, millis } from "../data/format.js";
import { exitOf, lateness } from "./run/verbs.js";

/**
 * @typedef {any} Entry a run, or a stretch of occurrences that never became one
 * @typedef {{rows: Entry[], next: string | null, searchedTo: string | null}} Page
 */

/** @param {Entry} entry */
export const keyOf = (entry) => (entry.kind === "run" ? entry.id : `stretch ${entry.sequence}`);

/**
 * The newest page before what is known already.
 * @param {Entry[]} known newest first
 * @param {Entry[]} fresh newest first
 * @param {string | null} next of the fresh page
 * @returns {{rows: Entry[], joined: boolean}} `joined`: what is known goes on behind it; else it has to be read again
 */
export function refreshed(known, fresh, next) {
  if (!known.length || next === null) return { rows: fresh, joined: false };
  const last = fresh[fresh.length - 1];
  const from = last ? known.findIndex((entry) => entry.sequence <= last.sequence) : -1;
  // Of what lies between the two nothing is known.
  if (from < 0 || known[0].sequence < last.sequence) return { rows: fresh, joined: false };
  const older = known.slice(known[from].sequence === last.sequence ? from + 1 : from);
  return { rows: [...fresh, ...older], joined: older.length > 0 };
}

/**
 * What an event says of a run that is listed, so that it need not be asked for.
 * @param {Entry[]} rows
 * @param {import("../data/stream.js").Event} event
 * @returns {Entry[]} the same if nothing is said
 */
export function told(rows, event) {
  if (event.kind !== "run" || !event.run) return rows;
  const index = rows.findIndex((entry) => entry.kind === "run" && entry.id === event.run);
  if (index < 0) return rows;
  const entry = { ...rows[index], attempts: [...rows[index].attempts] };
  const attempt = event.attempt ?? null;
  /** @type {Record<string, string>} */
  const states = { placed: "launching", started: "running", stopping: "stopping", unknown: "unknown", found: "running", attemptEnded: "ended", ended: "ended" };
  const what = event.what ?? "";
  if (attempt !== null && states[what]) {
    const at = entry.attempts.findIndex((/** @type {any} */ each) => each.attempt === attempt);
    const known = at < 0 ? { attempt, agent: null, startedAt: null, endedAt: null, exit: null } : entry.attempts[at];
    const moved = { ...known, state: states[what], startedAt: event.startedAt ?? known.startedAt, endedAt: event.endedAt ?? known.endedAt, exit: event.exit ?? known.exit };
    if (at < 0) entry.attempts.push(moved);
    else entry.attempts[at] = moved;
  }
  if (what === "ended") Object.assign(entry, { state: "ended", verdict: event.verdict ?? entry.verdict, endedAt: event.endedAt ?? entry.endedAt });
  else if (["queued", "pending", "waiting", "reporting"].includes(what)) entry.state = what;
  else if (["placed", "started", "stopping", "unknown", "found"].includes(what)) entry.state = "active";
  return rows.map((each, place) => (place === index ? entry : each));
}

/**
 * The figures of an entry.
 * @param {Entry} entry
 */
export function facts(entry) {
  if (entry.kind !== "run") {
    return { due: entry.firstDueAt, started: null, lateMs: null, tookMs: null, agent: null, exit: null, why: null, reason: entry.reason ?? "" };
  }
  const first = entry.attempts[0];
  const last = entry.attempts[entry.attempts.length - 1];
  const { from } = lateness(entry);
  const started = first?.startedAt ?? null;
  return {
    due: entry.trigger.dueAt,
    started,
    lateMs: started ? Math.max(0, millis(started) - millis(from)) : null,
    tookMs: started && entry.endedAt ? Math.max(0, millis(entry.endedAt) - millis(started)) : null,
    agent: last?.agent ?? null,
    exit: last ? exitOf(last.exit) : null,
    why: entry.trigger.kind,
    reason: entry.reason ?? (last && !entry.verdict ? last.reason ?? "" : ""),
  };
}

const COLUMNS = ["kind", "run", "job", "state", "verdict", "due", "lastDue", "count", "started", "ended", "late ms", "took ms", "why", "agent", "exit", "attempts", "reason"];

/**
 * @param {Entry[]} rows
 * @returns {string} by RFC 4180, its instants as in the API
 */
export function csv(rows) {
  const lines = rows.map((entry) => {
    const { due, started, lateMs, tookMs, agent, exit, why, reason } = facts(entry);
    const isRun = entry.kind === "run";
    return [
      entry.kind, isRun ? entry.id : "", entry.job, isRun ? entry.state : "ended", entry.verdict ?? "", due, isRun ? "" : entry.lastDueAt,
      isRun ? 1 : entry.count, started ?? "", entry.endedAt ?? "", lateMs ?? "", tookMs ?? "", why ?? "", agent ?? "", exit?.text ?? "",
      isRun ? entry.attempts.length : "", reason,
    ].map(cell).join(",");
  });
  return [COLUMNS.join(","), ...lines, ""].join("\r\n");
}

/** @param {unknown} value */
function cell(value) {
  let text = String(value);
  // A spreadsheet would take such a text for a formula.
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * An instant as a field for date and time shows it.
 * @param {string | undefined} instant
 * @param {string} zone
 */
export function toField(instant, zone) {
  const at = instant ? millis(instant) : NaN;
  return Number.isFinite(at) ? exact(at, zone).replace(" ", "T").slice(0, 16) : "";
}

/**
 * The instant that such a field names in a zone; of two the first, and of a time that is skipped the one after.
 * @param {string} field
 * @param {string} zone
 * @param {(at: number, zone: string) => number} offset
 */
export function fromField(field, zone, offset) {
  const local = Date.parse(`${field}Z`);
  if (!Number.isFinite(local)) return null;
  const candidates = [local - offset(local - 864e5, zone), local - offset(local + 864e5, zone)].sort((a, b) => a - b);
  const found = candidates.find((at) => at + offset(at, zone) === local) ?? candidates[1];
  return new Date(found).toISOString();
}
