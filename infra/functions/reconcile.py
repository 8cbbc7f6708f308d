"""`reconcile`: what no webhook brought is found in LiveKit's list and the bucket's arrivals, and queued again.

Runs by the clock (`{}`), or by hand: `{"by_hand": true, "since_seconds": 86400, "until_seconds": 0, "dry_run": false}`,
the last two if wanted. It writes to no conversation: `deliver` does, in order with the live events, by the same rules.
Killed anywhere, it loses nothing.

What 1,000 recordings cost, in requests (tests/unit/test_functions_reconcile.py counts them):

| service | all told already | none told |
|---|---|---|
| LiveKit | 1 for the rooms, 1 for each page of egresses | the same |
| SQS | 101 to take the arrivals, 100 to delete them | 101 to take them, 100 to give them back, 100 for the events |
| S3 | 0 | 0; besides, 1 for each object that nobody wants |
| Airtable | 1 for the fields, 10 pages of conversations | the same, and 50 to ask once more |

A recording is looked at about seven times in its day, see timetable.py; with nothing to look at Airtable is not asked.
At a request in 2 s Airtable lets one run compare about 30,000 conversations.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from . import aws, settings
from .airtable import Airtable, connect
from .conversations import Conversations
from .deadline import Deadline
from .errors import SecretError
from .log import fault, log, metric
from .reconcile_report import Report
from .reconcile_run import App, Run
from .secret import SecretCache, reader
from .timetable import Timetable

if TYPE_CHECKING:
    from typing_extensions import TypeIs

_CONFIG = aws.config(connect=2, read=5, attempts=2)
#: Lambda's time for the function, unless its context says better.
TIMEOUT_SECONDS = 840
LONGEST_SINCE_SECONDS = 30 * 86_400


@cache
def app() -> App:
    """The App of this process."""
    configured = settings.ReconcileSettings.from_env()
    secrets = SecretCache(reader(aws.client("secretsmanager", _CONFIG), configured.secret_arn))
    secrets.warm()
    return App(
        settings=configured,
        secrets=secrets,
        sqs=aws.client("sqs", _CONFIG),
        s3=aws.client("s3", _CONFIG),
        conversations=Conversations(Airtable(connect(configured.airtable), configured.airtable)),
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry."""
    function = str(getattr(context, "function_name", "reconcile"))
    try:
        return reconcile(event, app(), Deadline.of(context, TIMEOUT_SECONDS), function)
    except Exception as error:  # noqa: BLE001  # the next run does it; a traceback may quote names
        log("error", "reconcile_failed", error=fault(error))
        metric(function, "reconcile_problem", reason="fault")
        return {"problems": ["fault"]}


def reconcile(request: Mapping[str, Any], to: App, deadline: Deadline, function: str) -> dict[str, Any]:
    """One run; its answer is described in reconcile_report.py."""
    timetable = _timetable(request, to)
    if timetable is None:
        return {"problems": ["bad_request"]}
    report = Report(timetable, dry_run=request.get("dry_run") is True)
    try:
        run = Run(to, to.secrets.get(), deadline, timetable, report)
    except SecretError:
        report.problem("secret_unavailable")
    else:
        run.go()
    report.tell(function)
    return report.answer()


def _timetable(request: Mapping[str, Any], to: App) -> Timetable | None:
    now = datetime.fromtimestamp(to.clock(), UTC)
    interval = timedelta(seconds=to.settings.interval_seconds)
    if request.get("by_hand") is not True:
        return Timetable.scheduled(now, interval, timedelta(seconds=to.settings.lookback_seconds))
    since, until = request.get("since_seconds"), request.get("until_seconds", 0)
    if not _whole(since) or not _whole(until) or not 0 <= until < since <= LONGEST_SINCE_SECONDS:
        return None
    lookback, ago = timedelta(seconds=since), timedelta(seconds=until)
    return Timetable(now=now, interval=interval, lookback=lookback, by_hand=True, until=ago)


def _whole(value: object) -> TypeIs[int]:
    return isinstance(value, int) and not isinstance(value, bool)


if settings.in_lambda():
    app()
