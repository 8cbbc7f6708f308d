"""AWS's prices, from the dated table beside this file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.errors import UsageError

TABLE = Path(__file__).with_name("prices.toml")


@dataclass(frozen=True, kw_only=True, slots=True)
class StorageClass:
    """Prices of one class of S3, in dollars; units stand in prices.toml.

    `tiers`: after so many days in the class unread, another price of a GB and month.
    """

    gb_month: float
    put: float
    get: float
    into: float = 0.0
    retrieve: float = 0.0
    restore: float = 0.0
    monitored: float = 0.0
    least_days: int = 0
    least_bytes: int = 0
    more_bytes: int = 0
    more_standard_bytes: int = 0
    tiers: Sequence[Sequence[float]] = field(default_factory=tuple)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """One region's. `of` gives a price by its table and name."""

    region: str
    as_of: str
    storage: Mapping[str, StorageClass]
    others: Mapping[str, Mapping[str, float]]
    sources: Mapping[str, str]

    def of(self, service: str, name: str) -> float:
        """Dollars, for the unit that the name ends in."""
        return self.others[service][name]


def load(region: str, table: Path = TABLE) -> Prices:
    """The prices of a region. Raises UsageError when the table does not have it."""
    read: dict[str, Any] = tomllib.loads(table.read_text())
    if region not in read["regions"]:
        raise UsageError(
            f"--region: the prices of {', '.join(read['regions'])} are known; got {region!r}. "
            "Name the one nearest in price, or ask https://calculator.aws"
        )
    others: dict[str, dict[str, float]] = {name: read[name] for name in read["sources"] if name != "s3"}
    return Prices(
        region=region,
        as_of=read["as_of"],
        storage={name: StorageClass(**prices) for name, prices in read["s3"].items()},
        others=others,
        sources=read["sources"],
    )
