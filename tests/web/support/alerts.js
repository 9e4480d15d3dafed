/** Answers of a server that tells people of what happens, for tests of the page alone. Nothing is sent to anybody. */

export const HOSTILE = "<img src=x onerror=alert(1)>";
export const LONG = `nightly.${"0123456789abcdef".repeat(7)}.load.x`;

const MINUTE = 60_000;
const ago = (/** @type {number} */ minutes) => new Date(Date.now() - minutes * MINUTE).toISOString();

/** @param {object} given */
export function alert(given) {
  return { id: "a1", kind: "failed", at: ago(4), job: "billing.report", owner: "billing@example.org", runbook: "", run: "j7-s1764158400000", dueAt: ago(5), taskId: "ct:1764158400000:0:billing.report:", exit: { code: 4 }, backfill: null, reason: "the command ended with exit code 4 on n1.example.org", retryAt: null, nextDueAt: null, ...given };
}

/** @param {any} given */
export function incident(given) {
  const job = given.key?.job ?? "billing.report";
  return {
    id: "i1", key: { job }, kind: "failed", state: "open", openedAt: ago(180), lastAt: ago(4), closedAt: null, alerts: 1, untold: 0, jobs: [job], jobsLeftOut: 0,
    told: [{ channel: "mail", recipient: "billing@example.org" }], toldAt: ago(4), acknowledged: null, silence: null, latest: [alert({ job, kind: given.kind ?? "failed" })], ...given,
  };
}

/** @param {object} given */
export function notification(given) {
  return { id: "n1", channel: "mail", recipient: "billing@example.org", kind: "alert", incident: "i1", alerts: 1, leftOut: 0, jobs: ["billing.report"], jobsLeftOut: 0, state: "delivered", madeAt: ago(4), until: null, nextTryAt: null, deliveredAt: ago(4), givenUpAt: null, tries: 1, problem: "", ...given };
}

/** What is wrong at the beginning of each test. */
export function incidents() {
  return [
    incident({ id: "i9", key: { job: "stock.import" }, kind: "lateStart", lastAt: ago(1), openedAt: ago(1), latest: [alert({ id: "a90", kind: "lateStart", job: "stock.import", run: null, reason: "it should have started by 2026-11-26T12:00:00Z, and waits for room" })] }),
    incident({
      id: "i8", alerts: 12, untold: 3, told: [{ channel: "mail", recipient: "billing@example.org" }, { channel: "slack", recipient: "" }],
      latest: [alert({ id: "a80", at: ago(9) }), alert({ id: "a81", reason: "attempt 2 of 3: no figures for France", retryAt: ago(-3), nextDueAt: ago(-120), runbook: "https://wiki.example.org/billing", backfill: "b3" }), alert({ id: "a82", reason: `it printed ${HOSTILE}`, runbook: "javascript:alert(1)" })],
    }),
    incident({ id: "i7", key: { cause: "agent 3f7a2c1e-9b1d-4a52-8c0e-5d2a6f7b8c90-S1" }, alerts: 40, lastAt: ago(20), jobs: Array.from({ length: 20 }, (_, index) => `etl.part${index}`), jobsLeftOut: 17, latest: [alert({ id: "a70", job: "etl.part0", reason: "the agent was lost while it ran" })] }),
    incident({ id: "i6", key: { cause: "channel hook" }, kind: "channelTrouble", jobs: [], told: [], toldAt: null, lastAt: ago(40), latest: [alert({ id: "a60", kind: "channelTrouble", job: null, run: null, reason: "https://hooks.example.org answered 503 three times" })] }),
    incident({ id: "i5", key: { job: LONG }, kind: "overlong", state: "acknowledged", acknowledged: { by: "ada", at: ago(30), reason: HOSTILE } }),
    incident({ id: "i4", key: { job: "mirror.sync" }, kind: "missed", state: "silenced", silence: { until: ago(-300), by: "grace", at: ago(60), reason: "the other site is being moved" } }),
    incident({ id: "i3", key: { job: "backup.database" }, state: "closed", closedAt: ago(90) }),
  ];
}

