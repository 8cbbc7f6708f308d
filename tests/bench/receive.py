"""Rows about `receive`: processor time for a webhook, without the call to the queue."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
from collections.abc import Mapping

from tests.bench.aws_stub import AwsStub
from tests.bench.environment import RECEIVE, SECRET
from tests.bench.function import Function, function
from tests.bench.libraries import HANDLERS, Libraries, python_environment
from tests.bench.row import Row, Target
from tests.bench.webhooks import events

CONTENDERS = ("nothing", "floor", "receive_alone", "livekit_receiver")
FLOOR_TARGET = Target(bound=8)
#: Rounds of every captured webhook, each handler in turn.
ROUNDS_INSIDE, ROUNDS_WITHIN = 60, 300


def rows(libraries: Libraries) -> list[Row]:
    """Inside the runtime client, and in one process without it."""
    with AwsStub(secret=SECRET) as aws:
        environment = aws.environment | RECEIVE
        inside = _inside(libraries, environment)
        within = _within(libraries, environment)
    made: list[Row] = []
    for where, spent in (("in AWS's runtime client, less the client's own", inside), ("in one process", within)):
        net = {name: statistics.median(spent[name]) - statistics.median(spent["nothing"]) for name in CONTENDERS}
        made += _rows(where, net)
    own = statistics.median(inside["nothing"])
    made.append(Row(what="receive: the runtime client's own share", figure=f"{own:.0f} µs CPU"))
    return made


def _rows(where: str, net: Mapping[str, float]) -> list[Row]:
    ours, floor, livekit = net["receive_alone"], net["floor"], net["livekit_receiver"]
    return [
        Row(
            what=f"receive: a webhook, {where}",
            figure=f"{ours:.1f} µs CPU",
            against=f"floor {floor:.1f} µs",
            value=ours / floor,
            target=FLOOR_TARGET,
        ),
        Row(
            what=f"receive: the same against livekit-api's WebhookReceiver, {where}",
            figure=f"{ours:.1f} µs CPU",
            against=f"WebhookReceiver {livekit:.1f} µs",
            value=ours / livekit,
        ),
    ]


def _inside(libraries: Libraries, environment: Mapping[str, str]) -> dict[str, list[float]]:
    """Microseconds for a webhook by handler and round, everything the process does for it included."""
    requests = [json.dumps(event).encode() for event in events()]
    with contextlib.ExitStack() as stack:
        running = {
            name: stack.enter_context(function(f"{name}.handler", libraries.bench_path, environment))
            for name in CONTENDERS
        }
        for one in running.values():  # the first of each pays for what comes once
            _round(one, requests)
        spent: dict[str, list[float]] = {name: [] for name in CONTENDERS}
        for _ in range(ROUNDS_INSIDE):
            for name, one in running.items():
                spent[name].append(_round(one, requests))
    return spent


def _round(one: Function, requests: list[bytes]) -> float:
    before = one.cpu_s()
    for request in requests:
        answer = one.invoke(request)
        assert answer["statusCode"] == 200, answer
    return (one.cpu_s() - before) / len(requests) * 1e6


def _within(libraries: Libraries, environment: Mapping[str, str]) -> dict[str, list[float]]:
    done = subprocess.run(
        [sys.executable, "-S", str(HANDLERS / "in_process.py"), str(ROUNDS_WITHIN)],
        env={**python_environment(libraries.bench_path), **environment},
        input=json.dumps(events()).encode(),
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)
