/** Which jobs a job depends on, and which depend on it. Pure. */

/**
 * @typedef {{from: string, to: string}} Link
 * @typedef {{parents: Map<string, string[]>, children: Map<string, string[]>}} Kin
 */

/**
 * @param {Link[]} edges
 * @returns {Kin}
 */
export function kin(edges) {
  /** @type {Map<string, string[]>} */
  const parents = new Map();
  /** @type {Map<string, string[]>} */
  const children = new Map();
  for (const { from, to } of edges) {
    const above = parents.get(to);
    if (above) above.push(from);
    else parents.set(to, [from]);
    const below = children.get(from);
    if (below) below.push(to);
    else children.set(from, [to]);
  }
  return { parents, children };
}

/**
 * All that can be reached from a job, without it.
 * @param {Map<string, string[]>} next
 * @param {string} job
 * @returns {Set<string>}
 */
export function reached(next, job) {
  /** @type {Set<string>} */
  const found = new Set();
  const open = [job];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const each of next.get(at) ?? []) {
      if (each !== job && !found.has(each)) {
        found.add(each);
        open.push(each);
      }
    }
  }
  return found;
}

/**
 * What a job depends on, directly or not, and what depends on it.
 * @param {Kin} known
 * @param {string} job
 */
export function line(known, job) {
  return { ancestors: reached(known.parents, job), descendants: reached(known.children, job) };
}

/**
 * The jobs of a picture as one reads it: generation by generation, each from top to bottom.
 * @template {{job: string, x: number, y: number}} N
 * @param {N[]} nodes
 * @returns {N[]}
 */
export function inOrder(nodes) {
  return [...nodes].sort((a, b) => a.x - b.x || a.y - b.y || (a.job < b.job ? -1 : 1));
}

/**
 * How many parents and children a node has that are not in the picture: those of a neighbourhood's edge, and those that are left out.
 * @param {{job: string, parents?: number, children?: number}} node with how many it has
 * @param {Kin} known those that are in the picture
 */
export function unseen({ job, parents, children }, known) {
  const above = known.parents.get(job)?.length ?? 0;
  const below = known.children.get(job)?.length ?? 0;
  return { before: Math.max(0, (parents ?? above) - above), after: Math.max(0, (children ?? below) - below) };
}
