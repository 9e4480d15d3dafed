/** Answers of a server that works for a cluster, for tests of the page alone. No Mesos is needed for what is drawn. */

const GIB = 1024;

/** @param {number} cpus @param {number} mem @param {number} ports */
const of = (cpus, mem, ports = 0) => ({ cpus, mem, disk: 40 * GIB, ports });

/** @param {object} given */
function agent(given) {
  return {
    name: "S0", hostname: "n1.example.org", problem: null, limited: true, runs: 0,
    cpus: { total: null, used: 0 }, mem: { total: null, used: 0 }, disk: { total: null, used: 0 }, ports: { total: null, used: 0 },
    attributes: [], offer: null, unavailableFrom: null, ...given,
  };
}

/** @param {object} given */
const offer = (given) => ({ offered: of(8, 32 * GIB, 500), left: of(2, 4 * GIB, 498), at: "2026-11-26T12:00:00Z", fate: "notWanted", runs: 0, job: null, run: null, reason: null, ...given });

export const FRAMEWORK = "3f7a2c1e-9b1d-4a52-8c0e-5d2a6f7b8c90-0003";
export const HOSTILE = "<img src=x onerror=alert(1)>";
const LONG = `batch-${"0123456789abcdef".repeat(7)}.example.org`;

/** @param {URLSearchParams} query */
export function agents(query) {
  const all = [
    agent({
      hostname: "n1.example.org", name: "3f7a2c1e-9b1d-4a52-8c0e-5d2a6f7b8c90-S0", runs: 3, cpus: { total: null, used: 6 }, mem: { total: null, used: 28 * GIB },
      ports: { total: null, used: 2 }, attributes: [{ name: "rack", kind: "text", value: "r-1" }, { name: "ssd", kind: "text", value: "yes" }, { name: "weight", kind: "scalar", value: 1.5 }],
      offer: offer({ fate: "used", runs: 2 }),
    }),
    agent({
      hostname: "n2.example.org", name: "3f7a2c1e-9b1d-4a52-8c0e-5d2a6f7b8c90-S1", attributes: [{ name: "rack", kind: "text", value: "r-2" }, { name: "zones", kind: "set", value: ["a", "b"] }, { name: "slots", kind: "ranges", value: null }],
      offer: offer({ fate: "nothingFits", job: "ml.train", run: "j7-s1764158400000", reason: "needs 16 cpus, it offers 2" }),
    }),
    agent({ hostname: "n3.example.org", name: "3f7a2c1e-9b1d-4a52-8c0e-5d2a6f7b8c90-S2", runs: 1, cpus: { total: null, used: 0.5 }, offer: offer({}), unavailableFrom: "2026-11-28T02:00:00Z" }),
    agent({ hostname: LONG, name: "3f7a2c1e-9b1d-4a52-8c0e-5d2a6f7b8c90-S3", attributes: [{ name: HOSTILE, kind: "text", value: HOSTILE }], offer: offer({ fate: "nothingFits" }) }),
    agent({ hostname: "n5.example.org", name: "3f7a2c1e-9b1d-4a52-8c0e-5d2a6f7b8c90-S4", runs: 1, cpus: { total: null, used: 1 }, problem: "it offers nothing at the moment" }),
    ...Array.from({ length: 5 }, (_, index) => agent({ hostname: `spare${index}.example.org`, name: `S1${index}`, offer: offer({ fate: "open", at: null }) })),
  ];
  const words = (query.get("search") ?? "").toLowerCase().split(" ").filter(Boolean);
  const found = all.filter((each) => words.every((word) => JSON.stringify(each).toLowerCase().includes(word)));
  return { total: found.length, agents: found.slice(0, Number(query.get("limit") ?? 200)), launcher: "mesos", problem: null, framework: FRAMEWORK, master: "zk://zk1:2181,zk2:2181,zk3:2181/mesos", leader: "n0:4400" };
}

export const shortfall = {
  agents: 10, waiting: 7, runs: 4, missing: of(48.5, 200 * GIB, 2), problem: null,
  wants: [
    { resources: of(16, 64 * GIB), constraints: [["rack", "LIKE", "r-[12]"], ["hostname", "UNIQUE", ""]], runs: 3, jobs: ["ml.train", HOSTILE], unmet: null, largest: "S0", lacking: of(14, 60 * GIB), text: "n1.example.org, which comes closest: needs 16 cpus, it offers 2" },
    { resources: of(0.5, 128), constraints: [["gpu", "EQUALS", "a100"]], runs: 1, jobs: ["ml.report"], unmet: ["gpu", "EQUALS", "a100"], largest: null, lacking: of(0, 0), text: "gpu EQUALS a100 matches no agent" },
  ],
};

