"""What the recordings cost in S3, day by day, with the lifecycle applied (pure).

Every day brings as many recordings as any other, so a day costs the sum over all ages that there are: what one
recording costs at an age is all there is to know.
"""

from __future__ import annotations

from dataclasses import dataclass

from scripts.cost.practice import DAYS_IN_MONTH, Keeping, Load
from scripts.cost.prices import Prices, StorageClass

GB = 2**30
STANDARD = "STANDARD"
#: What is smaller is not archived, unless one insists:
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
SMALLEST_ARCHIVED = 128 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """Dollars: of keeping in Standard, in the archive, of the move there, and of deleting before the least time."""

    standard: float = 0.0
    archived: float = 0.0
    moved: float = 0.0

    def __add__(self, other: Day) -> Day:
        """Both together."""
        return Day(
            standard=self.standard + other.standard,
            archived=self.archived + other.archived,
            moved=self.moved + other.moved,
        )


def archives(load: Load) -> bool:
    """Whether the lifecycle moves such recordings at all."""
    return load.size >= SMALLEST_ARCHIVED


def at_age(age: int, load: Load, keeping: Keeping, prices: Prices) -> Day:
    """What one recording costs on the day on which it is `age` days old."""
    standard, archive = prices.storage[STANDARD], prices.storage[keeping.archive_class]
    if age == keeping.end and archives(load):
        return Day(archived=_early(load, keeping, archive))
    if age >= keeping.end:
        return Day()
    kept = _a_day(load.size, standard.gb_month)
    if age < keeping.archive_after or not archives(load):
        return Day(standard=kept)
    inside = age - keeping.archive_after
    return Day(
        standard=_a_day(archive.more_standard_bytes, standard.gb_month),
        archived=_a_day(_billed(load, archive), _price(archive, inside)) + archive.monitored / 1000 / DAYS_IN_MONTH,
        moved=archive.into / 1000 if inside == 0 else 0.0,
    )


def daily(days: int, load: Load, keeping: Keeping, prices: Prices) -> list[Day]:
    """What all recordings cost on each of the first `days` days of a stack."""
    found: list[Day] = []
    together = Day()
    for day in range(days):
        together = together + at_age(day, load, keeping, prices)
        found.append(
            Day(
                standard=together.standard * load.calls,
                archived=together.archived * load.calls,
                moved=together.moved * load.calls,
            )
        )
    return found


def _billed(load: Load, archive: StorageClass) -> int:
    return max(load.size, archive.least_bytes) + archive.more_bytes


def _price(archive: StorageClass, inside: int) -> float:
    price = archive.gb_month
    for days, cheaper in archive.tiers:
        price = cheaper if inside >= days else price
    return price


def _early(load: Load, keeping: Keeping, archive: StorageClass) -> float:
    """The days that are missing to the least time in the class, billed when the recording goes."""
    missing = archive.least_days - (keeping.end - keeping.archive_after)
    return max(0.0, missing) * _a_day(_billed(load, archive), archive.gb_month)


def _a_day(size: int, gb_month: float) -> float:
    return size / GB * gb_month / DAYS_IN_MONTH
