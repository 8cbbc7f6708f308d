"""`make bench`: measure everything, print the tables and write them to docs/bench.md.

`python -m tests.bench receive matching` measures some parts and just prints them.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

from tests.bench import cold_start, deliver, matching, profile, receive, size
from tests.bench.libraries import Libraries, prepare
from tests.bench.report import document
from tests.bench.row import Row

OUTPUT = Path(__file__).parents[2] / "docs" / "bench.md"
PARTS: Mapping[str, Callable[[Libraries], list[Row]]] = {
    "receive": receive.rows,
    "cold_start": cold_start.rows,
    "deliver": deliver.rows,
    "matching": lambda _: matching.rows(),
    "size": size.rows,
}
_VERSIONS = ("awslambdaric", "boto3", "livekit-api", "pyairtable")


def main(wanted: list[str]) -> None:
    """Progress on stderr, the document on stdout."""
    if unknown := set(wanted) - PARTS.keys():
        raise SystemExit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="callrec-bench-") as folder:
        _tell("building the functions' zip")
        libraries = prepare(Path(folder))
        for name in wanted or PARTS:
            _tell(f"measuring {name}")
            rows += PARTS[name](libraries)
        profiles = {} if wanted and "cold_start" not in wanted else profile.start_profiles(libraries)
    text = document(rows, profiles, {name: metadata.version(name) for name in _VERSIONS})
    sys.stdout.write(text)
    if not wanted:
        OUTPUT.parent.mkdir(exist_ok=True)
        OUTPUT.write_text(text, encoding="utf-8")
        _tell(f"written to {OUTPUT.relative_to(OUTPUT.parents[1])}")


def _tell(what: str) -> None:
    sys.stderr.write(f"bench: {what}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
