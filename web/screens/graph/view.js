/** How a picture of a graph is looked at: where it is moved to and how large. Pure geometry. */

/**
 * @typedef {{scale: number, x: number, y: number}} View a point of the graph is shown at `point * scale + (x, y)`
 * @typedef {{width: number, height: number}} Size
 * @typedef {{left: number, top: number, right: number, bottom: number}} Rect
 * @typedef {{job: string, x: number, y: number, width: number, height: number}} Box
 * @typedef {"left" | "right" | "up" | "down"} Direction
 */

export const LARGEST = 2.5;
/** Below it names cannot be read, and nodes are drawn without them. */
export const READABLE = 0.45;
/** What is less high or wide is a line. */
const THIN_PX = 24;
const MARGIN_PX = 32;

/**
 * The smallest scale at which it makes sense to look at a graph of this size.
 * @param {Size} graph
 * @param {Size} box
 */
export function smallest(graph, box) {
  return Math.min(0.25, fit(graph, box).scale * 0.7);
}

/**
 * All of the graph in the middle of the box.
 * @param {Size} graph
 * @param {Size} box
 * @param {number} [most] it is not made larger than this
 * @returns {View}
 */
export function fit(graph, box, most = 1) {
  const margin = Math.min(MARGIN_PX, box.width / 10, box.height / 10);
  const wide = (box.width - 2 * margin) / Math.max(1, graph.width);
  const high = (box.height - 2 * margin) / Math.max(1, graph.height);
  const scale = Math.max(0.005, Math.min(most, wide, high));
  return { scale, x: (box.width - graph.width * scale) / 2, y: (box.height - graph.height * scale) / 2 };
}

/**
 * Larger or smaller by `factor`, while the point at (x, y) of the box stays where it is.
 * @param {View} view
 * @param {number} factor
 * @param {number} x
 * @param {number} y
 * @param {number} least
 * @returns {View}
 */
export function zoomAt(view, factor, x, y, least) {
  const scale = Math.min(LARGEST, Math.max(least, view.scale * factor));
  const by = scale / view.scale;
  return { scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
}

/**
 * Moved back so far that some of the graph is in sight.
 * @param {View} view
 * @param {Size} graph
 * @param {Size} box
 * @returns {View}
 */
export function keepInSight(view, graph, box) {
  const kept = 80;
  const clamp = (/** @type {number} */ at, /** @type {number} */ length, /** @type {number} */ room) =>
    Math.min(room - kept, Math.max(kept - length, at));
  return {
    scale: view.scale,
    x: clamp(view.x, graph.width * view.scale, box.width),
    y: clamp(view.y, graph.height * view.scale, box.height),
  };
}

/**
 * A node in the middle of the box.
 * @param {View} view
 * @param {Box} node
 * @param {Size} box
 * @returns {View}
 */
export function centred(view, node, box) {
  // Where nothing could be read, being led to a node would not help.
  const scale = Math.max(view.scale, READABLE * 1.6);
  return {
    scale,
    x: box.width / 2 - (node.x + node.width / 2) * scale,
    y: box.height / 2 - (node.y + node.height / 2) * scale,
  };
}

/**
 * All of a graph, or where it begins if all of it would be hardly more than a line.
 * @param {View} whole
 * @param {Size & {nodes: Box[]}} graph
 * @param {Size} box
 * @returns {View}
 */
export function opening(whole, graph, box) {
  const { width, height, nodes } = graph;
  if (whole.scale >= READABLE || Math.min(width, height) * whole.scale >= THIN_PX) return whole;
  const first = nodes.reduce((one, other) => (other.x + other.y < one.x + one.y ? other : one));
  const view = centred(whole, first, box);
  view[width > height ? "x" : "y"] = MARGIN_PX;
  return view;
}

/**
 * The part of the graph that is in sight, and `beyond` of its size on each side.
 * @param {View} view
 * @param {Size} box
 * @param {number} beyond
 * @returns {Rect}
 */
export function inSight(view, box, beyond) {
  const width = box.width / view.scale;
  const height = box.height / view.scale;
  const left = -view.x / view.scale;
  const top = -view.y / view.scale;
  return {
    left: left - width * beyond, top: top - height * beyond,
    right: left + width * (1 + beyond), bottom: top + height * (1 + beyond),
  };
}

/**
 * @param {Rect} outer
 * @param {Rect} inner
 */
export function holds(outer, inner) {
  return outer.left <= inner.left && outer.top <= inner.top && outer.right >= inner.right && outer.bottom >= inner.bottom;
}

/**
 * @param {Rect} rect
 * @param {{x: number, y: number, width: number, height: number}} box
 */
export function touches(rect, box) {
  return box.x < rect.right && box.x + box.width > rect.left && box.y < rect.bottom && box.y + box.height > rect.top;
}

/**
 * The node at a point of the graph, or null.
 * @template {Box} N
 * @param {N[]} nodes
 * @param {number} x
 * @param {number} y
 * @param {number} slack how far beside it still counts
 * @returns {N | null}
 */
export function nodeAt(nodes, x, y, slack) {
  let best = null;
  let nearest = slack;
  for (const node of nodes) {
    const across = Math.max(node.x - x, x - node.x - node.width, 0);
    const down = Math.max(node.y - y, y - node.y - node.height, 0);
    const distance = Math.max(across, down);
    if (distance === 0) return node;
    if (distance <= nearest) {
      nearest = distance;
      best = node;
    }
  }
  return best;
}

/**
 * The node one comes to when going on from another; the one itself where there is none.
 * @template {Box} N
 * @param {N[]} nodes
 * @param {N} from
 * @param {Direction} direction
 * @returns {N}
 */
export function towards(nodes, from, direction) {
  const sideways = direction === "left" || direction === "right";
  const sign = direction === "left" || direction === "up" ? -1 : 1;
  let best = from;
  let nearest = Infinity;
  for (const node of nodes) {
    const across = node.x + node.width / 2 - from.x - from.width / 2;
    const down = node.y + node.height / 2 - from.y - from.height / 2;
    const along = (sideways ? across : down) * sign;
    if (along <= 1) continue;
    // What lies straight ahead is meant sooner than what is a little nearer and off to the side.
    const distance = along + 2 * Math.abs(sideways ? down : across);
    if (distance < nearest) {
      nearest = distance;
      best = node;
    }
  }
  return best;
}

/**
 * The view after the graph was laid out anew, such that what the reader looked at stays where it was.
 * @param {View} view
 * @param {Box[]} before
 * @param {Box[]} after
 * @param {Size} box
 * @param {string | null} anchor the job that matters most; else the one nearest to the middle
 * @returns {View}
 */
export function anchored(view, before, after, box, anchor) {
  const now = new Map(after.map((node) => [node.job, node]));
  const kept = before.filter((node) => now.has(node.job));
  const middle = { x: (box.width / 2 - view.x) / view.scale, y: (box.height / 2 - view.y) / view.scale };
  const was = kept.find((node) => node.job === anchor) ?? nodeAt(kept, middle.x, middle.y, Infinity);
  const is = was && now.get(was.job);
  if (!was || !is) return view;
  return { scale: view.scale, x: view.x + (was.x - is.x) * view.scale, y: view.y + (was.y - is.y) * view.scale };
}