/** Newest first. */
export function notifications() {
  return [
    notification({ id: "n9", state: "held", kind: "digest", incident: null, alerts: 1000, leftOut: 37, jobs: ["etl.part0", "etl.part1", "etl.part2", "etl.part3"], jobsLeftOut: 16, recipient: "etl@example.org", until: ago(-6), deliveredAt: null, tries: 0 }),
    notification({ id: "n8", state: "due", channel: "hook", recipient: "", incident: "i6", jobs: [], tries: 4, nextTryAt: ago(-2), deliveredAt: null, problem: "https://hooks.example.org answered 503" }),
    notification({ id: "n7", state: "givenUp", recipient: `"${HOSTILE}"@example.org`, jobs: [LONG], tries: 1, deliveredAt: null, givenUpAt: ago(3), problem: "550 5.1.1 no such user" }),
    notification({ id: "n6", incident: "i8", kind: "reminder", alerts: 9 }),
    notification({ id: "n5", incident: "i3", kind: "recovery", jobs: ["backup.database"] }),
  ];
}

/** @returns {any[]} */
export function channels() {
  return [
    { name: "mail", kind: "mail", to: "smtp.example.org:587", problem: null, failingSince: null, due: 0 },
    { name: "hook", kind: "webhook", to: `https://hooks.example.org/${"0123456789".repeat(10)}`, problem: "https://hooks.example.org answered 503 three times", failingSince: ago(40), due: 1 },
    { name: "pager", kind: "command", to: "/usr/local/bin/page --who oncall", problem: null, failingSince: null, due: 0 },
  ];
}

/** @param {any[]} all newest first @param {URLSearchParams} query */
function paged(all, query) {
  const from = query.has("before") ? all.findIndex(({ id }) => id === query.get("before")) + 1 : 0;
  const rows = all.slice(from, from + Number(query.get("limit") ?? 50));
  return { total: all.length, next: from + rows.length < all.length ? rows[rows.length - 1].id : null, rows };
}

/** How long a silence is that is asked for as this page does. */
const HOURS = /^PT(\d+)H$/;

/** @param {any[]} all @param {string[]} states */
const amounts = (all, states) => Object.fromEntries(states.map((state) => [state, all.filter((each) => each.state === state).length]));

/**
 * Has the page see a server that has incidents, notifications and channels where the server under it has none.
 * @param {import("playwright-core").Page} page
 * @param {{incidents?: any[], notifications?: any[], channels?: any[], tested?: any, scoped?: boolean}} [given] `scoped`: who asks sees a part of the jobs, and no numbers of all
 * @returns {Promise<{asked: {method: string, path: string, body: any}[], incidents: any[]}>} what was asked for, changes alone; and what there is
 */
