/** What a job says, apart from what is counted of it: what is edited, compared, duplicated and stored. Pure. */

/**
 * @typedef {Record<string, any>} Definition a job as the API has it; fields that this page does not know stay in it
 */

/** What the server says beside the definition. It is nobody's to change. */
const TOLD = [
  "successCount", "errorCount", "errorsSinceLastSuccess", "lastSuccess", "lastError", "nextDue", "remaining", "waitsFor", "revision",
];

/**
 * A job as it may be sent back.
 * @param {Record<string, any>} job
 * @returns {Definition}
 */
export function definition(job) {
  return Object.fromEntries(Object.entries(job).filter(([key]) => !TOLD.includes(key)));
}

/**
 * @typedef {"schedule" | "cron" | "dependent"} Kind
 */

/** Begins like an interval: `R/…` or `R5/…`. */
const INTERVAL = /^R\d*\//;

/**
 * @param {Definition} job
 * @returns {Kind}
 */
export function kindOf(job) {
  if ("parents" in job) return "dependent";
  return INTERVAL.test(String(job.schedule ?? "")) ? "schedule" : "cron";
}

/**
 * Where a definition is stored. `iso8601` takes every schedule; `cron` is asked only for what can be nothing else, so that
 * its refusals speak of cron.
 * @param {Definition} job
 */
export function pathOf(job) {
  return { schedule: "iso8601", cron: "cron", dependent: "dependency" }[kindOf(job)];
}

/**
 * What is sent for a draft. Three fields keep their stored value where a body says nothing of them, so taking them away is
 * said in words.
 * @param {Definition} draft
 * @param {Definition | null} stored
 * @returns {Definition}
 */
export function body(draft, stored) {
  const sent = { ...draft };
  if (stored?.timeout && sent.timeout === undefined && sent.maxCompletionTime === undefined) sent.timeout = "PT0S";
  if (stored?.shadow && sent.shadow === undefined) sent.shadow = false;
  if (stored?.overlap && sent.overlap === undefined && sent.concurrent === undefined) sent.overlap = "skip";
  // The server keeps such a value, and with it that it is a secret.
  const isSecret = (/** @type {any} */ one) => stored?.environmentVariables?.some((/** @type {any} */ each) => each.secret && each.name === one.name);
  if (Array.isArray(sent.environmentVariables)) {
    sent.environmentVariables = sent.environmentVariables.map((each) => (each?.value === "***" && isSecret(each) ? { ...each, secret: true } : each));
  }
  return sent;
}

/**
 * A draft of another job that is the same but for its name. Values of secrets are not known here, and only the job they
 * belong to can keep them: they are left empty.
 * @param {Definition} job
 * @param {string} name
 * @returns {{draft: Definition, secrets: string[]}} `secrets` are the names of variables to be given anew
 */
export function duplicate(job, name) {
  /** @type {string[]} */
  const secrets = [];
  /** @type {Definition} */
  const draft = { ...job, name };
  if (Array.isArray(job.environmentVariables)) {
    draft.environmentVariables = job.environmentVariables.map((/** @type {any} */ variable) => {
      if (!variable.secret) return variable;
      secrets.push(variable.name);
      return { ...variable, value: "" };
    });
  }
  return { draft, secrets };
}

/**
 * A new job.
 * @param {Kind} kind
 * @returns {Definition}
 */
export function blank(kind) {
  if (kind === "dependent") return { name: "", command: "", parents: [] };
  return { name: "", command: "", schedule: kind === "cron" ? "0 2 * * *" : "R//PT1H", scheduleTimeZone: "" };
}

/**
 * What a draft said last as each kind.
 * @typedef {{zone?: string} & {[kind in Kind]?: Record<string, any>}} Said
 */

/**
 * The same draft as another kind: what only the kind before has goes, what was said as this kind comes back, all else stays.
 * @param {Definition} draft
 * @param {Kind} kind
 * @param {string} begin where an interval begins, an instant
 * @param {Said} [said] is kept up to date
 * @returns {Definition}
 */
export function turnInto(draft, kind, begin, said = {}) {
  const before = kindOf(draft);
  if (before === kind) return draft;
  const turned = { ...draft };
  /** @type {Record<string, any>} */
  const own = {};
  for (const field of before === "dependent" ? ["parents", "triggerRule", "join"] : ["schedule"]) {
    if (field in turned) own[field] = turned[field];
    delete turned[field];
  }
  said[before] = own;
  if (kind === "dependent") {
    said.zone = turned.scheduleTimeZone;
    delete turned.scheduleTimeZone;
    return { ...turned, parents: [], ...said[kind] };
  }
  const zone = draft.scheduleTimeZone ?? said.zone ?? "";
  return { ...turned, schedule: kind === "cron" ? "0 2 * * *" : `R/${begin}/PT1H`, scheduleTimeZone: zone, ...said[kind] };
}

/**
 * Two people changed one definition: what one of them changed, on top of what the other stored. Field by field of the
 * first level, because what is inside of one field belongs together.
 * @param {Definition} base what both began with
 * @param {Definition} mine
 * @param {Definition} theirs
 * @returns {{merged: Definition, conflicts: string[]}} `conflicts` are fields that both changed, differently; mine is kept
 */
export function rebase(base, mine, theirs) {
  const merged = { ...theirs };
  /** @type {string[]} */
  const conflicts = [];
  for (const field of new Set([...Object.keys(base), ...Object.keys(mine)])) {
    if (same(base[field], mine[field])) continue;
    if (!same(base[field], theirs[field]) && !same(mine[field], theirs[field])) conflicts.push(field);
    if (field in mine) merged[field] = mine[field];
    else delete merged[field];
  }
  return { merged, conflicts };
}

/**
 * Whether two values of JSON say the same; the order of keys says nothing.
 * @param {any} one
 * @param {any} other
 * @returns {boolean}
 */
export function same(one, other) {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => key in other && same(one[key], other[key]));
}
