/** Fields of forms: a label, what is typed, what is wrong with it, and what it is for. */

import { html, useState } from "../vendor/preact.js";
import { Sentence } from "./sentence.js";

/**
 * @typedef {object} FieldProps
 * @property {string} label
 * @property {any} value
 * @property {(value: any) => void} set
 * @property {string} [name] the field of the job, by which a test and a refusal find it
 * @property {any} [hint]
 * @property {string | null} [problem]
 * @property {string} [placeholder]
 * @property {boolean} [disabled]
 * @property {string} [title]
 * @property {boolean} [mono]
 */

/** @param {{props: FieldProps, children?: any}} given */
export function Frame({ props, children }) {
  const { label, problem, hint, name } = props;
  return html`<div class="field ${problem ? "invalid" : ""}" data-field=${name}>
    <label>${label} ${children}</label>
    ${problem && html`<p class="wrong" role="alert"><${Sentence} text=${problem} /></p>`} ${hint && html`<p class="hint">${hint}</p>`}
  </div>`;
}

/**
 * @param {FieldProps & {type?: string, list?: string, step?: string, min?: string, max?: string, maxlength?: number, autofocus?: boolean, required?: boolean}} props
 */
export function Text(props) {
  const { value, set, problem, type = "text", placeholder, disabled, title, mono, list, step, min, max, maxlength, autofocus, required } = props;
  return Frame({
    props,
    children: html`<input
      class=${mono ? "mono" : ""}
      type=${type}
      value=${value ?? ""}
      placeholder=${placeholder}
      disabled=${disabled}
      title=${title}
      list=${list}
      step=${step}
      min=${min}
      max=${max}
      maxlength=${maxlength}
      autofocus=${autofocus}
      required=${required}
      autocomplete="off"
      spellcheck=${mono ? "false" : undefined}
      aria-invalid=${problem ? "true" : undefined}
      onInput=${(/** @type {any} */ event) => set(event.target.value)}
    />`,
  });
}

/**
 * What is typed as one text and kept as a list: the text stays as it is typed while it says what the list does.
 * @param {object} props
 * @param {any[] | undefined} props.items
 * @param {(text: string) => any[] | undefined} props.parse
 * @param {(items: any[] | undefined) => void} props.set
 * @param {string} props.label
 * @param {string} [props.placeholder]
 */
export function Items({ items, parse, set, label, placeholder }) {
  const joined = Array.isArray(items) ? items.join(", ") : "";
  const [text, setText] = useState(joined);
  const current = JSON.stringify(parse(text) ?? []) === JSON.stringify(items ?? []) ? text : joined;
  return html`<input
    class="mono"
    aria-label=${label}
    placeholder=${placeholder}
    value=${current}
    spellcheck="false"
    autocomplete="off"
    onInput=${(/** @type {any} */ event) => {
      setText(event.target.value);
      set(parse(event.target.value));
    }}
  />`;
}

/** @param {FieldProps & {rows?: number}} props */
export function Area(props) {
  const { value, set, problem, placeholder, disabled, rows = 3, title } = props;
  return Frame({
    props,
    children: html`<textarea
      rows=${rows}
      value=${value ?? ""}
      placeholder=${placeholder}
      disabled=${disabled}
      title=${title}
      spellcheck="false"
      aria-invalid=${problem ? "true" : undefined}
      onInput=${(/** @type {any} */ event) => set(event.target.value)}
    ></textarea>`,
  });
}

/** @param {FieldProps & {options: [string, string][]}} props each a value and what it is called */
export function Choose(props) {
  const { value, set, problem, disabled, options, title } = props;
  return Frame({
    props,
    children: html`<select
      value=${value ?? ""}
      disabled=${disabled}
      title=${title}
      aria-invalid=${problem ? "true" : undefined}
      onChange=${(/** @type {any} */ event) => set(event.target.value)}
    >
      ${options.map(([each, text]) => html`<option value=${each} selected=${each === (value ?? "")}>${text}</option>`)}
    </select>`,
  });
}