export async function asTelling(page, given = {}) {
  const known = { incidents: given.incidents ?? incidents(), notifications: given.notifications ?? notifications(), channels: given.channels ?? channels() };
  /** @type {{method: string, path: string, body: any}[]} */
  const asked = [];
  const json = (/** @type {any} */ route, /** @type {any} */ body, status = 200) => route.fulfill({ status, contentType: "application/json", body: JSON.stringify(body) });
  /** @type {Map<string, any>} */
  const silences = new Map();
  const missing = (/** @type {any} */ route, /** @type {string} */ kind, /** @type {string} */ id) =>
    json(route, { message: `${kind} \`${id}\` not found`, status: "Not Found", code: `unknown_${kind}`, field: "", remedy: `\`${kind}s\` lists those that are kept`, requestId: "1" }, 404);
  const tally = (/** @type {any[]} */ all, /** @type {string[]} */ states) => (given.scoped ? null : amounts(all, states));
  const by = (/** @type {any} */ request) => ({ by: "you", at: new Date().toISOString(), reason: request.postDataJSON().reason ?? "" });
  /** What a request for silence wants; nothing if that would be over. */
  const silenceOf = (/** @type {any} */ request) => {
    const { until, for: length } = request.postDataJSON();
    const end = until ?? ago(-60 * Number(HOURS.exec(length)?.[1]));
    return Date.parse(end) > Date.now() ? { ...by(request), until: end } : null;
  };
  const over = (/** @type {any} */ route, /** @type {any} */ request) =>
    json(route, { message: `\`until\` is ${request.postDataJSON().until}, which is over`, status: "Bad Request", code: "invalid_field", field: "until", remedy: "give an instant to come", requestId: "1" }, 400);
  const handle = (/** @type {any} */ route) => {
    const request = route.request();
    const url = new URL(request.url());
    const path = url.pathname.replace(/^.*\/scheduler\//, "");
    const query = url.searchParams;
    const method = request.method();
    if (method !== "GET") asked.push({ method, path, body: request.postDataJSON() });
    const [kind, id, verb] = path.split("/");
    if (kind === "incidents") {
      const of = known.incidents.filter(({ jobs }) => !query.get("job") || jobs.includes(query.get("job")));
      const state = query.get("state");
      const { rows, ...rest } = paged(of.filter((each) => state === "all" || (each.state === "closed") === (state === "closed")), query);
      const counts = amounts(of, ["open", "acknowledged", "silenced", "closed"]);
      const silence = query.get("job") ? { silence: silences.get(query.get("job") ?? "") ?? null } : {};
      return json(route, { ...rest, ...(given.scoped ? { total: null, counts: { ...counts, closed: null } } : { counts }), incidents: rows, ...silence });
    }
    if (kind === "notifications") {
      const of = known.notifications.filter(({ channel }) => !query.get("channel") || channel === query.get("channel"));
      const state = query.get("state");
      const fits = (/** @type {any} */ each) => state === "all" || (state === "pending" ? ["held", "due"].includes(each.state) : each.state === state);
      const { rows, ...rest } = paged(of.filter(fits), query);
      return json(route, { ...rest, ...(given.scoped && { total: null }), counts: tally(of, ["held", "due", "delivered", "givenUp"]), notifications: rows });
    }
    if (kind === "incident") {
      const found = known.incidents.find((each) => each.id === id);
      if (!found) return missing(route, kind, id);
      if (verb === "acknowledge") Object.assign(found, { state: "acknowledged", acknowledged: by(request), untold: 0 });
      if (verb === "silence") {
        const silence = silenceOf(request);
        if (!silence) return over(route, request);
        Object.assign(found, { state: found.acknowledged ? "acknowledged" : "silenced", silence });
      }
      if (verb === "unsilence") Object.assign(found, { state: found.acknowledged ? "acknowledged" : "open", silence: null });
      return json(route, { ...found, notifications: known.notifications.filter((each) => each.incident === id) });
    }
    if (kind === "silence" || kind === "unsilence") {
      const { job } = request.postDataJSON();
      const silence = kind === "silence" ? silenceOf(request) : null;
      if (kind === "silence" && !silence) return over(route, request);
      silences.set(job, silence);
      return json(route, { job, silence });
    }
    if (kind === "notification") {
      const found = known.notifications.find((each) => each.id === id);
      if (!found) return missing(route, kind, id);
      Object.assign(found, { state: "due", nextTryAt: new Date().toISOString(), givenUpAt: null });
      return json(route, found);
    }
    if (method === "POST") return json(route, given.tested ?? { results: [{ channel: request.postDataJSON().channel, recipient: request.postDataJSON().recipient ?? "", arrived: true, said: "250 2.0.0 Ok", problem: null }] });
    return json(route, { channels: known.channels });
  };
  await page.route(/\/scheduler\/(incidents?|notifications?|channels|silence|unsilence)([/?]|$)/, handle);
  return { asked, incidents: known.incidents };
}
