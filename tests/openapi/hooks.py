"""Makes what schemathesis sends harmless, and often right enough to be carried out.

Harmless: a body has no command but `true`, downloads nothing, and wants no less than the default resources, which is more
than the server under test has; so nothing is ever started. See tests/openapi.rs.

Right enough: texts that a schema cannot describe (schedules, zones, periods) are replaced by good ones in most bodies
that follow the schema, and names and ids by those of things that are there. Which ones depends on the body alone.
"""

import json
import os
import zlib

import schemathesis

SEED = "seed"
RUN = os.environ["CHRONODE_RUN_ID"]

PERIODS = ("epsilon", "timeout", "killGrace", "retryDelay", "retryUntil", "jitter", "wait")
GOOD = {
    "schedule": "R/2100-01-01T00:00:00Z/P1D",
    "scheduleTimeZone": "Europe/Berlin",
    "notBefore": "2090-01-01",
    "notAfter": "2190-01-01",
    "lastSuccess": "2026-01-01T00:00:00Z",
    "lastError": "",
    "runAsUser": "",
    "spreadBy": "spread",
    "parents": [SEED],
    "calendars": [{"name": "c", "use": "neverIn", "dates": ["12-25"]}],
    "constraints": [["rack", "LIKE", "r-[12]"]],
    "retryBackoff": {"factor": 2, "max": "PT1H", "jitter": 0.2},
}
# Of each pair only one may be given.
EITHER = (
    ("retryOn", "noRetryOn"),
    ("priority", "highPriority"),
    ("overlap", "concurrent"),
    ("timeout", "maxCompletionTime"),
)


def is_chosen(value):
    return zlib.crc32(json.dumps(value, sort_keys=True, default=str).encode()) % 4 != 0


def is_small(value):
    """Also as a text, which is taken for the number that it says."""
    try:
        return float(value) < 512
    except (TypeError, ValueError, OverflowError):
        return False


def harmless(value):
    if isinstance(value, list):
        return [harmless(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, item in value.items():
        if key == "command":
            item = "true"
        elif key in ("uris", "fetch"):
            item = []
        elif key in ("cpus", "mem", "disk"):
            # Less than the default could fit.
            item = 0 if is_small(item) else item
        kept[key] = harmless(item)
    return kept


def right(job, path):
    for key in GOOD:
        if key in job:
            job[key] = GOOD[key]
    for key in PERIODS:
        if key in job and isinstance(job[key], str):
            job[key] = "PT10M"
    if isinstance(job.get("onUnknown"), dict) and "wait" in job["onUnknown"]:
        job["onUnknown"]["wait"] = "PT5M"
    for one, other in EITHER:
        if one in job:
            job.pop(other, None)
    if path.endswith("/dependency"):
        job["parents"] = [SEED]
    else:
        job.pop("parents", None)
    if path.endswith("/cron"):
        job["schedule"] = "0 2 1 1 *"
    return job


def operated(body, path):
    """What operators send about a job: about one that is there, and for instants that its schedule names."""
    due = "2100-01-02T00:00:00Z"
    good = {"job": SEED, "jobs": [SEED], "until": due, "dueAt": [due] if path.endswith("/backfill") else due}
    body |= {key: good[key] for key in good if key in body}
    if body.get("everything"):
        body.pop("job", None)
        body.pop("subtree", None)
    if "dueAt" in body and path.endswith("/backfill"):
        body.pop("from", None)
        body.pop("to", None)
    return body


OPERATED = ("/runs", "/pause", "/resume", "/skip", "/unskip", "/backfill", "/cut", "/lift")


def previewed(query):
    if is_chosen(query):
        return {"job": SEED} | {key: query[key] for key in ("count",) if key in query}
    query.pop("job", None)
    good = {"zone": "Europe/Berlin", "jitter": "PT10M", "notBefore": "2090-01-01", "notAfter": "2190-01-01"}
    good |= {"from": "2095-01-01T00:00:00Z"}
    return query | {key: good[key] for key in good if key in query} | {"schedule": "0 2 * * *"}


@schemathesis.hook
def before_call(context, case, kwargs):
    is_right = case.meta is None or case.meta.generation.mode.value == "positive"
    path = case.operation.path
    body = case.body
    if isinstance(body, (dict, list)):
        body = harmless(body)
        if is_right and isinstance(body, dict) and "name" in body and is_chosen(body):
            body = right(body, path)
        if is_right and isinstance(body, dict) and path.endswith("/apply") and is_chosen(body):
            jobs = {job["name"]: right(job, path) for job in body.get("jobs", [])}
            body["jobs"] = list(jobs.values())
        if is_right and isinstance(body, dict) and path.endswith(OPERATED) and is_chosen(body):
            body = operated(body, path)
        if isinstance(body, dict) and isinstance(body.get("arguments"), str) and path.endswith(OPERATED):
            body["arguments"] = "--harmless"
        case.body = body
    # It would become part of a command.
    if case.query and "arguments" in case.query:
        case.query["arguments"] = "--harmless"
    if is_right and path.endswith("/preview") and case.method == "GET":
        case.query = previewed(dict(case.query or {}))
    parts = case.path_parameters
    if is_right and parts and is_chosen(parts):
        if "name" in parts and not (case.method == "DELETE" and "/job/" in path):
            parts["name"] = SEED
        if "id" in parts:
            parts["id"] = RUN
        if "revision" in parts:
            parts["revision"] = "1"
        if case.query and "to" in case.query:
            case.query["to"] = "1"
