/** Who the reader is to the server, and what they may do. */

import { createContext, useContext } from "../vendor/preact.js";

/**
 * @typedef {"viewer" | "operator" | "editor" | "admin"} Role
 * @typedef {{name: string, role: Role, scope: string[] | null, credentials: boolean}} Me
 */

/** @type {Role[]} */
const ROLES = ["viewer", "operator", "editor", "admin"];

/** @type {Me} */
export const NOBODY = { name: "", role: "viewer", scope: null, credentials: false };

export const MeContext = createContext(NOBODY);

/** @returns {Me} */
export const useMe = () => useContext(MeContext);

/**
 * Why the reader may not do what needs `role`, or null if they may.
 * @param {Me} me
 * @param {Role} role
 */
export function refusal(me, role) {
  if (ROLES.indexOf(me.role) >= ROLES.indexOf(role)) return null;
  return `needs the role ${role}; you are ${me.role}`;
}
