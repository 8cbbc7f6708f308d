"""What a stack costs each month, by service (pure). What is assumed of a call stands here, with where it is from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from infra.alarm_rules import rules
from infra.watched import PARTS, Watched
from scripts.cost.practice import DAYS_IN_MONTH, Keeping, Load
from scripts.cost.prices import Prices
from scripts.cost.storage import GB, STANDARD, archives, daily

# A call: room, people, tracks and egress come and go; LiveKit sends each once.
EVENTS = 10
MEMORY_GB = 0.5
# Seconds of an invocation, generously (docs/bench.md has the CPU's share), and of a start, which Lambda bills too.
RECEIVE, DELIVER_EVENT, DELIVER_TRY, PLAY, RECONCILE, START = 0.03, 0.1, 1.7, 0.3, 5.0, 0.7
# One recording that is matched by its room's name waits settleSeconds, tried after 30 s, then after twice as long each.
FIRST_TRY = 30
SECRETS = 2
# Lambda asks the queue by five connections, each for 20 s at a time, also when nothing comes:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
POLLS_A_DAY = 5 * 3 * 60 * 24
# Lines of the functions and Lambda's own (START, END, REPORT), and the 26 bytes that CloudWatch adds to each.
RECEIVE_LOG, DELIVER_LOG, PLAY_LOG, RECONCILE_LOG = 700, 1200, 900, 1500
# Hours of a day in which calls come; a metric costs for the hours in which it has a value.
OFFICE_HOURS = 10
# Of a play: a browser fetches the file in about three requests; before, the link is checked by two about the file, and
# one for an erasure record, which is not there and takes no key.
GETS, CHECKS, RECORDS = 3, 2, 1
MAILS = 10

SERVICES = (
    "S3 storage: Standard",
    "S3 storage: archive",
    "S3 requests, moves to the archive",
    "KMS key",
    "Secrets Manager",
    "Lambda",
    "SQS",
    "CloudWatch logs",
    "CloudWatch metrics",
    "CloudWatch alarms, mails",
    "CloudWatch dashboard",
    "Plays: reading, sending",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Month:
    """Dollars by service, in the order of SERVICES."""

    services: Mapping[str, float]

    @property
    def total(self) -> float:
        """All of them."""
        return sum(self.services.values())


def months(count: int, load: Load, keeping: Keeping, prices: Prices) -> list[Month]:
    """The first `count` months of a stack, of 365/12 days each."""
    ends = [round(number * DAYS_IN_MONTH) for number in range(count + 1)]
    days = daily(ends[-1], load, keeping, prices)
    found: list[Month] = []
    for number in range(count):
        part = days[ends[number] : ends[number + 1]]
        stored = {
            "S3 storage: Standard": sum(day.standard for day in part),
            "S3 storage: archive": sum(day.archived for day in part),
        }
        moved = sum(day.moved for day in part)
        steady = {name: cost(load, keeping, prices) * len(part) for name, cost in DAILY.items()}
        steady["S3 requests, moves to the archive"] += moved
        fixed = {name: cost(keeping, prices, number) for name, cost in MONTHLY.items()}
        services = {name: sum(costs.get(name, 0.0) for costs in (stored, steady, fixed)) for name in SERVICES}
        found.append(Month(services=services))
    return found


def _requests(load: Load, _keeping: Keeping, prices: Prices) -> float:
    """The uploads; the moves are added from the lifecycle."""
    return load.calls * load.puts * prices.storage[STANDARD].put / 1000


def _kms_requests(load: Load, keeping: Keeping, prices: Prices) -> float:
    """One for each request to S3, though the bucket's key saves most of them."""
    asked = load.calls * (load.puts + load.plays * (GETS + CHECKS))
    return asked * prices.of("kms", "requests_10k") / 10_000 if keeping.kms else 0.0


def _secret_requests(load: Load, keeping: Keeping, prices: Prices) -> float:
    """Each function reads the secret at its start and every 5 minutes; three readings a call are generous."""
    asked = load.calls * (3 + load.plays) + _runs(keeping)
    return asked * prices.of("secrets", "requests_10k") / 10_000


def _lambda(load: Load, keeping: Keeping, prices: Prices) -> float:
    tried = tries(keeping)
    invoked = load.calls * (2 * EVENTS + tried - 1 + load.plays) + _runs(keeping)
    a_call = EVENTS * RECEIVE + (EVENTS - 1) * DELIVER_EVENT + tried * DELIVER_TRY + 2 * START
    seconds = load.calls * (a_call + load.plays * (PLAY + START)) + _runs(keeping) * (RECONCILE + START)
    gb_second = prices.of("lambda", f"gb_second_{keeping.architecture}")
    return invoked * prices.of("lambda", "requests_1m") / 1e6 + seconds * MEMORY_GB * gb_second


