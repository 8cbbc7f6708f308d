"""Rows about starting: from the start of the process until the runtime client asks for the first event.

Judged by processor time: the clock on the wall also counts what else the machine does, and is shown beside it. As on
Lambda the zip holds no compiled files and boto3 is the runtime's own, compiled. Each starts several times, in turn.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench import environment
from tests.bench.aws_stub import AwsStub
from tests.bench.function import function
from tests.bench.libraries import HANDLERS, Libraries
from tests.bench.row import Row, Target, ratio

STARTS = 9
BOTO3_TARGET, LIVEKIT_TARGET = Target(bound=1.3), Target(bound=0.6)
#: Function → its environment, and the clients it makes.
FUNCTIONS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "receive": (environment.RECEIVE, "secretsmanager,sqs"),
    "play": (environment.PLAY, "secretsmanager,s3"),
    "deliver": (environment.DELIVER, "secretsmanager,sqs,s3"),
    "reconcile": (environment.RECONCILE, "secretsmanager,sqs,s3"),
}

#: Why a function may miss the targets; the table of packages shows the share of each.
_WHY = {
    "play": "its S3 client takes more to make than `receive`'s SQS client, and urllib3 comes uncompiled from the zip",
    "deliver": "pyairtable brings pydantic, which makes its models while it is imported; nobody waits for this start",
    "reconcile": "as `deliver`",
}


@dataclass(frozen=True, kw_only=True)
class Start:
    """One start, or the medians of several."""

    cpu_ms: float
    wall_ms: float
    peak_mb: float

    def __str__(self) -> str:
        return f"{self.cpu_ms:.0f} ms CPU ({self.wall_ms:.0f} ms on the clock), {self.peak_mb:.0f} MB"


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A handler that starts."""

    handler: str
    path: list[Path]
    environment: Mapping[str, str]


def rows(libraries: Libraries) -> list[Row]:
    """Every function against boto3 alone with the same clients, and against livekit.api alone."""
    with AwsStub(secret=environment.SECRET) as aws:
        starts = _measure(_contenders(libraries, aws.environment))
    made: list[Row] = []
    for name, (_, clients) in FUNCTIONS.items():
        ours = starts[name]
        for other, label, target in (
            (starts[clients], "boto3 alone, the same clients", BOTO3_TARGET),
            (starts["livekit"], "livekit.api alone", LIVEKIT_TARGET),
        ):
            made.append(
                Row(
                    what=f"{name}: start, against {label}",
                    figure=str(ours),
                    against=str(other),
                    value=ratio(ours.cpu_ms, other.cpu_ms),
                    target=target,
                    why=_WHY.get(name, ""),
                )
            )
    made.append(Row(what="the runtime client's own start, in all of these", figure=str(starts["nothing"])))
    return made


def _contenders(libraries: Libraries, aws: Mapping[str, str]) -> dict[str, Contender]:
    alone = [HANDLERS, libraries.runtime]
    made = {
        "nothing": Contender(handler="nothing.handler", path=alone, environment={}),
        "livekit": Contender(handler="livekit_alone.handler", path=libraries.bench_path, environment={}),
    }
    for name, (own, clients) in FUNCTIONS.items():
        made[clients] = Contender(
            handler="boto3_alone.handler", path=alone, environment={**aws, "BENCH_CLIENTS": clients}
        )
        made[name] = Contender(handler=f"functions.{name}.handler", path=libraries.path, environment={**aws, **own})
    return made


def _measure(contenders: Mapping[str, Contender]) -> dict[str, Start]:
    seen: dict[str, list[Start]] = {name: [] for name in contenders}
    for _ in range(STARTS):
        for name, one in contenders.items():
            with function(one.handler, one.path, one.environment) as running:
                wall_ms = running.init_s * 1000
                seen[name].append(Start(cpu_ms=running.cpu_s() * 1000, wall_ms=wall_ms, peak_mb=running.peak_mb()))
    return {
        name: Start(
            cpu_ms=statistics.median(one.cpu_ms for one in starts),
            wall_ms=statistics.median(one.wall_ms for one in starts),
            peak_mb=statistics.median(one.peak_mb for one in starts),
        )
        for name, starts in seen.items()
    }
