/** Parts of a screen of which one is shown; which one is part of the address. */

import { html } from "../vendor/preact.js";
import { to, parse } from "../shell/route.js";

/**
 * @param {{tabs: {id: string, label: any}[], chosen: string, label: string}} props the first is the one of an address that names none
 */
export function Tabs({ tabs, chosen, label }) {
  const { path, params } = parse(location.hash);
  return html`<nav class="tabs" aria-label=${label}>
    ${tabs.map(({ id, label: text }, index) => {
      const address = to(path, { ...params, tab: index === 0 ? null : id, line: null });
      return html`<a href=${address} aria-current=${id === chosen ? "page" : undefined}>${text}</a>`;
    })}
  </nav>`;
}
