"""Building the Pulumi CLI from its Go module, for machines that reach package registries only."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from scripts.errors import EngineError

MODULE = Path(__file__).resolve().parent
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
REQUIREMENT = re.compile(r"^\s*(?:require )?github\.com/pulumi/pulumi/pkg/v3 v(\S+)(?: //.*)?$", re.MULTILINE)

Report = Callable[[str], None]


def pinned_version() -> str:
    """Version of the engine that `go.mod` pins, without its leading v."""
    found = REQUIREMENT.search((MODULE / "go.mod").read_text())
    if found is None:
        raise EngineError(f"{MODULE.name}/go.mod names no version of github.com/pulumi/pulumi/pkg/v3")
    return found[1]


def build(binary: Path, report: Report) -> None:
    """Compile the pinned engine to `binary`: about 5 minutes on 2 cores, 110 MB; `report` hears how far it is.

    Raises EngineError when Go is missing or the build fails; a half-built binary is never left behind.
    """
    go = shutil.which("go")
    if go is None:
        raise EngineError(
            "no Pulumi CLI on PATH, none could be downloaded, and Go is not installed to build it: "
            "install either one (https://www.pulumi.com/docs/install/ or https://go.dev/doc/install)"
        )
    report("fetching the engine's sources")
    total = len(_run([go, "list", "-deps", PACKAGE]).splitlines())
    binary.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=binary.parent) as scratch:
        unfinished = Path(scratch, "pulumi")
        _compile(go, unfinished, total, report)
        unfinished.replace(binary)


def _compile(go: str, output: Path, total: int, report: Report) -> None:
    stamp = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={pinned_version()}"
    command = [go, "build", "-v", "-trimpath", "-ldflags", stamp, "-o", str(output), PACKAGE]
    tail: list[str] = []
    with subprocess.Popen(  # noqa: S603 -- fixed words
        command, cwd=MODULE, env=_environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None  # noqa: S101 -- asked for above
        for number, line in enumerate(process.stderr, 1):
            tail = [*tail[-19:], line]
            report(f"compiled {min(number, total)} of about {total} packages")
    if process.returncode != 0:
        raise EngineError(f"the Pulumi engine could not be built: {''.join(tail).strip()}")


def _run(command: list[str]) -> str:
    done = subprocess.run(  # noqa: S603 -- fixed words
        command, cwd=MODULE, env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise EngineError(f"the engine's sources could not be fetched: {done.stderr.strip()[-2000:]}")
    return done.stdout


def _environment() -> dict[str, str]:
    """Go's environment: the module alone decides the versions, and no workspace above it interferes."""
    return {**os.environ, "GOWORK": "off", "GOFLAGS": "-mod=readonly -buildvcs=false"}
