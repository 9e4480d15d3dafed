/** A field that is part of the address once the reader pauses. */

import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { choose } from "../shell/route.js";

/** A person stops typing for about so long between two words. */
const TYPING_MS = 150;

/**
 * @param {{name: string, value?: string, label: string, placeholder: string, main?: boolean, kind?: string, numeric?: boolean}} props
 *   `main`: the one that the key for searching leads to; `kind`: its class
 */
export function Typed({ name, value = "", label, placeholder, main = false, kind = "", numeric = false }) {
  const [text, setText] = useState(value);
  const timer = useRef(/** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined));
  const sent = useRef(value);
  // It must not change the address of another page.
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    // Back, or a link: the address has changed without this field.
    if (value !== sent.current) setText(value);
    sent.current = value;
  }, [value]);
  return html`<input
    type=${main ? "search" : "text"}
    class=${kind}
    data-search=${main ? "" : undefined}
    inputmode=${numeric ? "numeric" : undefined}
    aria-label=${label}
    placeholder=${placeholder}
    value=${text}
    onInput=${(/** @type {any} */ event) => {
      const typed = event.target.value;
      setText(typed);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        sent.current = typed.trim();
        choose({ [name]: typed.trim() });
      }, TYPING_MS);
    }}
  />`;
}
