"""How the costs are shown: a table for people, in Markdown for the README, JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scripts.cost import estimate
from scripts.cost.estimate import SERVICES, Month
from scripts.cost.practice import DAYS_IN_MONTH, Keeping, Load
from scripts.cost.prices import Prices

LEFT_OUT = "Without free tiers, taxes, access logs, LiveKit (which bills egress by the minute) and Airtable."


def heading(load: Load, prices: Prices) -> str:
    """What it is for, in one line."""
    return (
        f"{load.calls:g} calls a day of {load.minutes:g} minutes at {load.bitrate:g} kb/s, each recording played "
        f"{load.plays:g} times, in {prices.region}"
    )


def ageing(load: Load, keeping: Keeping) -> str:
    """What the recordings weigh, and what becomes of them."""
    month = load.calls * DAYS_IN_MONTH * load.size / 1e9
    end = (
        "kept for good"
        if keeping.retention is None
        else f"deleted after {keeping.retention} + {keeping.noncurrent} days"
    )
    return f"{month:.1f} GB a month; {keeping.archive_class} after {keeping.archive_after} days, {end}"


def shown(found: Sequence[Month], load: Load, keeping: Keeping, prices: Prices) -> RenderableType:
    """For people."""
    columns = _columns(found)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("US dollars")
    for name in columns:
        table.add_column(name, justify="right")
    for service in SERVICES:
        table.add_row(service, *(money(month.services[service]) for month in columns.values()))
    table.add_row(Text("together", style="bold"), *(Text(money(m.total), style="bold") for m in columns.values()))
    return Group(
        Text(heading(load, prices), style="bold"),
        Text(ageing(load, keeping)),
        table,
        Text(f"List prices as of {prices.as_of}. {LEFT_OUT}", style="dim"),
    )


def markdown(found: Sequence[Month], load: Load, keeping: Keeping, prices: Prices) -> str:
    """For the README."""
    columns = _columns(found)
    lines = [
        f"{heading(load, prices)}: {ageing(load, keeping)}.",
        "",
        f"| US dollars | {' | '.join(columns)} |",
        f"|---|{'---:|' * len(columns)}",
        *(
            f"| {service} | {' | '.join(money(month.services[service]) for month in columns.values())} |"
            for service in SERVICES
        ),
        f"| **together** | {' | '.join(f'**{money(month.total)}**' for month in columns.values())} |",
        "",
        f"List prices as of {prices.as_of}. {LEFT_OUT}",
        "",
    ]
    return "\n".join(lines)


def document(found: Sequence[Month], load: Load, keeping: Keeping, prices: Prices) -> dict[str, Any]:
    """For programs: dollars by month and service, and everything they were reckoned from."""
    return {
        "ok": True,
        "region": prices.region,
        "pricesAsOf": prices.as_of,
        "sources": dict(prices.sources),
        "load": asdict(load) | {"bytes": load.size, "puts": load.puts},
        "keeping": asdict(keeping),
        "months": [{"services": dict(month.services), "total": month.total} for month in found],
        "total": estimate.whole(found).total,
    }


def money(value: float) -> str:
    """Cents; what is less than one, but not nothing, says so."""
    return "<0.01" if 0 < value < 0.005 else f"{value:,.2f}"  # noqa: PLR2004 -- half a cent


def _columns(found: Sequence[Month]) -> dict[str, Month]:
    """The first month, the last, and all together."""
    columns = {"month 1": found[0]}
    if len(found) > 1:
        columns |= {f"month {len(found)}": found[-1], "together": estimate.whole(found)}
    return columns
