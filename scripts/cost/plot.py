"""The months as a picture: stacked bars, the same bytes for the same figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pygal
from pygal.style import Style

from scripts.cost.estimate import Month
from scripts.errors import UsageError

#: Services that belong together; twelve colours nobody can tell apart.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "keys, alarms, dashboard": ("KMS key", "Secrets Manager", "CloudWatch alarms, mails", "CloudWatch dashboard"),
    "storage": ("S3 storage: Standard", "S3 storage: archive"),
    "requests, functions, queues": ("S3 requests, moves to the archive", "Lambda", "SQS"),
    "logs, metrics": ("CloudWatch logs", "CloudWatch metrics"),
    "plays": ("Plays: reading, sending",),
}
COLOURS = ("#9e9e9e", "#1565c0", "#ef6c00", "#6a1b9a", "#2e7d32")


def picture(months: Sequence[Month], title: str) -> str:
    """An SVG, without scripts and without anything that differs from run to run."""
    style: Any = Style(
        background="#ffffff",
        plot_background="#ffffff",
        colors=COLOURS,
        font_family="sans-serif",
        opacity="1",
        legend_font_size=12,
        title_font_size=13,
    )
    chart: Any = pygal.StackedBar(
        style=style,
        title=title,
        y_title="US dollars a month",
        x_title="month",
        width=900,
        height=420,
        truncate_legend=-1,
        js=(),
        no_prefix=True,
        print_values=False,
        disable_xml_declaration=True,
        pretty_print=True,
        value_formatter=_dollars,
    )
    chart.x_labels = [str(number) for number in range(1, len(months) + 1)]
    for name, services in GROUPS.items():
        chart.add(name, [round(sum(month.services[one] for one in services), 4) for month in months])
    drawn: str = chart.render(is_unicode=True)
    # What it is drawn by, with its version, would change the file and not the picture; a picture needs no script.
    return re.sub(r"(?:<!--.*?-->|<script.*?</script>)\s*", "", drawn, flags=re.DOTALL).strip() + "\n"


def _dollars(value: float) -> str:
    return f"${value:.2f}"


def draw(months: Sequence[Month], title: str, file: Path) -> None:
    """Write the picture into a file. Raises UsageError when it cannot be written."""
    try:
        file.write_text(picture(months, title), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--plot: {file} cannot be written ({error.strerror})") from None
