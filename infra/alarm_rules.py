"""When an alarm rings, what that means, and what to do then (pure).

Names of metrics are those that the functions emit; tests/unit/test_alarm_rules.py runs them and compares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from infra.watched import PARTS, Metric, Watched, of_lambda, of_queue, own

MINUTES = 60
FIVE_MINUTES, QUARTER, HALF, HOUR, DAY = 5 * MINUTES, 15 * MINUTES, 30 * MINUTES, 3600, 86400
# A delivery that has to wait is tried again after 15 minutes at most: functions/messages.py.
LONGEST_RETRY = QUARTER
# One call brings about ten events: with a wrong key two calls ring it, while `callrec verify` (a handful of forgeries)
# does not.
FORGERIES_AN_HOUR = 20
# A link of ours is 200 characters: who has one cut short asks once or twice, who tries others asks often.
BAD_LINKS_AN_HOUR = 20
# LiveKit sends an event again after a 5xx: one failure loses nothing, some in a row may.
FAILURES = 3
# A scheduled run of reconcile may take 14 minutes, and tells of itself at its end.
LONGEST_RUN = QUARTER


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One alarm. It rings when in each of `periods` periods (of `period` seconds) the metric is on the wrong side.

    With `below` that is under `threshold`, else it is `threshold` and more. `silent_rings`: no data is wrong too.
    `recovery`: whether the end is told as well, which is worth a mail where something lasts. `means` and `do` are
    sentences for whoever gets the mail.
    """

    name: str
    metric: Metric
    threshold: float
    means: str
    do: str
    period: int = FIVE_MINUTES
    periods: int = 1
    below: bool = False
    silent_rings: bool = False
    recovery: bool = False

    def description(self, stack: str) -> str:
        """What the mail says: the meaning, and the command to begin with."""
        return f"{self.means} Do: {self.do.format(stack=stack)}"


def rules(watched: Watched) -> list[Rule]:
    """Every alarm of a stack, those first that mean that a recording may be lost."""
    return [*_recordings(watched), *_queues(watched), *_functions(watched), *_reconcile(watched), *_strangers(watched)]


def _recordings(watched: Watched) -> list[Rule]:
    return [
        Rule(
            name="recording-failed",
            metric=own(watched, "deliver", "recording_failed"),
            threshold=1,
            means="A recording failed, broke off, was cut off at LiveKit's limit, or was stored elsewhere.",
            do="callrec status --stack {stack}; README.md, “When something is missing”, explains the codes.",
        ),
        Rule(
            name="start-missed",
            metric=own(watched, "deliver", "start_missed"),
            threshold=1,
            means="LiveKit could not begin the recording of a call: that call is not recorded.",
            do="callrec verify --stack {stack}, then callrec status --stack {stack}.",
        ),
        Rule(
            name="egress-stuck",
            metric=own(watched, "reconcile", "egress_stuck"),
            threshold=1,
            means="A recording began and never ended: its recorder is gone, and the recording with it, most likely.",
            do="callrec reconcile --stack {stack} --dry-run names it.",
        ),
    ]


def _queues(watched: Watched) -> list[Rule]:
    return [
        Rule(
            name="dead-letters",
            metric=of_queue(watched.dead_letters, "ApproximateNumberOfMessagesVisible"),
            threshold=1,
            recovery=True,
            means="Events were given up: recordings without a link in Airtable. They are kept for 14 days.",
            do="callrec dlq --stack {stack} says why; once that is mended: callrec redrive --stack {stack}.",
        ),
        Rule(
            name="queue-age",
            metric=of_queue(watched.queue, "ApproximateAgeOfOldestMessage"),
            threshold=late(watched),
            recovery=True,
            means="Events wait longer than they should: deliver does not run, or what they need is missing: then "
            "delivery-late rings too.",
            do="callrec verify --stack {stack}. What waits in the queue is kept for 14 days.",
        ),
        # SQS may leave out of its age what was received several times, which is just what waits for its conversation:
        # deliver counts that itself. Half an hour holds at least one of its tries, so that it rings without a pause;
        # its end is not told, since it would also come when deliver stops trying.
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
        Rule(
            name="delivery-late",
            metric=own(watched, "deliver", "delivery_late"),
            threshold=1,
            period=HALF,
            means="A recording waits longer than it should, and was tried again: mostly its conversation is missing or "
            "not the only one that fits, or Airtable refuses.",
            do="callrec status --stack {stack} says what it waits for. After a day it is given up (dead-letters).",
        ),
    ]


