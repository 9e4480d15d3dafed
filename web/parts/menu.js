/** A button that opens a list of things to do. Closes by itself, and holds the arrow keys while it is open. */

import { html, useEffect, useRef, useState } from "../vendor/preact.js";

/**
 * @typedef {object} Item
 * @property {string} label
 * @property {() => void} [run]
 * @property {string} [href]
 * @property {string | null} [refused] why it cannot be done; told as its title
 * @property {boolean} [danger]
 * @property {string} [hint] a second line
 */

/**
 * @param {{label: any, title?: string, items: (Item | null | false | undefined)[], kind?: string, open?: {current: (() => void) | null}}} props
 *   `open` is given what opens it, for a key
 */
export function Menu({ label, title, items, kind = "", open: opener }) {
  const [open, setOpen] = useState(false);
  const box = useRef(/** @type {HTMLSpanElement | null} */ (null));
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  if (opener) opener.current = () => setOpen(true);

  useEffect(() => {
    if (!open) return;
    entries()[0]?.focus();
    const outside = (/** @type {Event} */ event) => {
      if (!box.current?.contains(/** @type {Node} */ (event.target))) setOpen(false);
    };
    addEventListener("pointerdown", outside);
    addEventListener("focusin", outside);
    return () => {
      removeEventListener("pointerdown", outside);
      removeEventListener("focusin", outside);
    };
  }, [open]);

  const entries = () => /** @type {HTMLElement[]} */ ([...(box.current?.querySelectorAll("[role=menuitem]:not([aria-disabled=true])") ?? [])]);
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (!open) return;
    // Shortcuts of the page mean nothing here.
    event.stopPropagation();
    const list = entries();
    const at = list.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    /** @type {Record<string, number>} */
    const target = { ArrowDown: (at + 1) % list.length, ArrowUp: (at - 1 + list.length) % list.length, Home: 0, End: list.length - 1 };
    if (event.key === "Escape") {
      setOpen(false);
      button.current?.focus();
    } else if (event.key in target) {
      list[target[event.key]]?.focus();
    } else {
      return;
    }
    event.preventDefault();
  };
  const choose = (/** @type {Item} */ item) => {
    setOpen(false);
    button.current?.focus();
    item.run?.();
  };

  return html`<span class="menu-box" ref=${box} onKeyDown=${keys}>
    <button
      ref=${button}
      class=${kind}
      type="button"
      title=${title}
      aria-label=${title}
      aria-haspopup="menu"
      aria-expanded=${open}
      onClick=${() => setOpen(!open)}
    >
      ${label}
    </button>
    ${open &&
    html`<span class="menu-list" role="menu">
      ${items.map((item) => {
        if (!item) return null;
        const kindOfItem = item.danger ? "danger" : "";
        const content = html`<span>${item.label}</span>${item.hint && html`<small>${item.hint}</small>`}`;
        if (item.refused) {
          return html`<span role="menuitem" aria-disabled="true" class=${kindOfItem} title=${item.refused}>${content}</span>`;
        }
        return item.href
          ? html`<a role="menuitem" tabindex="-1" class=${kindOfItem} href=${item.href} onClick=${() => setOpen(false)}>${content}</a>`
          : html`<button role="menuitem" tabindex="-1" type="button" class=${kindOfItem} onClick=${() => choose(item)}>${content}</button>`;
      })}
    </span>`}
  </span>`;
}
