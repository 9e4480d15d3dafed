/**
 * Who this page asks as. Kept for this tab alone: no cookie, so that no other site can ask in its name.
 */

const KEY = "chronode.authorization";

/** The value of the `Authorization` header, or null. */
export function authorization() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/**
 * @param {string} name
 * @param {string} password
 */
export function signInWithPassword(name, password) {
  const bytes = new TextEncoder().encode(`${name}:${password}`);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  sessionStorage.setItem(KEY, `Basic ${btoa(binary)}`);
}

/** @param {string} token */
export function signInWithToken(token) {
  sessionStorage.setItem(KEY, `Bearer ${token}`);
}

/**
 * Forgets who it was, and with `all` what they left behind, such as drafts.
 * @param {boolean} [all]
 */
export function signOut(all = false) {
  try {
    for (const key of Object.keys(sessionStorage)) if (key === KEY || (all && key.startsWith("chronode."))) sessionStorage.removeItem(key);
  } catch {
    // Nothing was kept where nothing can be kept.
  }
}
