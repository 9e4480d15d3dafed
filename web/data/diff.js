/** What one definition says differently from another, as `GET diff` of the API tells it. Pure. */

/**
 * @typedef {{field: string, old: any, new: any, secret: boolean}} Change `old` or `new` is null where one side says nothing
 */

/**
 * Arrays are compared place by place and objects key by key.
 * @param {Record<string, any>} before
 * @param {Record<string, any>} after
 * @returns {Change[]} in the order of the fields
 */
export function changes(before, after) {
  /** @type {Change[]} */
  const found = [];
  walk("", before, after, false, found);
  return found;
}

/**
 * @param {string} field
 * @param {any} before
 * @param {any} after
 * @param {boolean} secret whether it is the value of a variable that nobody may read
 * @param {Change[]} found
 */
function walk(field, before, after, secret, found) {
  if (before === after) return;
  const [one, other] = [before ?? null, after ?? null];
  if (Array.isArray(one) && Array.isArray(other)) {
    for (let index = 0; index < Math.max(one.length, other.length); index += 1) {
      walk(`${field}[${index}]`, one[index], other[index], false, found);
    }
    return;
  }
  if (isObject(one) && isObject(other)) {
    const hidden = one.secret === true || other.secret === true;
    for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
      walk(field ? `${field}.${key}` : key, one[key], other[key], hidden && key === "value", found);
    }
    return;
  }
  if (one === other) return;
  found.push({ field, old: secret && one !== null ? "***" : mask(one), new: secret && other !== null ? "***" : mask(other), secret });
}

/** @param {any} value */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A whole variable that came or went shows no secret either.
 * @param {any} value
 * @returns {any}
 */
function mask(value) {
  if (Array.isArray(value)) return value.map(mask);
  return isObject(value) && value.secret === true ? { ...value, value: "***" } : value;
}

/**
 * A value as one reads it: text as it is, all else as JSON.
 * @param {any} value
 */
export function shown(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}
