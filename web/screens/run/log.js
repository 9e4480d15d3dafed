/** The log of a run: what an attempt writes, while it writes it and afterwards. */

import { html, useEffect, useMemo, useRef, useState } from "../../vendor/preact.js";
import { bytes, count, counted } from "../../data/format.js";
import { address, ask, part } from "../../data/http.js";
import { wrap as wrapPreference } from "../../data/preferences.js";
import { download } from "../../parts/download.js";
import { Empty, ProblemBox } from "../../parts/problem.js";
import { When } from "../../parts/time.js";
import { useKeys } from "../../shell/keys.js";
import { tell, tellProblem } from "../../shell/notices.js";
import { choose, to } from "../../shell/route.js";
import { Sentence } from "./header.js";
import { LogRows } from "./log_rows.js";
import { firstWrong, STREAMS, useMatches, useOutput } from "./log_state.js";
import { PIECE_BYTES } from "./source.js";
import { literal, textOf } from "./view.js";

/** What is searched for is in the address once the reader pauses. */
const NAMED_MS = 400;

/**
 * @typedef {import("./log_rows.js").Place} Place
 * @param {{run: any, route: import("../../shell/route.js").Route}} props a run with an attempt
 */
export function Log({ run, route }) {
  const { attempts } = run;
  const asked = Number(route.params.attempt ?? NaN);
  const attempt = attempts.find((/** @type {any} */ each) => each.attempt === asked) ?? attempts[attempts.length - 1];
  const shown = ["stdout", "stderr"].includes(route.params.stream) ? route.params.stream : "both";
  const over = attempt.state === "ended";
  const { view, begun: known, version, sources } = useOutput(run.id, attempt.attempt, over, shown);
  const [wrap, setWrap] = useState(wrapPreference.get());
  const [follow, setFollow] = useState(!route.params.line);
  const [jump, setJump] = useState({ place: /** @type {Place | null} */ (null) });
  const [target, setTarget] = useState(/** @type {Place | null} */ (null));
  const [typed, setTyped] = useState(route.params.find ?? "");
  const [current, setCurrent] = useState(/** @type {Place | null} */ (null));
  const naming = useRef(/** @type {ReturnType<typeof setTimeout> | null} */ (null));
  useEffect(() => () => clearTimeout(naming.current ?? undefined), []);
  const pattern = useMemo(() => (typed.trim() ? literal(typed) : null), [typed]);
  const { matches, done, cut } = useMatches(view, pattern);

  const jumpTo = (/** @type {Place | null} */ place) => {
    if (!place) return;
    setFollow(false);
    setJump({ place });
  };
  useNamedLine(route.params.line, shown, sources, known, version, view, (place) => {
    setTarget(place);
    jumpTo(place);
  });
  useEffect(() => {
    if (!route.params.line) setTarget(null);
  }, [route.params.line]);

  const step = (/** @type {number} */ by) => {
    if (!matches.length) return;
    const at = current ? matches.findIndex((each) => each.stream === current.stream && each.position === current.position) : -1;
    const place = matches[at < 0 ? (by > 0 ? 0 : matches.length - 1) : (at + by + matches.length) % matches.length];
    setCurrent(place);
    jumpTo(place);
  };
  // Whoever types sees the first match, unless a line is named.
  useEffect(() => {
    if (done && matches.length && !current && !target) step(1);
  }, [done, matches]);
  const isAt = current ? matches.findIndex((each) => each.stream === current.stream && each.position === current.position) : -1;
  const first = async () => {
    if (sources) await whole(view.holes(), sources);
    const place = firstWrong(latest.current);
    if (!place) {
      const some = latest.current.holes().length || latest.current.dropped();
      return tell({ tone: some ? "bad" : "good", text: `No line${some ? " of what is loaded" : ""} is on stderr or tells of an error or a failure.${mayBe(latest.current)}` });
    }
    setTarget(place);
    return jumpTo(place);
  };
  const latest = useRef(view);
  latest.current = view;
  const load = (/** @type {import("./view.js").Piece} */ { stream, start, end: last }, /** @type {boolean} */ backwards) => {
    const source = sources?.[/** @type {"stdout" | "stderr"} */ (stream)];
    void source?.load(start, last, backwards);
  };

  const end = () => {
    const last = view.pieces[view.pieces.length - 1];
    if (last?.kind === "hole") load(last, true);
    setFollow(true);
    setJump({ place: null });
  };

  useKeys([
    { key: "n", does: "the next match in the log", run: () => step(1) },
    { key: "N", does: "the match before", run: () => step(-1) },
    { key: "e", does: "the first line of stderr, or that tells of an error", run: () => void first() },
    { key: "G", does: "the end of the log", run: end },
    { key: "w", does: "break long lines, or do not", run: () => toggleWrap() },
  ]);
  const toggleWrap = () => {
    const next = wrap === "on" ? "off" : "on";
    wrapPreference.set(next);
    setWrap(next);
  };

  const href = (/** @type {import("./view.js").Piece} */ piece, /** @type {number} */ index) => {
    const number = piece.number === null ? `@${piece.part?.starts[index]}` : piece.number + index - piece.first;
    return to(route.path, { ...route.params, attempt: attempt.attempt, line: `${shown === "both" && piece.stream === "stderr" ? "e" : ""}${number}` });
  };
  const streams = STREAMS.filter((stream) => shown === "both" || shown === stream);
  const told = sources ? streams.map((stream) => sources[stream]) : [];
  const problem = told.map((source) => source.standing.problem).find(Boolean) ?? null;
  const live = told.some((source) => source.standing.live);
  const begun = told.length > 0 && streams.every((stream) => known.includes(stream));
  const gone = begun && told.every((source) => source.standing.gone);
  const holes = view.holes().length > 0;

  return html`<section class="log" aria-label="log">
    <div class="log-tools">
      <span class="segments" role="group" aria-label="which stream">
        ${["both", ...STREAMS].map((each) => {
          const size = sources && each !== "both" ? sources[/** @type {"stdout" | "stderr"} */ (each)].output.total : null;
          return html`<a href=${to(route.path, { ...route.params, stream: each === "both" ? null : each, line: null })} aria-current=${each === shown ? "true" : undefined}
            >${each}${size ? html` <small>${bytes(size)}</small>` : ""}</a
          >`;
        })}
      </span>
      ${attempts.length > 1 &&
      html`<label class="choice-of"
        ><span>attempt</span>
        <select
          value=${String(attempt.attempt)}
          onChange=${(/** @type {any} */ event) => choose({ attempt: event.target.value, line: null })}
        >
          ${attempts.map((/** @type {any} */ each) => html`<option value=${String(each.attempt)} selected=${each === attempt}>${each.attempt}</option>`)}
        </select></label
      >`}
      <span class="search">
        <input
          data-search
          type="search"
          placeholder="Search the log  /"
          aria-label="search the log"
          value=${typed}
          onInput=${(/** @type {any} */ event) => {
            setTyped(event.target.value);
            setCurrent(null);
            if (naming.current) clearTimeout(naming.current);
            naming.current = setTimeout(() => choose({ find: event.target.value.trim() }), NAMED_MS);
          }}
          onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            step(event.shiftKey ? -1 : 1);
          }}
        />
        ${pattern &&
        html`<span class="number found" role="status"
            >${done || matches.length ? `${isAt >= 0 ? `${count(isAt + 1)} of ` : ""}${counted(matches.length, "line")}${cut ? " or more" : ""}${matches.length ? "" : mayBe(view)}` : "searching"}</span
          >
          <button class="quiet" aria-label="match before" title="match before (N)" onClick=${() => step(-1)} disabled=${!matches.length}>↑</button>
          <button class="quiet" aria-label="next match" title="next match (n)" onClick=${() => step(1)} disabled=${!matches.length}>↓</button>
          ${holes && html`<button class="quiet link" title="only what is loaded is searched: load all of it" onClick=${() => sources && whole(view.holes(), sources)}>load all</button>`}`}
      </span>
      <span class="log-buttons">
        <button class="quiet" title="the first line of stderr, or that tells of an error (e)" onClick=${first}>First error</button>
        <button class="quiet" aria-pressed=${wrap === "on"} title="break long lines (w)" onClick=${toggleWrap}>Wrap</button>
        <button class="quiet" onClick=${() => copy(view, holes)}>Copy</button>
        ${streams.map(
          (stream) => html`<button class="quiet" title="download all of ${stream} that is kept" onClick=${() => downloadLog(run.id, attempt.attempt, stream)}>
            ↓ ${streams.length > 1 ? stream : "Download"}
          </button>`,
        )}
      </span>
    </div>
    ${problem && html`<${ProblemBox} problem=${problem} />`}
    ${gone
      ? html`<${Empty} title="No output of this attempt is kept"><${Sentence} text=${told[0].standing.gone ?? ""} /> It was pruned with the history, or whoever had it is gone.<//>`
      : begun && view.rows === 0 && !live
        ? html`<${Empty} title="Nothing was written${shown === "both" ? "" : ` to ${shown}`}">${over ? "The command ended without a word." : "Not yet."}<//>`
        : html`<div class="log-box">
            <${LogRows}
              view=${view}
              wrap=${wrap === "on"}
              follow=${follow}
              onFollow=${setFollow}
              pattern=${pattern}
              target=${current ?? target}
              jump=${jump}
              both=${shown === "both"}
              load=${load}
              href=${href}
            />
            ${!follow && html`<button class="to-end" onClick=${end}>${live ? "Paused: jump to the end and follow" : "Jump to the end"} ↓</button>`}
          </div>`}
    <p class="log-foot hint" role="status">
      <span class=${live ? "live" : ""}>${live ? (follow ? "Following." : "Live, paused where you read.") : over ? `Attempt ${attempt.attempt} is over.` : ""}</span>
      ${run.retryAt && over && html`<span>The next attempt is <${When} at=${run.retryAt} />.</span>`}
      ${begun && view.rows > 0 && html`<span>${counted(view.rows, "row")}${holes ? " loaded" : ""}.</span>`}
      ${shown === "both" &&
      told.every((source) => source.output.total > 0) &&
      html`<span>Each stream is in its own order. Between the two nothing is recorded: what was written before you looked has stdout first, what came since is as it came.</span>`}
    </p>
  </section>`;
}

/**
 * Brings the line that the address names into what is loaded, then in sight; once for each name.
 *
 * @param {string | undefined} name `12`, or `@4096` for the line at a byte; with `e` before it, of stderr where both are shown
 * @param {string} shown
 * @param {Record<string, import("./source.js").Source> | null} sources
 * @param {string[]} begun streams of which the view has what came first
 * @param {number} version
 * @param {import("./view.js").View} view
 * @param {(place: Place) => void} found
 */
function useNamedLine(name, shown, sources, begun, version, view, found) {
  const settled = useRef("");
  useEffect(() => {
    const [, other, byte, digits] = /^(e?)(@?)(\d+)$/.exec(name ?? "") ?? [];
    const key = `${shown} ${name}`;
    if (digits === undefined || !sources || settled.current === key) return;
    const stream = shown === "both" ? (other ? "stderr" : "stdout") : shown;
    const source = sources[stream];
    if (!source || !begun.includes(stream)) return;
    const row = byte ? view.rowOf(stream, Number(digits)) : view.rowOfNumber(stream, Number(digits));
    const piece = view.at(row)?.piece;
    if (piece && piece.kind !== "hole") {
      settled.current = key;
      const { index } = /** @type {{index: number}} */ (view.at(row));
      found({ stream, position: piece.part ? piece.part.starts[index] : piece.start });
      return;
    }
    // Behind a gap lines have no numbers.
    const hole = byte ? piece : view.pieces.find((each) => each.stream === stream && each.kind !== "lines");
    if (hole?.kind !== "hole" || source.standing.problem) {
      settled.current = key;
      if (hole?.kind !== "hole") tell({ tone: "bad", text: `There is no line ${name} in ${stream}.${mayBe(view)}` });
      return;
    }
    void source.load(byte ? Math.max(hole.start, Number(digits) - PIECE_BYTES / 2) : hole.start, hole.end, false);
  }, [name, shown, version, view]);
}

/**
 * What is to be said wherever something was not found.
 * @param {import("./view.js").View} view
 */
function mayBe(view) {
  const dropped = view.dropped();
  return dropped ? ` It may be in the ${bytes(dropped)} that were not kept.` : "";
}

/**
 * Loads what is not loaded, as far as there is room for it.
 * @param {import("./view.js").Piece[]} holes
 * @param {Record<string, import("./source.js").Source>} sources
 */
async function whole(holes, sources) {
  for (const { stream } of holes) {
    const source = sources[stream];
    if (!source.output.fits() && source.output.kept() === source.output.total) await source.middle();
    if (!source.output.fits()) {
      tell({ tone: "bad", text: `All of ${stream} is too much to be held here: ${bytes(source.output.kept())}. Only what is loaded was looked at.`, detail: "download it to look at all of it" });
      continue;
    }
    for (let tries = 0; tries < 64; tries += 1) {
      const hole = source.output.all().find((each) => each.kind === "hole");
      if (!hole || source.standing.problem) break;
      await source.load(hole.start, hole.end, false);
    }
  }
  // What was loaded is painted a little later.
  if (holes.length) await new Promise((resolve) => setTimeout(resolve, 200));
}

/**
 * @param {import("./view.js").View} view
 * @param {boolean} holes
 */
async function copy(view, holes) {
  try {
    const text = getSelection()?.toString() || textOf(view);
    await navigator.clipboard.writeText(text);
    tell({ tone: "good", text: `Copied ${bytes(text.length)} of text${holes ? "; what is not loaded is not in it" : ""}.` });
  } catch {
    tell({ tone: "bad", text: "The browser does not let this page copy.", detail: "It does on pages that came encrypted or from this machine; download it instead." });
  }
}

/**
 * @param {string} run
 * @param {number} attempt
 * @param {string} stream
 */
async function downloadLog(run, attempt, stream) {
  try {
    const response = await ask(address(`run/${part(run)}/${stream}`, { attempt }));
    download(`${run}.${attempt}.${stream}.log`, await response.blob());
  } catch (error) {
    tellProblem(`${stream} was not downloaded`, error);
  }
}