export const NOTHING_MISSING = { agents: 10, waiting: 0, runs: 0, missing: of(0, 0), wants: [], problem: null };

/** What a run that waits is told. */
export const explained = {
  reasons: [
    { code: "scheduled", text: "the schedule named 2026-11-26T12:00:00.000Z" },
    { code: "noRoom", text: "no agent has room for it: n1.example.org has free only 2.0 cpus of the 16.0 wanted" },
    { code: "misfit", text: "n1.example.org: needs 16 cpus, it offers 2" },
    { code: "moreMisfits", text: "it fits on none of 240 further agents either" },
  ],
  agents: [
    { agent: "3f7a2c1e-9b1d-4a52-8c0e-5d2a6f7b8c90-S0", hostname: "n1.example.org", reason: "needs 16 cpus, it offers 2" },
    { agent: "3f7a2c1e-9b1d-4a52-8c0e-5d2a6f7b8c90-S3", hostname: LONG, reason: "rack LIKE r-[12] asks for `rack`, which it does not have" },
    { agent: "S9", hostname: HOSTILE, reason: "it is to be out of service from 2026-11-28T02:00:00.000Z on, and the run might still be going on then" },
  ],
  agentsLeftOut: 237,
};

/** @param {string} path */
export function files(path) {
  const file = (/** @type {string} */ name, size = 0) => ({ path: path ? `${path}/${name}` : name, directory: size === 0, size, modifiedAt: "2026-11-26T12:01:00Z", owner: "nobody", mode: size === 0 ? "drwxr-xr-x" : "-rw-r--r--" });
  return path ? [file("deep.txt", 9)] : [file("logs"), file("report.csv", 2_345_678), file(`${HOSTILE}.html`, 31), file("stderr", 12), file("stdout", 900)];
}

/**
 * Has the page see a cluster where the server under it runs commands itself.
 * @param {import("playwright-core").Page} page
 * @param {{shortfall?: object, run?: string, gone?: {status: number, message: string, code: string}}} [options] `run` is one that was tried elsewhere
 */
export async function asCluster(page, options = {}) {
  const json = (/** @type {any} */ route, /** @type {any} */ body, status = 200) => route.fulfill({ status, contentType: "application/json", body: JSON.stringify(body) });
  const changed = (/** @type {string} */ path, /** @type {(body: any) => void} */ change) =>
    page.route(path, async (route) => {
      const answer = await route.fetch();
      const body = await answer.json();
      change(body);
      await json(route, body, answer.status());
    });
  await page.route("**/scheduler/agents*", (route) => json(route, agents(new URL(route.request().url()).searchParams)));
  await page.route("**/scheduler/shortfall", (route) => json(route, options.shortfall ?? shortfall));
  await changed("**/scheduler/info", (info) => {
    info.launcher = { kind: "mesos", state: "connected", problem: null, framework: FRAMEWORK, master: "zk://zk1:2181,zk2:2181,zk3:2181/mesos" };
  });
  const { run } = options;
  if (!run) return;
  await changed(`**/scheduler/run/${run}`, (shown) => {
    for (const attempt of shown.attempts) Object.assign(attempt, { agent: "3f7a2c1e-9b1d-4a52-8c0e-5d2a6f7b8c90-S0", hostname: "n1.example.org", hasSandbox: true });
  });
  await changed(`**/scheduler/run/${run}/explain`, (shown) => Object.assign(shown, explained));
  await page.route(`**/scheduler/run/${run}/files*`, (route) => {
    const query = new URL(route.request().url()).searchParams;
    const path = query.get("path") ?? "";
    if (options.gone) return json(route, options.gone, options.gone.status);
    return json(route, { run, attempt: Number(query.get("attempt")), path, files: files(path) });
  });
  await page.route(`**/scheduler/run/${run}/file?*`, (route) => route.fulfill({ contentType: "application/octet-stream", body: `the bytes of ${new URL(route.request().url()).searchParams.get("path")}` }));
  if (options.gone) await page.route(`**/scheduler/run/${run}/std*`, (route) => json(route, options.gone, options.gone?.status));
}
