/**
 * A real `chronode serve` for tests of the page: on a free port, with a data directory of its own, ended with the test.
 * Nothing here sleeps to be right: every wait is for a condition, with a time-out that only a failure reaches.
 */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));
const PROGRAM = process.env.CHRONODE_PROGRAM ?? join(REPOSITORY, "target/debug/chronode");

/** The program under test: the one built with the other tests, or another one for figures that are to be published. */
export const program = () => PROGRAM;

/** Longer than anything takes on the slowest machine. */
export const PATIENCE_MS = 60_000;

/**
 * Waits until `condition` gives something.
 * @template T
 * @param {string} what
 * @param {() => Promise<T | null | undefined | false> | T | null | undefined | false} condition
 * @returns {Promise<T>}
 */
export async function until(what, condition) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited too long for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export class Server {
  /**
   * @param {{args?: string[], data?: string, port?: number, authorization?: string}} [options]
   * @returns {Promise<Server>}
   */
  static async start(options = {}) {
    const data = options.data ?? mkdtempSync(join(tmpdir(), "chronode-page-"));
    const args = ["serve", ...(process.env.CHRONODE_WEB_DIR ? ["--web_dir", process.env.CHRONODE_WEB_DIR] : []), "--data", data, "--http_port", String(options.port ?? 0), ...(options.args ?? [])];
    const child = spawn(PROGRAM, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, TZ: "UTC" } });
    let log = "";
    child.stderr.on("data", (piece) => (log = (log + piece).slice(-20_000)));
    let banner = "";
    child.stdout.on("data", (piece) => (banner += piece));
    const ended = new Promise((resolve) => child.on("exit", resolve));
    const url = await until("the server to listen", () => {
      if (child.exitCode !== null) throw new Error(`the server did not start: ${log}`);
      return /listening on (\S+)\n[^]* {2}next /.exec(banner)?.[1];
    });
    return new Server(child, ended, url, data, options);
  }

  /** @private */
  constructor(child, ended, url, data, options) {
    this.child = child;
    this.ended = ended;
    this.url = url;
    this.data = data;
    this.options = options;
  }

  /** As `kill -9` does. */
  async kill() {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  /** The same data on the same port, as after a restart of the service. */
  async again() {
    return Server.start({ ...this.options, data: this.data, port: Number(new URL(this.url).port) });
  }

  /** Ends it, with its commands, which would outlive it, and removes what it has kept. */
  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      await this.ask("POST", "/scheduler/pause", { everything: true });
      await until("its commands to end", async () => {
        const { runs } = await this.get("runs?live=true&limit=1000");
        for (const run of runs) await this.ask("POST", `/scheduler/run/${run.id}/kill`).catch(() => {});
        return runs.length === 0;
      });
      this.child.kill("SIGTERM");
    }
    await this.ended;
    rmSync(this.data, { recursive: true, force: true });
  }

  /**
   * Any request, which must succeed.
   * @returns {Promise<any>}
   */
  async ask(method, path, body) {
    const headers = {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (this.options.authorization) headers.Authorization = this.options.authorization;
    const init = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
    const response = await fetch(this.url + path, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }

  get(path) {
    return this.ask("GET", `/scheduler/${path}`);
  }

  /** Stores a job; one that nothing triggers is due in 2099. */
  put(job) {
    const kind = job.parents ? "dependency" : "iso8601";
    const timed = job.parents ? job : { schedule: "R/2099-01-01T00:00:00Z/P1D", ...job };
    return this.ask("POST", `/scheduler/${kind}`, timed);
  }

  /** Runs a job; its run's id. */
  async run(job) {
    return (await this.ask("POST", "/scheduler/runs", { job })).run;
  }

  /** Waits until a run is over. */
  over(run) {
    return until(`${run} to be over`, async () => {
      const found = await this.get(`run/${encodeURIComponent(run)}`);
      return found.state === "ended" ? found : null;
    });
  }
}
