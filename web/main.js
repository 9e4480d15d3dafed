/** The page: who is asked for, then the screen that the address names. */

import { html, render, useEffect, useState } from "./vendor/preact.js";
import { get, onCredentialsRefused } from "./data/http.js";
import { MeContext } from "./data/me.js";
import { theme } from "./data/preferences.js";
import { startStream } from "./data/stream.js";
import { Questions } from "./parts/dialog.js";
import { Empty, Loading, ProblemBox } from "./parts/problem.js";
import { Frame } from "./shell/frame.js";
import { Notices } from "./shell/notices.js";
import { useRoute } from "./shell/route.js";
import { SignIn } from "./shell/sign_in.js";

/**
 * The screens by the first part of the address; each is loaded when it is first looked at.
 * @type {Record<string, () => Promise<{default: any}>>}
 */
const SCREENS = {
  "": () => import("./screens/now.js"),
  now: () => import("./screens/now.js"),
  jobs: () => import("./screens/jobs/screen.js"),
  job: () => import("./screens/job/screen.js"),
  run: () => import("./screens/run/screen.js"),
  graph: () => import("./screens/graph/screen.js"),
  timeline: () => import("./screens/timeline.js"),
  history: () => import("./screens/history.js"),
  forecast: () => import("./screens/forecast.js"),
  backfill: () => import("./screens/backfill.js"),
  alerts: () => import("./screens/alerts.js"),
  cluster: () => import("./screens/cluster.js"),
  audit: () => import("./screens/audit.js"),
  new: () => import("./screens/edit/screen.js"),
  edit: () => import("./screens/edit/screen.js"),
};

function App() {
  const [me, setMe] = useState(/** @type {import("./data/me.js").Me | null} */ (null));
  const [refused, setRefused] = useState(false);
  const [problem, setProblem] = useState(/** @type {Error | null} */ (null));

  const begin = async () => {
    try {
      setMe(await get("me"));
      setRefused(false);
      setProblem(null);
      startStream();
    } catch (error) {
      const known = /** @type {import("./data/http.js").Problem} */ (error);
      if (known.status !== 401) {
        setProblem(known);
        setTimeout(begin, 2_000);
      }
    }
  };
  useEffect(() => {
    const stop = onCredentialsRefused(() => setRefused(true));
    void begin();
    return stop;
  }, []);
  useEffect(() => {
    const paint = (/** @type {string} */ chosen) => {
      document.documentElement.dataset.theme = chosen;
    };
    paint(theme.get());
    return theme.watch(paint);
  }, []);

  if (refused) return html`<${SignIn} done=${begin} />`;
  if (!me) return html`<main class="boot"><${ProblemBox} problem=${problem} /></main>`;
  return html`<${MeContext.Provider} value=${me}><${Screen} me=${me} /><${Questions} /><${Notices} /><//>`;
}

/** @param {{me: import("./data/me.js").Me}} props */
function Screen({ me }) {
  const route = useRoute();
  const name = route.path[0] ?? "";
  const [loaded, setLoaded] = useState(/** @type {Record<string, any>} */ ({}));
  const [problem, setProblem] = useState(/** @type {Error | null} */ (null));
  const load = SCREENS[name];

  useEffect(() => {
    setProblem(null);
    if (!load || loaded[name]) return;
    load().then(
      (module) => setLoaded((known) => ({ ...known, [name]: module.default })),
      () => setProblem(new Error("this part of the page is no longer there: the server has another version")),
    );
  }, [name]);
  useEffect(() => {
    document.title = `${route.path.length > 1 ? route.path.slice(1).join(" ") : name || "now"} – Chronode`;
  }, [route.path.join("/")]);

  const Shown = loaded[name];
  let content;
  if (!load) content = html`<${Empty} title="There is no such page">Go to <a href="#/now">what happens now</a>.<//>`;
  else if (problem) content = html`<${ProblemBox} problem=${problem} retry=${() => location.reload()} />`;
  else if (!Shown) content = html`<${Loading} />`;
  else content = html`<${Shown} key=${route.path.join("/")} route=${route} me=${me} />`;
  return html`<${Frame} screen=${name} me=${me}>${content}<//>`;
}

const root = document.getElementById("app");
if (root) {
  root.textContent = "";
  render(html`<${App} />`, root);
}
