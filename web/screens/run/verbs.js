/**
 * What can be done about a run as it stands, by the rules of the server; it decides again, because a run may have moved
 * on meanwhile. Pure.
 */

/**
 * @typedef {"kill" | "retry" | "retry-down" | "succeed" | "skip"} Verb
 * @typedef {{verb: Verb, label: string, does: string, danger: boolean}} Possible
 */

/**
 * @param {{state: string, verdict: string | null, attempts: {state: string}[]}} run
 * @returns {Possible[]}
 */
export function possible(run) {
  const tried = run.attempts.length > 0;
  const doubtful = run.state === "active" && run.attempts[run.attempts.length - 1]?.state === "unknown";
  const waits = run.state === "waiting" && tried;
  const over = run.state === "ended";
  /** @type {Possible[]} */
  const all = [];
  if (!over) {
    const ends = run.state !== "active";
    all.push({ verb: "kill", label: ends ? "End" : "Kill", does: ends ? "It is ended where it waits." : "Its command is asked to stop, and stopped after its grace period.", danger: true });
  }
  if (over || waits || doubtful) {
    all.push({ verb: "retry", label: waits ? "Retry now" : "Retry", does: retryDoes(over, waits), danger: doubtful });
    all.push({ verb: "retry-down", label: "Retry from here down", does: `${retryDoes(over, waits)} Then everything that followed from it comes again too.`, danger: false });
  }
  if (over ? run.verdict !== "succeeded" : run.state !== "active" || doubtful) {
    all.push({ verb: "succeed", label: "Mark succeeded", does: over ? "A success is recorded for what it stood for, and what waits for it goes on." : "It is counted as succeeded without being run, and what waits for it goes on.", danger: false });
  }
  if (!over && !tried && run.state !== "active" && run.state !== "reporting") {
    all.push({ verb: "skip", label: "Skip", does: "It is ended as skipped and not run.", danger: false });
  }
  return all;
}

/**
 * @param {boolean} over
 * @param {boolean} waits
 */
function retryDoes(over, waits) {
  if (over) return "Another run for the same instant, with the same arguments and variables.";
  if (waits) return "Its next attempt begins at once.";
  return "It is run again although nobody can say whether it still runs: its command may be executed twice.";
}

/**
 * What became of it, in words that follow the name of its job.
 * @param {{run: string, became: string, verdict: string | null}} answer
 */
export function became({ became: word, verdict }) {
  if (word === "stopping") return "it is being stopped";
  if (word === "ended") return `it has ended as ${verdict}`;
  if (word === "triedAgain") return "it is tried again";
  if (word === "followed") return "another run follows it";
  return word;
}

/**
 * How a command ended.
 * @param {{code?: number, signal?: number, killed?: boolean, couldNotStart?: string} | null} exit
 * @returns {{text: string, tone: string} | null} null when nobody can say
 */
export function exitOf(exit) {
  if (!exit) return null;
  if (exit.code !== undefined) return { text: String(exit.code), tone: exit.code === 0 ? "good" : "bad" };
  if (exit.signal !== undefined) return { text: `signal ${exit.signal}`, tone: "bad" };
  if (exit.killed) return { text: "killed", tone: "stopped" };
  return { text: `could not start: ${exit.couldNotStart}`, tone: "bad" };
}

/**
 * How much later than it could have started it did, and since when that is measured.
 * @param {{trigger: {kind: string, dueAt: string, opensAt: string | null, finishedAt: string | null}, createdAt: string,
 *   attempts: {startedAt: string | null}[]}} run
 * @returns {{from: string, to: string | null, since: string}}
 */
export function lateness(run) {
  const { kind, dueAt, opensAt, finishedAt } = run.trigger;
  const to = run.attempts[0]?.startedAt ?? null;
  if (kind === "schedule") return { from: opensAt ?? dueAt, to, since: opensAt && opensAt !== dueAt ? "after its start window opened" : "after it was due" };
  if (kind === "catchUp") return { from: dueAt, to, since: "after it was due" };
  if (kind === "parents") return { from: finishedAt ?? run.createdAt, to, since: "after its parents were ready" };
  return { from: run.createdAt, to, since: "after it was asked for" };
}