/** @param {FieldProps} props */
export function Check({ label, value, set, name, hint, problem, disabled, title }) {
  return html`<div class="field check ${problem ? "invalid" : ""}" data-field=${name}>
    <label title=${title}
      ><input type="checkbox" checked=${value === true} disabled=${disabled} onChange=${(/** @type {any} */ event) => set(event.target.checked)} /> ${label}</label
    >
    ${problem && html`<p class="wrong" role="alert"><${Sentence} text=${problem} /></p>`} ${hint && html`<p class="hint">${hint}</p>`}
  </div>`;
}

/**
 * A list of things of which each is a row of fields.
 * @template T
 * @param {object} props
 * @param {string} props.label
 * @param {T[]} props.items
 * @param {(items: T[]) => void} props.set
 * @param {() => T} props.make
 * @param {(item: T, change: (item: T) => void, index: number) => any} props.row
 * @param {string} props.add the word on the button
 * @param {any} [props.hint]
 * @param {string} [props.name]
 * @param {string | null} [props.problem]
 * @param {boolean} [props.disabled]
 * @param {string} [props.title]
 */
export function List({ label, items: given, set, make, row, add, hint, name, problem, disabled = false, title }) {
  // A text can say anything in place of a list and of what should be in it.
  const items = Array.isArray(given) ? given : [];
  const sample = make();
  const fitting = (/** @type {T} */ item) =>
    typeof item === typeof sample && item !== null && Array.isArray(item) === Array.isArray(sample) ? item : sample;
  return html`<fieldset class="field list ${problem ? "invalid" : ""}" data-field=${name} disabled=${disabled} title=${title}>
    <legend>${label}</legend>
    ${items.map(
      (item, index) => html`<div class="list-row" key=${index}>
        ${row(fitting(item), (changed) => set(items.map((each, place) => (place === index ? changed : each))), index)}
        <button class="quiet" type="button" aria-label="remove ${label} ${index + 1}" onClick=${() => set(items.filter((_, place) => place !== index))}>×</button>
      </div>`,
    )}
    ${problem && html`<p class="wrong" role="alert"><${Sentence} text=${problem} /></p>`} ${hint && html`<p class="hint">${hint}</p>`}
    <button type="button" class="add" onClick=${() => set([...items, make()])}>${add}</button>
  </fieldset>`;
}

/**
 * @typedef {{name: string, value: string, secret?: boolean}} Variable
 */

/**
 * Whether it stands for a stored value, which stays a secret.
 * @param {Variable} variable
 */
const isKept = ({ secret, value }) => secret === true && value === "***";

/**
 * @param {{items: Variable[], set: (items: Variable[]) => void, label?: string, hint?: any, name?: string, problem?: string | null,
 *   disabled?: boolean, title?: string}} props
 */
export function Variables({ items, set, label = "Environment", hint, name, problem, disabled, title }) {
  return html`<${List}
    label=${label}
    items=${items}
    set=${set}
    name=${name}
    problem=${problem}
    hint=${hint}
    disabled=${disabled}
    title=${title}
    add="Add a variable"
    make=${() => ({ name: "", value: "" })}
    row=${(/** @type {Variable} */ item, /** @type {(item: Variable) => void} */ change, /** @type {number} */ index) => html`
      <input class="mono" aria-label="name of variable ${index + 1}" placeholder="NAME" value=${item.name} spellcheck="false" autocomplete="off" onInput=${(/** @type {any} */ e) => change({ ...item, name: e.target.value })} />
      <input
        class="mono wide"
        type=${item.secret ? "password" : "text"}
        aria-label="value of variable ${index + 1}"
        placeholder=${item.secret ? "*** keeps the stored one" : "value"}
        value=${item.value}
        spellcheck="false"
        autocomplete="off"
        onInput=${(/** @type {any} */ e) => change({ ...item, value: e.target.value })}
      />
      <label class="inline" title=${isKept(item) ? "give another value first" : undefined}
        ><input
          type="checkbox"
          checked=${item.secret === true}
          disabled=${isKept(item)}
          onChange=${(/** @type {any} */ e) => {
            const { secret: _, ...rest } = item;
            change(e.target.checked ? { ...rest, secret: true } : rest);
          }}
        />
        secret</label
      >
    `}
  />`;
}
