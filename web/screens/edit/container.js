/** The container a job runs in, and what is downloaded before it. */

import { html } from "../../vendor/preact.js";
import { Sentence } from "../../parts/sentence.js";
import { Check, Choose, List, Text } from "../../parts/field.js";
import { Fold } from "./fold.js";
import { textOrNothing, withKey } from "./values.js";

/** @type {[string, string][]} */
const NETWORKS = [["", "HOST (default)"], ["HOST", "HOST"], ["BRIDGE", "BRIDGE"], ["USER", "USER"]];
/** @type {[string, string][]} */
const TYPES = [["", "DOCKER (default)"], ["DOCKER", "DOCKER"], ["MESOS", "MESOS"]];

/** @param {{given: import("./form.js").Given}} props */
export function Container({ given: { draft, change, fault } }) {
  const container = typeof draft.container === "object" ? draft.container : undefined;
  const put = (/** @type {string} */ key, /** @type {any} */ value) => change({ container: { ...withKey(container, key, value) } });
  return html`<${Fold} title="Container" says=${Boolean(container)} wrong=${fault("container") !== null}>
    ${fault("container") && html`<p class="wrong" role="alert"><${Sentence} text=${fault("container")} /></p>`}
    <${Check} label="Runs in a container" name="container" value=${Boolean(container)} set=${(/** @type {boolean} */ on) => change({ container: on ? { image: "" } : undefined })} />
    ${container &&
    html`
      <div class="fields">
        <${Text} label="Image" mono value=${container.image} set=${(/** @type {string} */ text) => put("image", text)} placeholder="registry.example.org/report:1" problem=${fault("container.image")} />
        <${Choose} label="Type" value=${String(container.type ?? "").toUpperCase()} set=${(/** @type {string} */ text) => put("type", textOrNothing(text))} options=${TYPES} />
        <${Choose} label="Network" value=${container.network} set=${(/** @type {string} */ text) => put("network", textOrNothing(text))} options=${NETWORKS} />
        ${container.network === "USER" && html`<${Text} label="Name of the network" mono value=${container.networkName} set=${(/** @type {string} */ text) => put("networkName", textOrNothing(text))} />`}
      </div>
      <${Check} label="Always pull the image" value=${container.forcePullImage === true || container.forcePullImage === "true"} set=${(/** @type {boolean} */ on) => put("forcePullImage", on)} />
      <${List}
        label="Volumes"
        items=${container.volumes ?? []}
        set=${(/** @type {any} */ list) => put("volumes", list)}
        make=${() => ({ hostPath: "", containerPath: "", mode: "RO" })}
        add="Add a volume"
        row=${(/** @type {any} */ item, /** @type {any} */ set, /** @type {number} */ index) => html`
          ${item.external
            ? html`<input class="mono" disabled title="an external volume: change it in the JSON" value=${item.external.name} aria-label="external volume ${index + 1}" />`
            : html`<input class="mono" aria-label="path on the host ${index + 1}" placeholder="path on the host" value=${item.hostPath ?? ""} onInput=${(/** @type {any} */ e) => set({ ...withKey(item, "hostPath", textOrNothing(e.target.value)) })} />`}
          <input class="mono" aria-label="path in the container ${index + 1}" placeholder="path in the container" value=${item.containerPath ?? ""} onInput=${(/** @type {any} */ e) => set({ ...item, containerPath: e.target.value })} />
          <select aria-label="mode ${index + 1}" value=${item.mode ?? ""} onChange=${(/** @type {any} */ e) => set({ ...withKey(item, "mode", textOrNothing(e.target.value)) })}>
            ${["", "RO", "RW"].map((each) => html`<option value=${each} selected=${each === String(item.mode ?? "").toUpperCase()}>${each || "mode"}</option>`)}
          </select>
        `}
      />
      <${List}
        label="Parameters"
        items=${container.parameters ?? []}
        set=${(/** @type {any} */ list) => put("parameters", list)}
        make=${() => ({ key: "", value: "" })}
        add="Add a parameter"
        row=${(/** @type {any} */ item, /** @type {any} */ set, /** @type {number} */ index) => html`
          <input class="mono" aria-label="parameter ${index + 1}" placeholder="memory-swap" value=${item.key ?? ""} onInput=${(/** @type {any} */ e) => set({ ...item, key: e.target.value })} />
          <input class="mono" aria-label="its value ${index + 1}" placeholder="1g" value=${item.value ?? ""} onInput=${(/** @type {any} */ e) => set({ ...item, value: e.target.value })} />
        `}
      />
      ${container.networkInfos?.length > 0 && html`<p class="hint">It has ${container.networkInfos.length} <code>networkInfos</code>, which stay as they are; the JSON shows them.</p>`}
    `}
  <//>`;
}

const FLAGS = /** @type {const} */ (["executable", "extract", "cache"]);

/** @param {{given: import("./form.js").Given}} props */
export function Fetch({ given: { draft, change, fault } }) {
  return html`<${Fold} title="Downloads" says=${(draft.fetch?.length ?? 0) + (draft.uris?.length ?? 0) > 0} wrong=${fault("fetch") !== null || fault("uris") !== null}>
    <${List}
      label="Fetched before it starts"
      name="fetch"
      items=${draft.fetch ?? []}
      set=${(/** @type {any} */ list) => change({ fetch: list })}
      problem=${fault("fetch") ?? fault("uris")}
      hint=${draft.uris?.length > 0 ? `And ${draft.uris.length} in the old field uris, which stay as they are; the JSON shows them.` : undefined}
      make=${() => ({ uri: "" })}
      add="Add an address"
      row=${(/** @type {any} */ item, /** @type {any} */ set, /** @type {number} */ index) => html`
        <input class="mono wide" aria-label="address ${index + 1}" placeholder="https://…" value=${item.uri ?? ""} onInput=${(/** @type {any} */ e) => set({ ...item, uri: e.target.value })} />
        <input class="mono" aria-label="name of the file ${index + 1}" placeholder="name of the file" value=${item.output_file ?? ""} onInput=${(/** @type {any} */ e) => set({ ...withKey(item, "output_file", textOrNothing(e.target.value)) })} />
        ${FLAGS.map((flag) => html`<label class="inline"><input type="checkbox" checked=${item[flag] === true} onChange=${(/** @type {any} */ e) => set({ ...item, [flag]: e.target.checked })} /> ${flag}</label>`)}
      `}
    />
  <//>`;
}
