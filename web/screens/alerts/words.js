/** What incidents, their alerts and notifications say, in words and in an order. Pure. */

import { counted } from "../../data/format.js";

/**
 * @typedef {{channel: string, recipient: string}} Address
 * @typedef {{by: string, at: string, reason: string}} Intervention
 * @typedef {{id: string, kind: string, at: string, job: string | null, run: string | null, backfill: string | null, reason: string, retryAt: string | null, nextDueAt: string | null, runbook: string}} Alert
 * @typedef {{id: string, key: {job?: string, cause?: string}, kind: string, state: string, openedAt: string, lastAt: string, closedAt: string | null, alerts: number, untold: number,
 *   jobs: string[], jobsLeftOut: number, told: Address[], toldAt: string | null, acknowledged: Intervention | null, silence: (Intervention & {until: string}) | null, latest: Alert[]}} Incident
 * @typedef {{glyph: string, tone: string, word: string}} Look
 */

/** The worst first: a shape, a tone, and what it says of jobs, however many; those of the scheduler are whole sentences. */
/** @type {Record<string, [string, string, string]>} */
const KINDS = {
  storeTrouble: ["⚠", "bad", "the store refuses changes"],
  launcherGone: ["⚠", "bad", "the launcher cannot be reached"],
  agentLost: ["⚠", "bad", "an agent is lost"],
  channelTrouble: ["⚠", "bad", "notifications do not arrive"],
  failed: ["✕", "bad", "failed"],
  didNotRun: ["»", "missed", "did not run"],
  missed: ["∅", "missed", "missed a run"],
  lateFinish: ["◷", "late", "did not finish in time"],
  lateStart: ["◷", "late", "did not start in time"],
  overlong: ["◷", "late", "ran longer than expected"],
  retried: ["↻", "late", "failed, another try follows"],
  disabled: ["⊘", "quiet", "disabled after failures"],
  exhausted: ["∎", "quiet", "ran for the last time"],
  deleted: ["∅", "quiet", "deleted"],
  backfillFinished: ["✓", "quiet", "backfill finished"],
  leaderChanged: ["⇢", "quiet", "another server leads"],
  recovered: ["✓", "good", "recovered"],
};
const ORDER = Object.keys(KINDS);
/** One that this page does not know comes after all that it does. @param {string} kind */
const rank = (kind) => (kind in KINDS ? ORDER.indexOf(kind) : ORDER.length);

/** How an alert looks. @param {string} kind @returns {Look} */
export function lookOf(kind) {
  const [glyph, tone, word] = KINDS[kind] ?? ["·", "quiet", kind];
  return { glyph, tone, word };
}

/** What is wrong: `job`, if it is one, then words. @param {Incident} incident */
export function wrong({ key, kind, jobs, jobsLeftOut }) {
  const { word } = lookOf(kind);
  if (key.job !== undefined) return { job: key.job, text: word };
  const many = jobs.length + jobsLeftOut;
  return { job: null, text: `${many && rank(kind) >= rank("failed") ? `${counted(many, "job")} ` : ""}${word}: ${key.cause}` };
}

/** @param {Incident} incident */
export function titleOf(incident) {
  const { job, text } = wrong(incident);
  return job === null ? text : `${job} ${text}`;
}

/** In the order of who has to do something. */
const STATES = [
  { state: "open", title: "Nobody looks after it yet" },
  { state: "acknowledged", title: "Acknowledged" },
  { state: "silenced", title: "Silenced" },
  { state: "closed", title: "Put right" },
];

/** By state, in each the worst first and of these the newest. @param {Incident[]} incidents */
export function grouped(incidents) {
  const order = (/** @type {Incident} */ a, /** @type {Incident} */ b) =>
    rank(a.kind) - rank(b.kind) || Date.parse(b.lastAt) - Date.parse(a.lastAt);
  const byEnd = (/** @type {Incident} */ a, /** @type {Incident} */ b) => Date.parse(b.closedAt ?? "") - Date.parse(a.closedAt ?? "");
  return STATES.map(({ state, title }) => ({
    state, title, incidents: incidents.filter((each) => each.state === state).sort(state === "closed" ? byEnd : order),
  })).filter(({ incidents: some }) => some.length > 0);
}

/** @param {Alert[]} alerts whose ids count */
export const newestFirst = (alerts) => [...alerts].sort((a, b) => Number(b.id.slice(1)) - Number(a.id.slice(1)));

/** @type {Record<string, [string, string, string]>} */
const DELIVERIES = {
  held: ["…", "quiet", "held"],
  due: ["◷", "running", "to be sent"],
  delivered: ["✓", "good", "delivered"],
  givenUp: ["✕", "bad", "given up"],
};

/** How a notification stands. @param {{state: string, tries: number}} notification @returns {Look} */
export function deliveryOf({ state, tries }) {
  if (state === "due" && tries > 0) return { glyph: "↻", tone: "late", word: "to be tried again" };
  const [glyph, tone, word] = DELIVERIES[state] ?? ["·", "quiet", state];
  return { glyph, tone, word };
}

/** @param {Address} address */
export const addressText = ({ channel, recipient }) => (recipient ? `${recipient} by ${channel}` : channel);

/** The row that is so far from one of these rows. @param {string[]} ids @param {string | null} from @param {number} step */
export function beside(ids, from, step) {
  const at = from === null ? -1 : ids.indexOf(from);
  if (at < 0) return ids[step > 0 ? 0 : ids.length - 1] ?? null;
  return ids[Math.max(0, Math.min(ids.length - 1, at + step))];
}
