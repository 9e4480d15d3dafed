/** What agents have and what became of what they offered, as words and numbers. Pure. */

import { counted } from "../../data/format.js";

/**
 * @typedef {{cpus: number, mem: number, disk: number, ports: number}} Resources memory and disk in MiB
 * @typedef {{name: string, kind: string, value: string | number | string[] | null}} Attribute
 * @typedef {{role: string, offered: Resources, left: Resources, at: string | null, fate: string, runs: number, job: string | null, run: string | null, reason: string | null}} Offer
 */

/** @param {number} amount in MiB, as resources of Mesos are */
export function mebibytes(amount) {
  if (amount >= 1024 ** 2) return `${Math.round((amount / 1024 ** 2) * 10) / 10} TiB`;
  return amount >= 1024 ? `${Math.round((amount / 1024) * 10) / 10} GiB` : `${Math.round(amount)} MiB`;
}

/** @param {number} amount of something that is counted in parts */
export const parts = (amount) => String(Math.round(amount * 100) / 100);

/** How each kind of resource is called and shown. */
export const KINDS = /** @type {const} */ ([
  { kind: "cpus", name: "cpus", show: parts },
  { kind: "mem", name: "memory", show: mebibytes },
  { kind: "disk", name: "disk", show: mebibytes },
  { kind: "ports", name: "ports", show: parts },
]);

/**
 * The value of an attribute as text.
 * @param {Attribute} attribute
 */
export function valueOf({ value }) {
  if (value === null) return "ranges of numbers";
  return Array.isArray(value) ? `{${value.join(", ")}}` : String(value);
}

/**
 * What of each kind there is, in one line: `4 cpus, 512 MiB of memory, 2 ports`; what is 0 is left out.
 * @param {Resources} resources
 */
export function listed(resources) {
  const all = [
    resources.cpus > 0 && counted(Math.round(resources.cpus * 100) / 100, "cpu"),
    resources.mem > 0 && `${mebibytes(resources.mem)} of memory`,
    resources.disk > 0 && `${mebibytes(resources.disk)} of disk`,
    resources.ports > 0 && counted(resources.ports, "port"),
  ];
  return all.filter(Boolean).join(", ") || "nothing";
}

/** A constraint as it is written. @param {string[]} constraint */
export const constraintText = (constraint) => constraint.filter(Boolean).join(" ");

/**
 * What a bar shows of a kind of resource: what runs of this scheduler hold, what is left, and of how much. In a cluster an
 * agent says only what it can spare, so what others hold is in none of them.
 * @param {{total: number | null, used: number}} share
 * @param {number | null} left of the last offer; null where the agent says what it has in all
 * @returns {{used: number, whole: number | null, label: (show: (amount: number) => string) => string}}
 */
export function bar({ total, used }, left) {
  if (left !== null) return { used, whole: used + left, label: (show) => `${show(used)} held, ${show(left)} left` };
  if (total !== null) return { used, whole: total, label: (show) => `${show(used)} of ${show(total)}` };
  return { used, whole: null, label: (show) => `${show(used)} held, nothing offered` };
}

/**
 * What became of the last offer.
 * @param {Offer} offer
 * @returns {{text: string, tone: string, glyph: string}}
 */
export function fateOf({ fate, runs }) {
  switch (fate) {
    case "open":
      return { text: "open", tone: "running", glyph: "○" };
    case "used":
      return { text: `${counted(runs, "run")} placed on it`, tone: "good", glyph: "✓" };
    case "notWanted":
      return { text: "declined: nothing waited", tone: "quiet", glyph: "–" };
    case "nothingFits":
      return { text: "declined: nothing that waits fits", tone: "late", glyph: "✕" };
    default:
      return { text: fate, tone: "quiet", glyph: "–" };
  }
}
