"""Drives a running scheduler through chronos-python and prints what was called, what went over the wire, and what came back.

    chronos_python.py calls HOST:PORT 0|v1           every call there is, also with mistakes
    chronos_python.py credentials HOST:PORT 0|v1     with right, wrong and no credentials, from the environment
    chronos_python.py scenario HOST:PORT 0|v1 NAME   one scenario of the client's own suite, against an empty server

The client itself is not changed: what is recorded is each exchange of httplib2, which the client uses. A version of the
API is driven by a process of its own, because the client's list of required fields is shared by all its objects.
"""

import json
import logging
import os
import re
import socket
import sys
import time

import chronos
import httplib2

# Longer than anything takes on the slowest machine; only a failing test waits this long.
PATIENCE = 60.0

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class Transcript:
    """What is printed: calls, exchanges and log lines in the order in which they happen."""

    def __init__(self, servers):
        # Ports differ from run to run.
        self.names = servers
        self.is_quiet = False

    def say(self, line):
        if self.is_quiet:
            return
        for host, name in self.names.items():
            line = line.replace(host, name)
        print(line.rstrip(), flush=True)

    def record_exchanges(self):
        exchange = httplib2.Http._conn_request

        def recorded(http, conn, uri, method, body, headers):
            line = f"    {method} {uri}"
            if body is not None:
                line += f" {headers.get('content-type', 'without a type')} {body}"
            if "authorization" in headers:
                line += f" Authorization: {headers['authorization'].split()[0]} …"
            try:
                response, content = exchange(http, conn, uri, method, body, headers)
            except OSError as error:
                self.say(f"{line} -> {type(error).__name__}")
                raise
            line += f" -> {response.status}"
            if content:
                line += f" {response['content-type']}"
            if response.status == 401:
                line += f" WWW-Authenticate: {response.get('www-authenticate')}"
            self.say(line)
            return response, content

        httplib2.Http._conn_request = recorded

    def record_log(self):
        transcript = self

        class Handler(logging.Handler):
            def emit(self, record):
                # The client says the text of an error, not its kind.
                kind = sys.exc_info()[0]
                transcript.say(f"    log: {kind.__name__ if kind else ''}: {record.getMessage()}")

        logging.getLogger("chronos").addHandler(Handler(logging.INFO))
        logging.getLogger("chronos").propagate = False


class Driver:
    """A client of which every call is written down."""

    def __init__(self, transcript, client):
        self.transcript = transcript
        self.client = client
        self.called = set()

    def call(self, method, *args, brief=json.dumps, **kwargs):
        """Makes a call and says what came of it; returns the answer, or None after an error."""
        shown = [f"{key}={value!r}" for key, value in kwargs.items()]
        names = [value["name"] if isinstance(value, dict) else value for value in args]
        self.transcript.say(f">>> {method}({', '.join([repr(name) for name in names] + shown)})")
        self.called.add(method)
        try:
            answer = getattr(self.client, method)(*args, **kwargs)
        except chronos.ChronosError as error:
            self.transcript.say(f"{type(error).__name__}: {error}")
            return None
        self.transcript.say(brief(answer))
        return answer

    def job(self, name):
        """One job, not written down: what one call returned is looked at here."""
        return self.quietly(lambda: next(job for job in self.client.list() if job["name"] == name))

    def quietly(self, ask):
        self.transcript.is_quiet = True
        try:
            return ask()
        finally:
            self.transcript.is_quiet = False

    def wait(self, what, condition):
        """Looks again and again until the condition holds; only a failure reaches the end."""
        begun = time.monotonic()
        while not self.quietly(condition):
            if time.monotonic() - begun > PATIENCE:
                raise SystemExit(f"waited too long until {what}")
            time.sleep(0.02)
        self.transcript.say(f"... until {what}")

    def state(self, name):
        """The fourth column of the graph, which PaaSTA reads too."""
        rows = (row.split(",") for row in self.client.scheduler_graph().splitlines())
        return next(row[3] for row in rows if row[:2] == ["node", name])


def facts(*names):
    """Says only these fields of each job."""
    return lambda jobs: "\n".join(
        json.dumps({name: job[name] for name in names if name in job}) for job in jobs
    ) or "[]"


