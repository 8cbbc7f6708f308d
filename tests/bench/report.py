"""The figures as a document (pure)."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence

from tests.bench.row import Row

_HEAD = """# What it costs

Written by `make bench` with Python {python}, {versions}.
Figures of a row come from the same run, taken in turn; compare ratios, not machines.

- The functions run inside AWS's own runtime client (`awslambdaric`), from the unpacked zip, against a Runtime API on
  loopback. As on Lambda, boto3 is the runtime's own and compiled, and nothing in the zip is.
- CPU is processor time: of the handler for a webhook, of the whole process for a start. Time on the clock is shown
  beside it and judged just for `deliver`, which waits for Airtable: other work on the machine counts in it.
- The floor of `receive` is what nobody who checks a webhook can leave out: base64, HMAC-SHA256 over the token, SHA-256
  and JSON of the body.
- Airtable's stand-in answers in 100 ms. AWS is answered at once, without TLS.
"""
_MISSED = """
## What is missed, and why
"""
_PROFILE = """
## Where a start goes

Milliseconds of CPU by package: reading, compiling and running its modules, those that it imports left out.
"""
_COLUMNS = ("what", "figure", "against", "ratio", "target", "")


def document(rows: Sequence[Row], profiles: Mapping[str, Mapping[str, float]], versions: Mapping[str, str]) -> str:
    """Markdown: the table of rows, then processor time by package and function."""
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    parts = [
        _HEAD.format(python=platform.python_version(), versions=named),
        table(_COLUMNS, [row.cells() for row in rows]),
    ]
    if missed := [f"- {row.what}: {row.why or 'not explained'}." for row in rows if row.verdict == "miss"]:
        parts += [_MISSED, "\n".join(missed)]
    if profiles:
        packages = sorted(
            {name for profile in profiles.values() for name in profile}, key=lambda name: -_most(profiles, name)
        )
        body = [(name, *(_cell(profile.get(name)) for profile in profiles.values())) for name in packages]
        parts += [_PROFILE, table(("package", *profiles), body)]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *body]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _most(profiles: Mapping[str, Mapping[str, float]], package: str) -> float:
    return max(profile.get(package, 0.0) for profile in profiles.values())


def _cell(milliseconds: float | None) -> str:
    return "" if milliseconds is None else f"{milliseconds:.0f}"
