/** The draft as text. What can be read of it is the draft at once; what cannot is told with its place. */

import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { dump } from "../../vendor/yaml.js";
import { Sentence } from "../../parts/sentence.js";
import { withRemedy } from "./faults.js";
import { lineAndColumn, locate, placeOfByte, read } from "../../data/place.js";

/**
 * @param {object} props
 * @param {"json" | "yaml"} props.language
 * @param {Record<string, any>} props.draft
 * @param {string | null} props.broken what was typed before and could not be read
 * @param {import("./faults.js").Refused[]} props.refused
 * @param {number} props.led each time it grows, the caret goes to the first mistake
 * @param {(draft: Record<string, any>) => void} props.set
 * @param {(text: string | null) => void} props.setBroken
 */
export function TextEditor({ language, draft, broken, refused, led, set, setBroken }) {
  const [text, setText] = useState(() => broken ?? (language === "json" ? JSON.stringify(draft, null, 2) : dump(draft, { lineWidth: 120 })));
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const gutter = useRef(/** @type {HTMLPreElement | null} */ (null));
  const result = read(text, language);
  const faults =
    "fault" in result
      ? [{ message: result.fault.message, remedy: "", span: result.fault.at === null ? null : { start: result.fault.at, end: result.fault.at } }]
      : refused.map((each) => ({ ...each, span: place(text, each, result.value) }));

  const typed = (/** @type {string} */ next) => {
    setText(next);
    const found = read(next, language);
    if ("value" in found) {
      set(found.value);
      setBroken(null);
    } else {
      setBroken(next);
    }
  };
  const goTo = (/** @type {{start: number, end: number}} */ span) => {
    const element = area.current;
    if (!element) return;
    element.focus();
    element.setSelectionRange(span.start, Math.max(span.end, Math.min(span.start + 1, text.length)));
    const { line } = lineAndColumn(text, span.start);
    const height = element.scrollHeight / Math.max(1, text.split("\n").length);
    element.scrollTop = Math.max(0, (line - 4) * height);
  };
  useEffect(() => {
    const first = faults.find((each) => each.span)?.span;
    if (led > 0 && first) goTo(first);
  }, [led]);
  const lines = text.split("\n").length;
  const marked = new Set(faults.flatMap((each) => (each.span ? [lineAndColumn(text, each.span.start).line] : [])));
  return html`<div class="text-editor">
    <div class="faults" role="status" aria-live="polite">
      ${faults.map((each) => {
        const at = each.span && lineAndColumn(text, each.span.start);
        return html`<p class="wrong">
          ${each.span && html`<button class="quiet link" type="button" onClick=${() => each.span && goTo(each.span)}>line ${at?.line}, column ${at?.column}</button> `}<${Sentence} text=${withRemedy(each)} />
        </p>`;
      })}
      ${faults.length === 0 && html`<p class="hint">Nothing is wrong with it. Fields that the form does not show stay as they are here.</p>`}
    </div>
    <div class="text">
      <pre class="gutter" ref=${gutter} aria-hidden="true">${Array.from({ length: lines }, (_, index) => html`<span class=${marked.has(index + 1) ? "bad" : ""}>${index + 1}${"\n"}</span>`)}</pre>
      <textarea
        ref=${area}
        wrap="off"
        spellcheck="false"
        autocapitalize="off"
        aria-label="the job as ${language.toUpperCase()}"
        aria-invalid=${faults.length > 0 ? "true" : undefined}
        value=${text}
        onInput=${(/** @type {any} */ event) => typed(event.target.value)}
        onScroll=${(/** @type {any} */ event) => {
          if (gutter.current) gutter.current.scrollTop = event.target.scrollTop;
        }}
      ></textarea>
    </div>
  </div>`;
}

/**
 * Where a text says what was refused.
 * @param {string} text
 * @param {import("./faults.js").Refused} refused
 * @param {Record<string, any>} value
 */
function place(text, refused, value) {
  const span = locate(text, refused.field);
  const said = value[refused.field];
  if (!span || !refused.position || typeof said !== "string") return span;
  // Inside of a text with escapes nobody knows which of its letters are which.
  if (text.slice(span.start, span.end) !== said) return span;
  const [start, end] = [placeOfByte(said, refused.position.start), placeOfByte(said, refused.position.end)];
  return { start: span.start + start, end: span.start + Math.max(end, start) };
}
