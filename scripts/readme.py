"""The parts of README.md that the program itself knows: keys, alarms, costs with a picture. `make docs` writes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from infra.alarm_rules import Rule, rules
from infra.keys import KEYS
from infra.rules import Key
from infra.watched import PARTS, Watched
from scripts.cost import plot, prices, report
from scripts.cost.estimate import months
from scripts.cost.practice import Keeping, Load
from scripts.deployment import ROOT

README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "cost.svg"
# What `callrec cost` says without an option.
LOAD, KEEPING, REGION, YEAR = Load(calls=100, minutes=30, bitrate=32, plays=0.2), Keeping(), "us-east-1", 12
STACK = "NAME"


def keys() -> str:
    """Every configuration key with its default and its rule, in Markdown."""
    rows = [f"| `{key.name}` | {_default(key)} | {key.rule} |" for key in KEYS]
    return "\n".join(["| key | default | rule |", "|---|---|---|", *rows, ""])


def alarms() -> str:
    """Every alarm: when it rings at the defaults, what that means, what to do."""
    default = Keeping()
    watched = Watched(
        stack=STACK,
        functions={part: f"callrec-{STACK}-{part}" for part in PARTS},
        queue="",
        dead_letters="",
        reconcile_minutes=default.reconcile_minutes,
        settle_seconds=default.settle_seconds,
    )
    rows = [
        f"| `{rule.name}` | {_when(rule)} | {rule.means} | {rule.do.format(stack=STACK)} |" for rule in rules(watched)
    ]
    return "\n".join(["| alarm | rings at | meaning | then |", "|---|---|---|---|", *rows, ""])


def costs() -> str:
    """What `callrec cost` says, in Markdown."""
    table = prices.load(REGION)
    return report.markdown(months(YEAR, LOAD, KEEPING, table), LOAD, KEEPING, table)


def picture() -> str:
    """What `callrec cost --plot` draws."""
    table = prices.load(REGION)
    return plot.picture(months(YEAR, LOAD, KEEPING, table), report.heading(LOAD, table))


PARTS_OF_IT: dict[str, Callable[[], str]] = {"configuration keys": keys, "alarms": alarms, "costs": costs}
PART = re.compile(rf"(<!-- ({'|'.join(PARTS_OF_IT)}) -->\n).*?(<!-- end -->)", re.DOTALL)


def written(text: str) -> str:
    """README's text with its parts as the program has them now."""
    return PART.sub(lambda found: f"{found[1]}{PARTS_OF_IT[found[2]]()}{found[3]}", text)


def _default(key: Key) -> str:
    if key.required:
        return "required, secret" if key.secret else "required"
    if key.secret:
        return "unset, secret"
    return f"`{key.default}`" if key.default else "unset"


def _when(rule: Rule) -> str:
    unit = "s" if "Age" in rule.metric.name else ""
    minutes = rule.period * rule.periods // 60
    span = "an hour" if minutes == 60 else f"{minutes} minutes"  # noqa: PLR2004 -- an hour's
    return f"none in {span}" if rule.below else f"{rule.threshold:,.0f}{f' {unit}' if unit else ''} in {span}"


def main(readme: Path = README, drawn: Path = PICTURE) -> None:
    """Write the parts and the picture anew."""
    readme.write_text(written(readme.read_text()))
    drawn.write_text(picture(), encoding="utf-8")


if __name__ == "__main__":
    main()
