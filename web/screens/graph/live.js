/** The graph as the server lays it out, with states that follow the events. */

import { useEffect, useMemo, useRef, useState } from "../../vendor/preact.js";
import { get } from "../../data/http.js";
import { useAnswer } from "../../data/query.js";
import { onEvent } from "../../data/stream.js";
import { after } from "./states.js";

/**
 * Asking for states asks for the whole picture, so however much happens, the server spends no more than a twentieth of
 * its time on it. In between the events themselves are believed.
 */
const SHARE = 20;
const SOONEST_STATES_MS = 3_000;
const SOONEST_JOBS_MS = 1_000;

/**
 * @param {{job: string | null, up: number, down: number, max: number}} what
 * @returns {import("../../data/query.js").Answer<import("./picture.js").Graph & {signature: string}>}
 */
export function useGraph({ job, up, down, max }) {
  const took = useRef(0);
  const params = job === null ? { max } : { job, up, down, max };
  const answer = useAnswer(`layout ${JSON.stringify(params)}`, async (signal) => {
    const begun = performance.now();
    const graph = await get("layout", params, { signal });
    took.current = performance.now() - begun;
    return graph;
  });
  // States by the events since the last answer.
  const [changed, setChanged] = useState(/** @type {Map<string, any>} */ (new Map()));
  const latest = useRef({ answer, changed });
  latest.current = { answer, changed };
  useEffect(() => setChanged((known) => (known.size ? new Map() : known)), [answer.data]);

  useEffect(() => {
    /** @type {ReturnType<typeof setTimeout> | null} */
    let planned = null;
    let due = Infinity;
    const plan = (/** @type {number} */ soonest) => {
      const at = performance.now() + Math.max(soonest, took.current * SHARE);
      if (planned && due <= at) return;
      if (planned) clearTimeout(planned);
      due = at;
      planned = setTimeout(() => {
        planned = null;
        latest.current.answer.reload();
      }, at - performance.now());
    };
    /** @type {Map<string, any>} */
    let gathered = new Map();
    let drawing = 0;
    const stop = onEvent((event) => {
      const { answer: known, changed: soFar } = latest.current;
      if (event.kind === "job" || event.kind === "pause") plan(SOONEST_JOBS_MS);
      if (event.kind !== "run" || !event.job || !known.data) return;
      const node = gathered.get(event.job) ?? soFar.get(event.job) ?? byName(known.data).get(event.job);
      if (!node) return;
      plan(SOONEST_STATES_MS);
      const next = after(node, event);
      if (next === node) return;
      gathered.set(event.job, next);
      // Many events may come in one piece: they are drawn once.
      drawing ||= requestAnimationFrame(() => {
        drawing = 0;
        const now = gathered;
        gathered = new Map();
        setChanged((before) => new Map([...before, ...now]));
      });
    });
    return () => {
      stop();
      if (planned) clearTimeout(planned);
      if (drawing) cancelAnimationFrame(drawing);
    };
  }, [JSON.stringify(params)]);

  const signature = useMemo(() => (answer.data ? signatureOf(answer.data) : ""), [answer.data]);
  // While positions are the same, so are the edges: nothing of them is made anew when a state changes.
  const edges = useRef({ signature: "", edges: /** @type {any[]} */ ([]) });
  if (answer.data && edges.current.signature !== signature) edges.current = { signature, edges: answer.data.edges };
  const data = useMemo(
    () =>
      answer.data && {
        ...answer.data,
        signature,
        edges: edges.current.edges,
        nodes: changed.size ? answer.data.nodes.map((/** @type {any} */ node) => changed.get(node.job) ?? node) : answer.data.nodes,
      },
    [answer.data, changed],
  );
  return { ...answer, data };
}

/** @type {WeakMap<object, Map<string, any>>} */
const names = new WeakMap();

/** @param {{nodes: any[]}} graph */
function byName(graph) {
  let known = names.get(graph);
  if (!known) {
    known = new Map(graph.nodes.map((node) => [node.job, node]));
    names.set(graph, known);
  }
  return known;
}

/** @param {import("./picture.js").Graph} graph */
function signatureOf(graph) {
  return JSON.stringify([graph.nodes.map((node) => [node.job, node.x, node.y, node.width]), graph.edges.map((edge) => edge.points)]);
}