def _functions(watched: Watched) -> list[Rule]:
    return [
        Rule(
            name="receive-5xx",
            metric=of_lambda(watched, "receive", "Url5xxCount"),
            threshold=FAILURES,
            period=QUARTER,
            means="LiveKit's events are refused by a fault of ours; what LiveKit gives up, reconcile finds.",
            do="callrec verify --stack {stack}.",
        ),
        Rule(
            name="receive-throttled",
            metric=of_lambda(watched, "receive", "Throttles"),
            threshold=1,
            means="Lambda turned events away: the account's concurrency, or receiveConcurrency, is used up.",
            do="raise it, and callrec reconcile --stack {stack} for what was lost meanwhile.",
        ),
        Rule(
            name="play-5xx",
            metric=of_lambda(watched, "play", "Url5xxCount"),
            threshold=FAILURES,
            period=QUARTER,
            means="People who click a link get an error page.",
            do="callrec verify --stack {stack}.",
        ),
        *(
            Rule(
                name=f"{part}-errors",
                metric=of_lambda(watched, part, "Errors"),
                threshold=1,
                means=f"{part} crashed, or ran out of time or memory.",
                do=f"aws logs tail /aws/lambda/{watched.functions[part]} --since 1h, then "
                "callrec verify --stack {stack}.",
            )
            for part in PARTS
        ),
    ]


def _reconcile(watched: Watched) -> list[Rule]:
    period, periods = silence(watched.reconcile_minutes)
    return [
        Rule(
            name="reconcile-repaired",
            metric=own(watched, "reconcile", "repaired"),
            threshold=1,
            period=HOUR,
            means="LiveKit's webhooks are being lost, and reconcile made up for it; or a recording waits for its "
            "conversation: then delivery-late rings too.",
            do="callrec configure webhook --wait 120 --stack {stack} shows whether events arrive.",
        ),
        Rule(
            name="reconcile-late",
            metric=own(watched, "reconcile", "reconcile_run"),
            threshold=1,
            below=True,
            silent_rings=True,
            recovery=True,
            period=period,
            periods=periods,
            means="reconcile has not run: what LiveKit's webhooks lose is not found. Also rings until its first run.",
            do="callrec verify --stack {stack}.",
        ),
        Rule(
            name="reconcile-problems",
            metric=own(watched, "reconcile", "reconcile_problem"),
            threshold=min(FAILURES, max(1, DAY // (watched.reconcile_minutes * MINUTES))),
            period=max(HOUR, min(DAY, FAILURES * watched.reconcile_minutes * MINUTES)),
            means="reconcile cannot do all of its work: LiveKit, Airtable or AWS refuse it, time after time.",
            do="callrec reconcile --stack {stack} --dry-run says which.",
        ),
    ]


def _strangers(watched: Watched) -> list[Rule]:
    return [
        Rule(
            name="signature-failures",
            metric=own(watched, "receive", "signature_failed"),
            threshold=FORGERIES_AN_HOUR,
            period=HOUR,
            means="Many requests are not signed by your LiveKit key: another key signs the webhooks, or somebody "
            "knocks. Nothing of them is taken.",
            do="callrec verify --stack {stack}; when the key is right: set receiveConcurrency, and let them knock.",
        ),
        Rule(
            name="links-guessed",
            metric=own(watched, "play", "not_played", "bad"),
            threshold=BAD_LINKS_AN_HOUR,
            period=HOUR,
            means="Somebody tries links that are not ours. A link cannot be guessed: it is signed with 256 bits.",
            do="aws logs tail /aws/lambda/" + watched.functions["play"] + " --since 1h shows whether it is one source.",
        ),
    ]


def late(watched: Watched) -> int:
    """Seconds from which on the oldest message is too old.

    What waits for its next try counts as well. A recording that is matched by its room's name waits
    `settleSeconds` on purpose, and may then wait for its next try: with settleSeconds 0 this is 15 minutes.
    """
    return watched.settle_seconds + LONGEST_RETRY


def silence(reconcile_minutes: int) -> tuple[int, int]:
    """Period and number of periods in which at least one run of reconcile must tell of itself.

    An hour; where it runs more rarely, two intervals and the length of a run, so that one lost run rings no alarm.
    Periods under an hour may make up a day, longer ones a week:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    seconds = max(HOUR, 2 * reconcile_minutes * MINUTES + LONGEST_RUN)
    period = QUARTER if seconds <= DAY else HOUR
    return period, math.ceil(seconds / period)
