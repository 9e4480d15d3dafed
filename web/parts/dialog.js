/** Questions in the middle of the page. Each is a promise of the answer. */

import { html, useEffect, useRef, useState } from "../vendor/preact.js";

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {any} [body] what will happen, as rendered content
 * @property {string} confirm the word on the button
 * @property {boolean} [danger]
 * @property {boolean} [reason] whether a reason is asked for; it is told to others and stays optional
 * @property {string} [type] a text that must be typed first
 */

/**
 * @typedef {{question: Question, answer: (reason: string | null) => void}} Asked
 */

/** @type {((asked: Asked | null) => void) | null} */
let show = null;
/** @type {Asked | null} */
let open = null;

/** @param {string | null} reason */
function answer(reason) {
  const asked = open;
  open = null;
  show?.(null);
  asked?.answer(reason);
}

/**
 * Asks; null is no, a text the reason, which may be empty. Another page or another question in its place is a no.
 * @param {Question} question
 * @returns {Promise<string | null>}
 */
export function confirm(question) {
  answer(null);
  return new Promise((resolve) => {
    open = { question, answer: resolve };
    show?.(open);
  });
}

/** Where questions are shown. Once on the page. */
export function Questions() {
  const [asked, setAsked] = useState(/** @type {Asked | null} */ (null));
  useEffect(() => {
    show = setAsked;
    const left = () => answer(null);
    addEventListener("hashchange", left);
    return () => {
      removeEventListener("hashchange", left);
      show = null;
      answer(null);
    };
  }, []);
  return asked && html`<${Ask} key=${asked} question=${asked.question} answer=${answer} />`;
}

/** @param {Asked} props */
function Ask({ question, answer }) {
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const ready = !question.type || typed === question.type;
  return html`<${Dialog} title=${question.title} close=${() => answer(null)}>
    <form
      onSubmit=${(/** @type {Event} */ event) => {
        event.preventDefault();
        if (ready) answer(reason.trim());
      }}
    >
      ${question.body}
      ${question.type &&
      html`<label
        >Type <code>${question.type}</code> to confirm
        <input value=${typed} autocomplete="off" onInput=${(/** @type {any} */ e) => setTyped(e.target.value)}
      /></label>`}
      ${question.reason &&
      html`<label
        >Reason
        <input
          value=${reason}
          maxlength="1000"
          placeholder="told to your colleagues, optional"
          onInput=${(/** @type {any} */ e) => setReason(e.target.value)}
      /></label>`}
      <p class="buttons">
        <button type="button" onClick=${() => answer(null)}>Cancel</button>
        <button class=${question.danger ? "danger" : "primary"} disabled=${!ready}>${question.confirm}</button>
      </p>
    </form>
  <//>`;
}

/**
 * A dialog that holds the keyboard until it is closed.
 * @param {{title: string, close: () => void, children?: any, wide?: boolean}} props
 */
export function Dialog({ title, close, children, wide = false }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const pressed = useRef(/** @type {EventTarget | null} */ (null));
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return html`<dialog
    ref=${element}
    class=${wide ? "wide" : ""}
    aria-label=${title}
    onCancel=${(/** @type {Event} */ event) => {
      event.preventDefault();
      close();
    }}
    onPointerDown=${(/** @type {Event} */ event) => {
      pressed.current = event.target;
    }}
    onClick=${(/** @type {MouseEvent} */ event) => event.target === element.current && pressed.current === element.current && close()}
  >
    <div class="dialog">
      <h2>${title}</h2>
      ${children}
    </div>
  </dialog>`;
}
