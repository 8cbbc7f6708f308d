"""The same handlers without the runtime client between: `python in_process.py ROUNDS < events`, microseconds on stdout.

Turn and turn about in one process, so that whatever else the machine does befalls all of them alike.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path

NAMES = ("nothing", "floor", "receive_alone", "livekit_receiver")


def main() -> None:
    rounds, out = int(sys.argv[1]), os.dup(1)
    with Path(os.devnull).open("w") as sys.stdout:  # the log
        spent = measure(rounds)
    os.write(out, json.dumps(spent).encode())


def measure(rounds: int) -> dict[str, list[float]]:
    handlers = {name: importlib.import_module(name).handler for name in NAMES}
    events = json.load(sys.stdin)
    spent: dict[str, list[float]] = {name: [] for name in NAMES}
    for number in range(rounds):
        turn = number % len(NAMES)
        for name in NAMES[turn:] + NAMES[:turn]:
            handler = handlers[name]
            began = time.process_time_ns()
            for event in events:
                if handler(event, None)["statusCode"] != 200:
                    raise SystemExit(f"{name} refused an event")
            spent[name].append((time.process_time_ns() - began) / len(events) / 1000)
    return spent


main()