def _sqs(load: Load, keeping: Keeping, prices: Prices) -> float:
    fifo = POLLS_A_DAY + load.calls * (3 * EVENTS + 2 * tries(keeping))
    standard = load.calls * 3 + _runs(keeping) * 2
    return (fifo * prices.of("sqs", "fifo_1m") + standard * prices.of("sqs", "standard_1m")) / 1e6


def _logs(load: Load, keeping: Keeping, prices: Prices) -> float:
    """Taking them in, and keeping them as long as they are kept; CloudWatch packs them, which is left out."""
    written = load.calls * (EVENTS * RECEIVE_LOG + (EVENTS + tries(keeping)) * DELIVER_LOG + load.plays * PLAY_LOG)
    size = (written + _runs(keeping) * RECONCILE_LOG) / GB
    kept = keeping.log_days / DAYS_IN_MONTH * prices.of("cloudwatch", "log_gb_month")
    return size * (prices.of("cloudwatch", "log_gb") + kept)


def _metrics(load: Load, keeping: Keeping, prices: Prices) -> float:
    """Delivered; waiting, all and by reason; played; begun by us; and reconcile's runs, around the clock."""
    hours = min(OFFICE_HOURS, load.calls)
    a_call = 1 + (2 if tries(keeping) > 1 else 0) + (1 if keeping.starts else 0)
    metric_hours = hours * a_call + min(OFFICE_HOURS, load.calls * load.plays) + min(24, _runs(keeping))
    return metric_hours * prices.of("cloudwatch", "metric_month") / (24 * DAYS_IN_MONTH)


def _plays(load: Load, keeping: Keeping, prices: Prices) -> float:
    """Reading and sending; a play falls on any day of the link's life, in the archive's part of it at its price."""
    standard, archive = prices.storage[STANDARD], prices.storage[keeping.archive_class]
    cold = max(0, keeping.link_days - keeping.archive_after) / keeping.link_days if archives(load) else 0.0
    size = load.size / GB
    warm_play = (GETS + CHECKS + RECORDS) * standard.get / 1000
    cold_requests = (GETS + CHECKS) * archive.get + RECORDS * standard.get + archive.restore
    cold_play = cold_requests / 1000 + size * archive.retrieve
    sent = size * prices.of("transfer", "out_gb")
    return load.calls * load.plays * (sent + (1 - cold) * warm_play + cold * cold_play)


def _runs(keeping: Keeping) -> float:
    """Runs of reconcile a day."""
    return 24 * 60 / keeping.reconcile_minutes


def tries(keeping: Keeping) -> int:
    """How often `deliver` looks for the conversation of a recording: matched by the room's name it settles first."""
    return 1 + math.ceil(math.log2(keeping.settle_seconds / FIRST_TRY + 1)) if keeping.settle_seconds else 1


def _key(keeping: Keeping, prices: Prices, month: int) -> float:
    """Rotated every year: the first two rotations cost as much as the key."""
    return prices.of("kms", "key_month") * (1 + min(2, month // 12)) if keeping.kms else 0.0


def _alarms(keeping: Keeping, prices: Prices, _month: int) -> float:
    watched = Watched(
        stack="",
        functions=dict.fromkeys(PARTS, ""),
        queue="",
        dead_letters="",
        reconcile_minutes=keeping.reconcile_minutes,
        settle_seconds=keeping.settle_seconds,
    )
    mails = MAILS * prices.of("sns", "email_100k") / 100_000
    return len(rules(watched)) * prices.of("cloudwatch", "alarm_month") + mails


DAILY: dict[str, Callable[[Load, Keeping, Prices], float]] = {
    "S3 requests, moves to the archive": _requests,
    "KMS key": _kms_requests,
    "Secrets Manager": _secret_requests,
    "Lambda": _lambda,
    "SQS": _sqs,
    "CloudWatch logs": _logs,
    "CloudWatch metrics": _metrics,
    "Plays: reading, sending": _plays,
}
MONTHLY: dict[str, Callable[[Keeping, Prices, int], float]] = {
    "KMS key": _key,
    "Secrets Manager": lambda _keeping, prices, _month: SECRETS * prices.of("secrets", "secret_month"),
    "CloudWatch alarms, mails": _alarms,
    "CloudWatch dashboard": lambda _keeping, prices, _month: prices.of("cloudwatch", "dashboard_month"),
}


def whole(found: Sequence[Month]) -> Month:
    """All months together."""
    return Month(services={name: sum(month.services[name] for month in found) for name in SERVICES})
