/** Starts as files for other programs. Pure. */

/**
 * @typedef {{job: string, dueAt: string, opensAt: string, local: string}} Start
 */

/**
 * A table as RFC 4180 has it. A text that a spreadsheet would take for a formula gets an apostrophe in front.
 * @param {Start[]} starts
 */
export function csv(starts) {
  const cell = (/** @type {string} */ text) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  const rows = starts.map(({ job, opensAt, dueAt, local }) => [job, opensAt, dueAt, local].map(cell).join(","));
  return `${["job,opensAt,dueAt,local", ...rows].join("\r\n")}\r\n`;
}

/**
 * A calendar as RFC 5545 has it: an event without length for each start.
 * @param {Start[]} starts
 * @param {string} made when, as an instant
 */
export function ics(starts, made) {
  const lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Chronode//Forecast//EN", "CALSCALE:GREGORIAN"];
  for (const { job, opensAt, dueAt, local } of starts) {
    lines.push(
      "BEGIN:VEVENT",
      `UID:${encodeURIComponent(job)}-${stamp(dueAt)}@chronode`,
      `DTSTAMP:${stamp(made)}`,
      `DTSTART:${stamp(opensAt)}`,
      `SUMMARY:${escaped(job)}`,
      `DESCRIPTION:${escaped(`due ${local}`)}`,
      "TRANSP:TRANSPARENT",
      "END:VEVENT",
    );
  }
  lines.push("END:VCALENDAR");
  return `${lines.map(folded).join("\r\n")}\r\n`;
}

/** @param {string} instant */
const stamp = (instant) => new Date(instant).toISOString().replace(/[-:]|\.\d+/g, "");

/** @param {string} text */
const escaped = (text) => text.replace(/[\\;,]/g, "\\$&").replace(/\r\n|\r|\n/g, "\\n");

/**
 * Lines are at most 75 bytes long; what follows goes on after a blank.
 * @param {string} line
 */
function folded(line) {
  const encoder = new TextEncoder();
  let folded = "";
  let used = 0;
  for (const letter of line) {
    const bytes = encoder.encode(letter).length;
    if (used + bytes > 75) {
      folded += "\r\n ";
      used = 1;
    }
    folded += letter;
    used += bytes;
  }
  return folded;
}