def names(jobs):
    return json.dumps([job["name"] for job in jobs])


def spoken(name, text):
    """A time that differs each time is said to be one, in Chronos' form."""
    return f"{name} {'is an instant' if INSTANT.fullmatch(text) else repr(text)}"


def trivial(name, version, **more):
    job = {"command": "echo 1", "name": name, "owner": "", "disabled": False,
           "schedule": "R0/2014-01-01T00:00:00Z/PT60M", **more}
    if version is None:
        job["async"] = False
    return {key: value for key, value in job.items() if value is not None}


def every_call(transcript, host, version):
    driver = Driver(transcript, chronos.connect(host, scheduler_api_version=version))
    call, say = driver.call, transcript.say

    say("# nothing yet")
    call("list")
    # The one answer that the client cannot digest: a graph without jobs is empty, here and in Chronos.
    call("scheduler_graph")

    say("# a scheduled job and one that depends on it")
    report = trivial("report", version, schedule="R/2099-01-01T02:30:00Z/P1D",
                     scheduleTimeZone="Europe/Berlin", description="first", cpus=0.5, retries=0)
    mail = trivial("mail", version, schedule=None, parents=["report"], retries=0)
    call("add", mail)
    call("add", report)
    call("add", mail)
    call("list", brief=facts("name", "schedule", "scheduleTimeZone", "parents", "cpus", "mem",
                             "lastSuccess", "lastError", "disabled"))
    say("fields: " + " ".join(driver.job("report")))
    say("fields: " + " ".join(driver.job("mail")))

    say("# replaced")
    call("update", dict(report, description="second \u2713", highPriority=True))
    call("update", dict(mail, disabled=True))
    call("list", brief=facts("name", "description", "highPriority", "schedule", "disabled"))
    call("update", mail)

    say("# found")
    call("search", brief=names)
    call("search", name="REPORT", brief=names)
    call("search", command="echo", brief=names)
    call("search", name="mail", command="echo 1", brief=names)
    call("search", name="mail", command="no such thing", brief=names)

    say("# figures of jobs that never ran")
    call("job_stat", "report")
    figures = ["scheduler_stat_" + name for name in ("99th", "98th", "95th", "75th", "median", "mean")]
    for figure in figures:
        call(figure)
    call("scheduler_graph", brief=str)

    say("# run, and what follows")
    call("run", "report")
    driver.wait("the mail is sent", lambda: driver.job("mail")["lastSuccess"])
    for name in ("report", "mail"):
        job = driver.job(name)
        say(f"{name}: {job['successCount']} success, {job['errorCount']} errors, "
            f"{spoken('lastSuccess', job['lastSuccess'])}, {spoken('lastError', job['lastError'])}")
    call("job_stat", "report", brief=lambda stat: f"count {stat['histogram']['count']}, " + str(
        [(task["jobName"], task["status"], task["taskId"].split(":")[2:]) for task in stat["taskStatHistory"]]))
    for figure in figures:
        call(figure, brief=lambda rows: str(sorted(
            (row["jobNameLabel"], type(row["time"]).__name__) for row in rows)))
    call("scheduler_graph", brief=str)

    say("# stopped")
    call("add", trivial("long", version, schedule="R0//PT1H", command="sleep 600", retries=3))
    call("run", "long")
    driver.wait("it runs", lambda: "running" in driver.state("long"))
    call("scheduler_graph", brief=str)
    call("delete_tasks", "long")
    driver.wait("it is idle", lambda: driver.state("long") == "idle")
    call("delete_tasks", "long")

    say("# names with blanks: in 2.x only")
    spaced = trivial("job with spaces", version)
    call("add", spaced)
    call("run", "job with spaces")
    call("job_stat", "job with spaces", brief=lambda stat: ", ".join(sorted(stat)))
    call("delete_tasks", "job with spaces")
    call("search", name="with s", brief=names)
    call("delete", "job with spaces")

    say("# mistakes, as the client tells them")
    for method in ("run", "delete", "delete_tasks", "job_stat"):
        call(method, "nobody")
    call("add", trivial("bad", version, schedule="every day"))
    call("add", trivial("bad", version, schedule="R/2030-01-01/P1H"))
    call("add", trivial("bad,name", version))
    call("add", trivial("orphan", version, schedule=None, parents=["nobody"]))
    call("add", trivial("report", version, schedule=None, parents=["mail"]))
    call("list", brief=names)

    say("# mistakes that the client finds itself: nothing is sent")
    call("add", {"name": "short"})
    call("add", trivial("both", version, parents=["report"]))
    call("add", trivial("neither", version, schedule=None))
    call("add", trivial("boxed", version, container={"type": "DOCKER"}))

    say("# two servers, the first of which is dead")
    with socket.socket() as dead:
        # Bound, so that nobody else gets it, and never listened on.
        dead.bind(("127.0.0.1", 0))
        port = dead.getsockname()[1]
        transcript.names[f"127.0.0.1:{port}"] = "DEAD"
        pair = Driver(transcript, chronos.connect([f"127.0.0.1:{port}", host], scheduler_api_version=version))
        pair.call("list", brief=names)
        pair.call("run", "nobody")

    say("# figures of the scheduler")
    call("metrics", brief=lambda metrics: "\n".join(
        [", ".join(sorted(metrics)), json.dumps(metrics["version"])]
        + [f"{name} {json.dumps(gauge)}" for name, gauge in sorted(metrics["gauges"].items())
           if "TaskManager" in name]))

    say("# deleted")
    call("delete", "report")
    call("list", brief=facts("name", "schedule", "scheduleTimeZone", "parents"))
    call("delete", "mail")
    call("delete", "long")
    call("list")

    public = {name for name in dir(chronos.ChronosClient) if not name.startswith("_")}
    public = {name for name in public if callable(getattr(chronos.ChronosClient, name))}
    missing = sorted(public - driver.called)
    if missing:
        raise SystemExit(f"not called: {missing}")
    say(f"# each of the client's {len(public)} calls was made")


