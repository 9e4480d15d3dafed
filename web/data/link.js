/** Addresses that a link may lead to. Pure. */

/** What a job says may be anything. @param {string | null | undefined} text @returns {string | null} null where it is no address of the web */
export function linkOf(text) {
  try {
    const { protocol, href } = new URL(text ?? "");
    return protocol === "http:" || protocol === "https:" ? href : null;
  } catch {
    return null;
  }
}
