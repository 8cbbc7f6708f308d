"""Why a start takes what it takes: processor time by package, the medians of several starts."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

from tests.bench import environment
from tests.bench.aws_stub import AwsStub
from tests.bench.cold_start import FUNCTIONS
from tests.bench.libraries import HANDLERS, Libraries, python_environment

STARTS = 5
#: Milliseconds; what takes less is summed up.
LEAST = 5.0
_REST = "everything else"


def start_profiles(libraries: Libraries) -> dict[str, dict[str, float]]:
    """Function → package → milliseconds of CPU, the most first."""
    with AwsStub(secret=environment.SECRET) as aws:
        return {name: _profile(name, libraries, {**aws.environment, **own}) for name, (own, _) in FUNCTIONS.items()}


def _profile(name: str, libraries: Libraries, variables: dict[str, str]) -> dict[str, float]:
    runs = [_once(name, libraries, variables) for _ in range(STARTS)]
    medians = {package: statistics.median(run.get(package, 0.0) for run in runs) for package in runs[0]}
    merged: dict[str, float] = {}
    for package, spent in medians.items():
        label = package if spent >= LEAST and package not in sys.stdlib_module_names else _REST
        label = "the standard library" if package in sys.stdlib_module_names else label
        merged[label] = merged.get(label, 0.0) + spent
    return dict(sorted(merged.items(), key=lambda item: (item[0] == _REST, -item[1])))


def _once(name: str, libraries: Libraries, variables: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-S", str(HANDLERS / "import_profile.py"), f"functions.{name}"],
        env={**python_environment(libraries.path), **variables},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])
