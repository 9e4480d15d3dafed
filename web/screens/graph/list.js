/** The graph as a table: for those who do not see pictures, and for those who want to read it. */

import { html, useMemo, useState } from "../../vendor/preact.js";
import { VirtualRows } from "../../parts/table.js";
import { When } from "../../parts/time.js";
import { go, toJob } from "../../shell/route.js";
import { useKeys } from "../../shell/keys.js";
import { inOrder } from "./kin.js";
import { jobLook, standingOf } from "./states.js";

const ROW = 40;
/** Names told in a cell before the rest is counted. */
const NAMED = 4;

/**
 * @param {{graph: import("./picture.js").Graph, known: import("./kin.js").Kin, matches: Set<string> | null}} props
 */
export function List({ graph, known, matches }) {
  const nodes = useMemo(() => {
    const ordered = inOrder(graph.nodes);
    return matches ? ordered.filter((node) => matches.has(node.job)) : ordered;
  }, [graph.nodes, matches]);
  const [active, setActive] = useState(-1);
  const move = (/** @type {number} */ by) => setActive((at) => Math.max(0, Math.min(nodes.length - 1, at + by)));
  useKeys([
    { key: "j", does: "next job", run: () => move(1) },
    { key: "k", does: "previous job", run: () => move(-1) },
    { key: "Enter", does: "open the job", run: () => nodes[active] && go(toJob(nodes[active].job)) },
  ]);
  const row = (/** @type {number} */ index) => {
    const node = nodes[index];
    if (!node) return null;
    const { word, glyph, tone } = jobLook(standingOf(node));
    return html`<div class="graph-row ${index === active ? "active" : ""}" role="row" aria-rowindex=${index + 1} key=${node.job} style=${{ height: `${ROW}px` }}>
      <span role="cell"><a href=${toJob(node.job)} title=${node.job}>${node.job}</a></span>
      <span role="cell"><span class="state ${tone}"><span class="glyph" aria-hidden="true">${glyph}</span>${word}</span></span>
      <span role="cell">${some(known.parents.get(node.job) ?? [])}</span>
      <span role="cell">${some(known.children.get(node.job) ?? [])}</span>
      <span role="cell"><${When} at=${node.nextDue} /></span>
    </div>`;
  };
  const head = html`<div class="graph-row" role="row">
    ${["Job", "State", "After", "Before", "Next"].map((name) => html`<span role="columnheader">${name}</span>`)}
  </div>`;
  return html`<${VirtualRows} total=${nodes.length} height=${ROW} row=${row} head=${head} active=${active} label="jobs of the graph with their parents" />`;
}

/** @param {string[]} names */
function some(names) {
  if (names.length === 0) return html`<span class="none">–</span>`;
  const rest = names.length - NAMED;
  return html`<span title=${names.slice(0, 50).join("\n")}>${names.slice(0, NAMED).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}</span>`;
}
