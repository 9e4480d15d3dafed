"""Nanoseconds per next occurrence of `cronsim`, a line for each expression. Started by next_occurrence.rs."""

import sys
import time
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim

STEPS = 20
ROUNDS = 30


def nanos(expression: str, start: datetime) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        walk = CronSim(expression, start)
        next(walk)
        begun = time.perf_counter_ns()
        taken = sum(1 for _ in islice(walk, STEPS))
        best = min(best, (time.perf_counter_ns() - begun) / max(taken, 1))
    return best


zone = ZoneInfo(sys.argv[1])
start = datetime.fromtimestamp(int(sys.argv[2]), zone)
for expression in sys.argv[3:]:
    print(nanos(expression, start))
