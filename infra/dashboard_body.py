"""The dashboard as CloudWatch's JSON (pure).

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infra.figures import Figure, Series, figures
from infra.watched import Metric, Watched

# The grid is 24 wide: three figures beside each other.
WIDTH, HEIGHT, COLUMNS = 8, 6, 3
ALARMS_HEIGHT, TEXT_HEIGHT = 4, 8


def body(watched: Watched, region: str, alarm_arns: Sequence[str]) -> dict[str, Any]:
    """The alarms' states, the figures, and what to do."""
    shown = figures(watched)
    placed = [_figure(one, region, index) for index, one in enumerate(shown)]
    end = ALARMS_HEIGHT + HEIGHT * -(-len(shown) // COLUMNS)
    return {
        "start": "-P1D",
        "periodOverride": "inherit",
        "widgets": [_alarms(alarm_arns), *placed, _text(shown, watched, end)],
    }


def _alarms(arns: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "alarm",
        **_place(0, 0, 24, ALARMS_HEIGHT),
        "properties": {"title": "Alarms: red rings", "alarms": list(arns)},
    }


def _figure(figure: Figure, region: str, index: int) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "title": figure.title,
        "region": region,
        "view": "timeSeries",
        "stacked": False,
        "period": figure.period,
        "metrics": [_line(series) for series in figure.series],
        "yAxis": {"left": {"min": 0, "label": figure.unit or "count", "showUnits": False}},
    }
    if figure.limit is not None:
        properties["annotations"] = {"horizontal": [{"label": "rings", "value": figure.limit}]}
    row, column = divmod(index, COLUMNS)
    return {
        "type": "metric",
        **_place(column * WIDTH, ALARMS_HEIGHT + row * HEIGHT, WIDTH, HEIGHT),
        "properties": properties,
    }


def _line(series: Series) -> list[Any]:
    options = {"label": series.label, "stat": series.metric.statistic}
    return [*parts(series.metric), options]


def parts(metric: Metric) -> list[str]:
    """Namespace, name, and each dimension's name and value."""
    dimensions = [word for pair in metric.dimensions.items() for word in pair]
    return [metric.namespace, metric.name, *dimensions]


def _text(shown: Sequence[Figure], watched: Watched, y: int) -> dict[str, Any]:
    rows = "\n".join(f"| {one.title} | `{one.do} --stack {watched.stack}` |" for one in shown)
    markdown = (
        "## What to do\nAn alarm's mail names the command to begin with. By figure:\n\n"
        f"| figure | command |\n|---|---|\n{rows}\n\n"
        f"The same figures in a terminal: `callrec dashboard --stack {watched.stack}`; every hop tried: "
        f"`callrec verify --stack {watched.stack}`."
    )
    return {"type": "text", **_place(0, y, 24, TEXT_HEIGHT), "properties": {"markdown": markdown}}


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "width": width, "height": height}