def credentials(transcript, host, version):
    user, password = os.environ["CLIENT_CREDENTIALS"].split(":", 1)
    job = trivial("report", version, schedule="R/2099-01-01T02:30:00Z/P1D")
    for what, given in (("right", (user, password)), ("wrong", (user, password + "x")),
                        ("no", (None, None))):
        transcript.say(f"# {what} credentials")
        client = chronos.connect(host, username=given[0], password=given[1], scheduler_api_version=version)
        driver = Driver(transcript, client)
        driver.call("add", job)
        driver.call("run", "report")
        driver.call("list", brief=names)
        driver.call("metrics", brief=lambda metrics: ", ".join(sorted(metrics)))
        driver.call("delete", "report")


def scenario(host, version, name):
    """Prints what a scenario finds, as one line of JSON."""
    logging.getLogger("chronos").addHandler(logging.NullHandler())
    client = chronos.connect(host, scheduler_api_version=version)

    def create(job_name):
        client.add(trivial(job_name, version))

    def is_listed(job_name):
        return job_name in [job["name"] for job in client.list()]

    if name == "trivial job":
        create("myjob")
        found = is_listed("myjob")
    elif name == "job with spaces":
        try:
            create("job with spaces")
        except chronos.ChronosAPIError:
            pass
        found = is_listed("job with spaces")
    elif name == "graph":
        create("myjob")
        create("myotherjob")
        found = len(client.scheduler_graph().splitlines())
    elif name == "metrics":
        metrics = client.metrics()
        found = [key in metrics for key in ("version", "gauges")]
    elif name == "search name":
        create("myjob")
        found = [job["name"] for job in client.search(name="myjob")]
    elif name == "search command":
        create("myjob")
        found = [job["name"] for job in client.search(command="echo")]
    elif name == "job_stat":
        create("myjob")
        found = client.job_stat("myjob")
    else:
        create("myjob")
        found = getattr(client, name)()
    print(json.dumps(found, sort_keys=True))


def main():
    what, host, version = sys.argv[1:4]
    version = None if version == "0" else version
    if what == "scenario":
        scenario(host, version, sys.argv[4])
        return
    transcript = Transcript({host: "HOST"})
    transcript.record_exchanges()
    transcript.record_log()
    if what == "calls":
        every_call(transcript, host, version)
    else:
        credentials(transcript, host, version)


if __name__ == "__main__":
    main()
