"""How the figures are shown: for people with bars of characters, for programs as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scripts.dashboard.readings import LOGS, Page, Reading, Shown
from scripts.dashboard.span import moment
from scripts.reconcile.span import words

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "123456789"
NOTHING = "·"
FROM_LOGS = "counted from the logs: CloudWatch has no metrics of this stack (yet)"


def shown(page: Page, *, blocks: bool = True) -> RenderableType:
    """For people. Without `blocks` in digits, for a terminal that has no such characters."""
    span = page.span
    length, until = words(span.count * span.period), f"{moment(span.end):%Y-%m-%d %H:%M}"
    head = f"Stack {page.stack}, the last {length} until {until} UTC, a column is {words(span.period)}"
    parts: list[RenderableType] = [Text(head, style="bold")]
    ringing = sorted(name for name, state in page.alarms.items() if state == "ALARM")
    parts += [Text(f"! alarm rings: {name}", style="red") for name in ringing]
    if page.alarms and not ringing:
        parts.append(Text(f"no alarm rings ({len(page.alarms)} are set)", style="green"))
    made = Table(box=None, pad_edge=False, show_header=False)
    for justify in ("left", "right", "left", "left"):
        made.add_column(justify=justify)
    for one in page.figures:
        _rows(made, one, page.stack, blocks=blocks)
    parts.append(made)
    if page.source == LOGS:
        parts.append(Text(FROM_LOGS, style="dim"))
    return Group(*parts)


def _rows(table: Table, one: Shown, stack: str, *, blocks: bool) -> None:
    do = f"{one.figure.do} --stack {stack}" if one.wrong else ""
    table.add_row(Text(one.figure.title, style="bold"), "", "", Text(do, style="red"))
    limit = one.figure.limit
    for reading in one.readings:
        wrong = one.is_wrong(reading)
        table.add_row(
            f"  {reading.series.label}",
            Text(number(reading.whole, one.figure.unit), style="red" if wrong else ""),
            Text(spark(reading.values, blocks=blocks), style="red" if wrong else "cyan"),
            Text(f"alarm at {number(limit, one.figure.unit)}" if limit is not None else "", style="dim"),
        )


def spark(values: Sequence[float | None], *, blocks: bool = True) -> str:
    """A character a value, as high as it is against the highest; a dot where there was nothing, or zero."""
    signs = BLOCKS if blocks else PLAIN
    highest = max((value for value in values if value), default=0.0)
    return "".join(signs[max(0, round(value / highest * len(signs)) - 1)] if value else NOTHING for value in values)


def number(value: float | None, unit: str = "") -> str:
    """A value as short as it may be; a dash where there was none."""
    return "-" if value is None else f"{value:,.0f}" + (f" {unit}" if unit else "")


def document(page: Page) -> dict[str, Any]:
    """For programs; times in ISO 8601, UTC."""
    return {
        "stack": page.stack,
        "ok": True,
        "since": moment(page.span.start).isoformat(),
        "periodSeconds": page.span.period,
        "source": page.source,
        "alarms": dict(page.alarms),
        "figures": [_figure(one) for one in page.figures],
    }


def _figure(one: Shown) -> dict[str, Any]:
    return {
        "id": one.figure.id,
        "title": one.figure.title,
        "attention": one.wrong,
        "command": one.figure.do,
        "limit": one.figure.limit,
        "series": [_series(reading) for reading in one.readings],
    }


def _series(reading: Reading) -> dict[str, Any]:
    metric = reading.series.metric
    return {
        "label": reading.series.label,
        "namespace": metric.namespace,
        "metric": metric.name,
        "dimensions": dict(metric.dimensions),
        "statistic": metric.statistic,
        "whole": reading.whole,
        "values": list(reading.values),
    }
