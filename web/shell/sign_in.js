/** Asked for when the server wants to know who it is. */

import { html, useState } from "../vendor/preact.js";
import { get } from "../data/http.js";
import { signInWithPassword, signInWithToken, signOut } from "../data/session.js";

/**
 * @param {{done: () => void}} props
 */
export function SignIn({ done }) {
  const [name, setName] = useState("");
  const [secret, setSecret] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);

  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    // A header holds nothing else, so no server has ever given such a one.
    if (!name && /[^!-~]/.test(secret.trim())) return setProblem("a token has Latin letters, digits and signs alone, and no space: was it copied whole?");
    setBusy(true);
    setProblem("");
    if (name) signInWithPassword(name, secret);
    else signInWithToken(secret.trim());
    try {
      await get("me");
      done();
    } catch (error) {
      signOut();
      setProblem(error instanceof Error ? error.message : String(error));
    }
    return setBusy(false);
  };

  return html`<main class="sign-in">
    <form onSubmit=${submit}>
      <h1>Chronode</h1>
      <p>This server wants to know who you are.</p>
      <label>Name <input value=${name} autocomplete="username" autofocus onInput=${(/** @type {any} */ e) => setName(e.target.value)} /></label>
      <label
        >Password or token
        <input type="password" value=${secret} autocomplete="current-password" required onInput=${(/** @type {any} */ e) => setSecret(e.target.value)}
      /></label>
      <p class="hint">With a token alone, leave the name empty. Both are kept for this tab only.</p>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <button class="primary" disabled=${busy}>Sign in</button>
    </form>
  </main>`;
}
