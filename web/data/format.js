/** Amounts and instants as text. Pure: nothing here knows the present or the page. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * A length of time in at most two units: `340 ms`, `12.4 s`, `3 min 20 s`, `2 d 4 h`.
 * @param {number} ms
 */
export function duration(ms) {
  const length = Math.abs(ms);
  if (length < SECOND) return `${Math.round(length)} ms`;
  if (length < 10 * SECOND) return `${(length / SECOND).toFixed(1)} s`;
  if (length < MINUTE) return `${Math.round(length / SECOND)} s`;
  if (length < HOUR) return two(length, MINUTE, "min", SECOND, "s");
  if (length < DAY) return two(length, HOUR, "h", MINUTE, "min");
  return two(length, DAY, "d", HOUR, "h");
}

/**
 * @param {number} length
 * @param {number} large
 * @param {string} largeName
 * @param {number} small
 * @param {string} smallName
 */
function two(length, large, largeName, small, smallName) {
  const rounded = Math.round(length / small) * small;
  const first = Math.floor(rounded / large);
  const rest = Math.round((rounded - first * large) / small);
  return rest ? `${first} ${largeName} ${rest} ${smallName}` : `${first} ${largeName}`;
}

/**
 * How far an instant is from another, in words: `in 5 min`, `3 h ago`, `now`.
 * @param {number} at
 * @param {number} now
 */
export function relative(at, now) {
  const distance = at - now;
  const length = Math.abs(distance);
  if (length < 1_500) return "now";
  let text;
  if (length < MINUTE) text = `${Math.round(length / SECOND)} s`;
  else if (length < HOUR) text = `${Math.round(length / MINUTE)} min`;
  else if (length < 2 * DAY) text = two(length, HOUR, "h", length < 6 * HOUR ? MINUTE : HOUR, length < 6 * HOUR ? "min" : "h");
  else text = `${Math.round(length / DAY)} d`;
  return distance > 0 ? `in ${text}` : `${text} ago`;
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * @param {string} zone
 * @param {Intl.DateTimeFormatOptions} options
 */
function format(zone, options) {
  const key = `${zone} ${JSON.stringify(options)}`;
  let made = formats.get(key);
  if (!made) {
    try {
      made = new Intl.DateTimeFormat("sv-SE", { ...options, timeZone: zone || undefined });
    } catch {
      // A zone that this browser does not know: the server may have newer data.
      made = new Intl.DateTimeFormat("sv-SE", { ...options, timeZone: "UTC" });
    }
    formats.set(key, made);
  }
  return made;
}

/**
 * Date and time of day: `2026-11-26 13:00:05`.
 * @param {number} at
 * @param {string} zone an IANA name; empty is the reader's own
 */
export function exact(at, zone) {
  return format(zone, {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  }).format(at);
}

/**
 * The same with milliseconds and the distance from UTC: `2026-11-26 13:00:05.012 GMT+1`.
 * @param {number} at
 * @param {string} zone
 */
export function fully(at, zone) {
  const parts = format(zone, { timeZoneName: "shortOffset" }).formatToParts(at);
  const offset = parts.find((part) => part.type === "timeZoneName")?.value.replace("GMT", "UTC") ?? "";
  return `${exact(at, zone)}.${String(((at % 1_000) + 1_000) % 1_000).padStart(3, "0")} ${offset}`;
}

/**
 * Time of day: `13:00`, with seconds if they are not 0.
 * @param {number} at
 * @param {string} zone
 */
export function clock(at, zone) {
  const text = exact(at, zone).slice(11);
  return text.endsWith(":00") ? text.slice(0, 5) : text;
}

/**
 * The day: `Thu 2026-11-26`.
 * @param {number} at
 * @param {string} zone
 */
export function day(at, zone) {
  const weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const date = exact(at, zone).slice(0, 10);
  return `${weekday[new Date(`${date}T12:00:00Z`).getUTCDay()]} ${date}`;
}

/**
 * Milliseconds by which a zone is ahead of UTC at an instant.
 * @param {number} at
 * @param {string} zone
 */
export function offset(at, zone) {
  const whole = Math.floor(at / 1_000) * 1_000;
  return Date.parse(`${exact(whole, zone).replace(" ", "T")}Z`) - whole;
}

/** @param {number} amount */
export function bytes(amount) {
  if (amount < 1_024) return `${amount} B`;
  if (amount < 1_024 ** 2) return `${(amount / 1_024).toFixed(1)} KiB`;
  if (amount < 1_024 ** 3) return `${(amount / 1_024 ** 2).toFixed(1)} MiB`;
  return `${(amount / 1_024 ** 3).toFixed(2)} GiB`;
}

/** @param {number} amount */
export function count(amount) {
  return amount.toLocaleString("en-US");
}

/**
 * `1 job`, `3 jobs`.
 * @param {number} amount
 * @param {string} one
 * @param {string} [many]
 */
export function counted(amount, one, many = `${one}s`) {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

/**
 * An instant of the API in milliseconds.
 * @param {string} text
 */
export const millis = (text) => Date.parse(text);
