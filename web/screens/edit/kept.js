/** Drafts that outlive a look at another page, for this tab alone. */

/**
 * @typedef {{base: Record<string, any> | null, etag: string, draft: Record<string, any>}} Kept
 */

/** @param {string} key */
const nameOf = (key) => `chronode.draft.${key}`;

/**
 * @param {string} key
 * @param {Kept} kept
 */
export function keep(key, kept) {
  try {
    sessionStorage.setItem(nameOf(key), JSON.stringify(kept));
  } catch {
    // A browser that keeps nothing, or no more, has the draft on the page alone.
  }
}

/**
 * @param {string} key
 * @returns {Kept | null}
 */
export function kept(key) {
  try {
    const found = JSON.parse(sessionStorage.getItem(nameOf(key)) ?? "null");
    return found && typeof found.draft === "object" ? found : null;
  } catch {
    return null;
  }
}

/** @param {string} key */
export function drop(key) {
  try {
    sessionStorage.removeItem(nameOf(key));
  } catch {
    // Nothing was kept where nothing can be kept.
  }
}
