"""`callrec cost`: what a stack costs, by AWS's list prices. Exit code 0 said, 2 could not run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.keys import ARCHIVE_CLASSES
from scripts.context import Context, run_alone
from scripts.cost import plot, prices, report
from scripts.cost.estimate import months as estimated
from scripts.cost.practice import Keeping, Load, calls_a_day
from scripts.dead_letters.report import output
from scripts.document import print_document
from scripts.errors import UsageError
from scripts.guarded import guarded

SAID = 0
STANDARD_IA_DAYS = 30

Stack = Annotated[
    str | None,
    typer.Option("--stack", "-s", help="Take region, bitrate and how recordings age from this stack's configuration."),
]
Calls = Annotated[str, typer.Option("--calls", metavar="N[/PER]", help="Calls: 100/day, 500/week, 2000/month.")]
Minutes = Annotated[float, typer.Option("--minutes", min=0.1, max=1440, help="Minutes of a call.")]
Bitrate = Annotated[int | None, typer.Option("--bitrate", min=16, max=320, help="Kilobits a second; 32 unless given.")]
Plays = Annotated[float, typer.Option("--plays", min=0, max=1000, help="How often a recording is played.")]
MonthsOption = Annotated[int, typer.Option("--months", min=1, max=120, help="Months from the stack's first day on.")]
Region = Annotated[str | None, typer.Option("--region", help="AWS region; us-east-1 unless given.")]
ArchiveClass = Annotated[str | None, typer.Option("--archive-class", help="As the key archiveClass.")]
ArchiveAfter = Annotated[int | None, typer.Option("--archive-after-days", min=0, help="As archiveAfterDays.")]
Retention = Annotated[int | None, typer.Option("--retention-days", min=1, help="As retentionDays; kept without it.")]
Noncurrent = Annotated[int | None, typer.Option("--noncurrent-days", min=1, help="As noncurrentDays.")]
Plot = Annotated[Path | None, typer.Option("--plot", metavar="FILE", help="Draw the months into this SVG file.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="The table as Markdown.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def cost(
    ctx: typer.Context,
    *,
    stack: Stack = None,
    calls: Calls = "100/day",
    minutes: Minutes = 30,
    bitrate: Bitrate = None,
    plays: Plays = 0.2,
    months: MonthsOption = 12,
    region: Region = None,
    archive_class: ArchiveClass = None,
    archive_after_days: ArchiveAfter = None,
    retention_days: Retention = None,
    noncurrent_days: Noncurrent = None,
    plot_file: Plot = None,
    markdown: Markdown = False,
    as_json: AsJson = False,
) -> None:
    """Reckon what a stack costs, by service and month, from AWS's list prices, with the lifecycle applied.

    Needs no stack and asks nobody: the prices stand, with their date and sources, in scripts/cost/prices.toml. With
    --stack the settings are that stack's; an option beside it changes one of them. Least storage times and sizes count.
    Exit code: 0 said, 2 could not run.
    """
    context: Context = replace(ctx.obj, stack=stack or "")
    as_json = as_json or context.json
    given: dict[str, Any] = {
        "archive_class": archive_class,
        "archive_after": archive_after_days,
        "retention": retention_days,
        "noncurrent": noncurrent_days,
    }

    def task() -> int:
        config: Mapping[str, str] = {}
        place = region
        if stack:
            deployment = context.deployment()
            config, place = deployment.config, region or deployment.outputs.region
        table = prices.load(place or "us-east-1")
        keeping = checked(replace(Keeping.of(config), **{name: one for name, one in given.items() if one is not None}))
        kilobits = bitrate or int(config.get("audioBitrate") or 32)
        load = Load(calls=calls_a_day(calls), minutes=minutes, bitrate=kilobits, plays=plays)
        found = estimated(months, load, keeping, table)
        if plot_file is not None:
            plot.draw(found, report.heading(load, table), plot_file)
        if as_json:
            print_document(report.document(found, load, keeping, table))
        elif markdown:
            typer.echo(report.markdown(found, load, keeping, table), nl=False)
        else:
            output().print(report.shown(found, load, keeping, table))
        return SAID

    raise typer.Exit(guarded(context, "cost", task, as_json=as_json))


def checked(keeping: Keeping) -> Keeping:
    """Settings that the stack would take too. Raises UsageError."""
    if keeping.archive_class not in ARCHIVE_CLASSES:
        raise UsageError(f"--archive-class: one of {', '.join(ARCHIVE_CLASSES)}; got {keeping.archive_class!r}")
    if keeping.archive_class == "STANDARD_IA" and keeping.archive_after < STANDARD_IA_DAYS:
        raise UsageError(
            f"--archive-after-days: at least {STANDARD_IA_DAYS} for STANDARD_IA, a limit of S3; "
            f"got {keeping.archive_after}"
        )
    if keeping.retention is not None and keeping.archive_after >= keeping.retention:
        raise UsageError(
            f"--archive-after-days: below --retention-days ({keeping.retention}), since S3 refuses to archive what it "
            f"has deleted; got {keeping.archive_after}"
        )
    return keeping


def main() -> None:
    """Run the command by itself: `python -m scripts.cost.command`."""
    run_alone(cost)


if __name__ == "__main__":
    main()
