"""Asks one library for the next occurrences of cron expressions.

Called as `ask.py LIBRARY`; reads a question as JSON on each line of its input and writes an answer as JSON on each line
of its output: a list of seconds since 1970, shorter than asked for if there are no more, or one of the words `refused`,
`failed` and `stuck`. Zones come from the directories in PYTHONTZPATH alone.
"""

import datetime
import json
import signal
import sys
import zoneinfo

# Seconds of processor time for one question. Those of cronsim that end need a hundredth of it; croniter looks at each
# minute of a day that a zone left out, again and again, but it ends.
PATIENCE = {"cronsim": 0.3, "croniter": 20}


class Stuck(BaseException):
    """No library catches this by accident."""


def give_up(signal_number, frame):
    raise Stuck


def ask_cronsim(text, after, take):
    from cronsim import CronSim, CronSimError

    try:
        job = CronSim(text, after)
    except CronSimError:
        return "refused"
    due = []
    for at in job:
        due.append(at)
        if len(due) == take:
            break
    return due


def ask_croniter(text, after, take):
    from croniter import croniter, CroniterBadCronError, CroniterBadDateError

    try:
        job = croniter(text, after, second_at_beginning=True)
    except CroniterBadCronError:
        return "refused"
    due = []
    try:
        while len(due) < take:
            due.append(job.get_next(datetime.datetime))
    except CroniterBadDateError:
        pass
    except AssertionError:
        return "failed"
    return due


def main():
    library = sys.argv[1]
    ask = {"cronsim": ask_cronsim, "croniter": ask_croniter}[library]
    signal.signal(signal.SIGVTALRM, give_up)
    for line in sys.stdin:
        question = json.loads(line)
        zone = datetime.timezone.utc if question["zone"] == "UTC" else zoneinfo.ZoneInfo(question["zone"])
        after = datetime.datetime.fromtimestamp(question["after"], zone)
        signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE[library])
        try:
            answer = ask(question["text"], after, question["take"])
        except Stuck:
            answer = "stuck"
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        if isinstance(answer, list):
            answer = [int(at.timestamp()) for at in answer]
        print(json.dumps(answer))


main()
