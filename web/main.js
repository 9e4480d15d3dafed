/** The page: who is asked for, then the screen that the address names. */

import { html, render, useEffect, useErrorBoundary, useRef, useState } from "./vendor/preact.js";
import { get, onCredentialsRefused, Problem } from "./data/http.js";
import { MeContext } from "./data/me.js";
import { colours } from "./data/preferences.js";
import { retrying, startStream } from "./data/stream.js";
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
  alerts: () => import("./screens/alerts/screen.js"),
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
    const paint = () => {
      document.documentElement.dataset.theme = colours.get();
    };
    paint();
    return colours.watch(paint);
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
    if (!load || loaded[name]) return undefined;
    let over = false;
    const attempt = async () => {
      try {
        const module = await load();
        setLoaded((known) => ({ ...known, [name]: module.default }));
        retry.told(null);
        if (!over) setProblem(null);
      } catch {
        const found = await whyNot();
        if (over) return;
        setProblem(found);
        retry.told(found);
      }
    };
    const retry = retrying(() => void attempt());
    void attempt();
    return () => {
      over = true;
      retry.stop();
    };
  }, [name]);
  const path = route.path.join("/");
  const before = useRef(path);
  useEffect(() => {
    document.title = `${route.path.length > 1 ? route.path.slice(1).join(" ") : name || "now"} – Chronode`;
    // What had the focus went with the page before, or led here.
    const content = document.getElementById("content");
    if (before.current !== path && !content?.contains(document.activeElement)) content?.focus();
    before.current = path;
  }, [path]);

  const Shown = loaded[name];
  let content;
  if (!load) content = html`<${Empty} title="There is no such page">Go to <a href="#/now">what happens now</a>.<//>`;
  else if (problem) content = html`<${ProblemBox} problem=${problem} retry=${() => location.reload()} />`;
  else if (!Shown) content = html`<${Loading} />`;
  else content = html`<${Guarded} key=${path}><${Shown} route=${route} me=${me} /><//>`;
  return html`<${Frame} screen=${name} me=${me}>${content}<//>`;
}

/** A fault of one screen leaves the others within reach. @param {{children?: any}} props */
function Guarded({ children }) {
  const [fault] = useErrorBoundary((/** @type {unknown} */ error) => console.error(error));
  if (!fault) return children;
  const problem = Object.assign(new Error("this screen cannot be shown, by a fault of the page"), { remedy: String(fault) });
  return html`<${ProblemBox} problem=${problem} retry=${() => location.reload()} />`;
}

/** Why a part of the page could not be had: the server has files of another version, or it did not answer. */
async function whyNot() {
  const index = await fetch("./", { cache: "no-store" }).then((answer) => answer.text(), () => "");
  const own = document.querySelector("script[type=module]")?.getAttribute("src") ?? "";
  if (index.includes("main.js") && !index.includes(own)) return new Error("the server has another version of this page: load it anew");
  return new Problem(0, { message: "this part of the page could not be loaded", remedy: "the page tries again by itself" });
}

const root = document.getElementById("app");
if (root) {
  root.textContent = "";
  render(html`<${App} />`, root);
}
