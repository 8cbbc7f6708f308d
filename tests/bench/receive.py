"""Rows about `receive`: processor time for a webhook, without the call to the queue."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from tests.bench.aws_stub import AwsStub
from tests.bench.environment import RECEIVE, SECRET
from tests.bench.function import Function, function
from tests.bench.libraries import HANDLERS, Libraries, python_environment
from tests.bench.row import Row, Target, ratio
from tests.bench.webhooks import events

CONTENDERS = ("nothing", "floor", "receive_alone", "livekit_receiver")
FLOOR_TARGET = Target(bound=8)
#: Rounds of every captured webhook, each handler in turn.
ROUNDS_INSIDE, ROUNDS_WITHIN = 60, 300


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Microseconds of CPU for one webhook: the handler's own, and of the whole process with the client's share."""

    handler: float
    process: float


def rows(libraries: Libraries) -> list[Row]:
    """Inside the runtime client, and in one process without it."""
    with AwsStub(secret=SECRET) as aws:
        environment = aws.environment | RECEIVE
        inside = _inside(libraries, environment)
        within = _within(libraries, environment)
    own = {name: statistics.median(one.handler for one in rounds) for name, rounds in inside.items()}
    whole = statistics.median(one.process for one in inside["receive_alone"])
    return [
        *_rows("in AWS's runtime client", own),
        *_rows(
            "in one process, without the client", {name: statistics.median(rounds) for name, rounds in within.items()}
        ),
        Row(
            what="receive: the whole process for a webhook, the runtime client's share included",
            figure=f"{whole:.0f} µs CPU",
            against=f"the client alone {statistics.median(one.process for one in inside['nothing']):.0f} µs",
        ),
    ]


def _rows(where: str, spent: Mapping[str, float]) -> list[Row]:
    ours, floor, livekit = (spent[name] for name in ("receive_alone", "floor", "livekit_receiver"))
    return [
        Row(
            what=f"receive: a webhook, {where}",
            figure=f"{ours:.1f} µs CPU",
            against=f"floor {floor:.1f} µs",
            value=ratio(ours, floor),
            target=FLOOR_TARGET,
        ),
        Row(
            what=f"receive: a webhook, {where}",
            figure=f"{ours:.1f} µs CPU",
            against=f"livekit-api's WebhookReceiver {livekit:.1f} µs",
            value=ratio(ours, livekit),
        ),
    ]


def _inside(libraries: Libraries, environment: Mapping[str, str]) -> dict[str, list[Spent]]:
    """By handler and round; the order turns, so that none always comes behind the same other."""
    requests = [json.dumps(event).encode() for event in events()]
    with contextlib.ExitStack() as stack:
        running = {
            name: stack.enter_context(
                function("measured.handler", libraries.bench_path, {**environment, "BENCH_HANDLER": name})
            )
            for name in CONTENDERS
        }
        for one in running.values():  # the first of each pays for what comes once
            _round(one, requests)
        spent: dict[str, list[Spent]] = {name: [] for name in CONTENDERS}
        for number in range(ROUNDS_INSIDE):
            turn = number % len(CONTENDERS)
            for name in CONTENDERS[turn:] + CONTENDERS[:turn]:
                spent[name].append(_round(running[name], requests))
    return spent


def _round(one: Function, requests: list[bytes]) -> Spent:
    handler, process = one.invoke("spent"), one.cpu_s()
    for request in requests:
        answer = one.invoke(request)
        if answer["statusCode"] != 200:
            raise RuntimeError(f"a webhook was answered with {answer['statusCode']}")
    process = one.cpu_s() - process
    return Spent(
        handler=(one.invoke("spent") - handler) / len(requests) / 1e3,
        process=process / len(requests) * 1e6,
    )


def _within(libraries: Libraries, environment: Mapping[str, str]) -> dict[str, list[float]]:
    done = subprocess.run(
        [sys.executable, "-S", str(HANDLERS / "in_process.py"), str(ROUNDS_WITHIN)],
        env={**python_environment(libraries.bench_path), **environment},
        input=json.dumps(events()).encode(),
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)
