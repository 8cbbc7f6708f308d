"""Building a program from its Go module, pinned by a go.mod and go.sum of ours, for machines without a download."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.errors import LocalStackError, ScriptError

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class GoProgram:
    """`folder` holds go.mod and go.sum; `package` is what is built, of the pinned `module`.

    `name` in sentences; `without_go` is said when Go is missing; `error` is raised for everything that goes wrong.
    """

    folder: Path
    module: str
    package: str
    name: str
    without_go: str
    stamp: str = ""
    error: type[ScriptError] = LocalStackError

    def version(self) -> str:
        """The version of the module that go.mod pins, without its leading v."""
        line = rf"^\s*(?:require )?{re.escape(self.module)} v(\S+)(?: //.*)?$"
        found = re.search(line, (self.folder / "go.mod").read_text(), re.MULTILINE)
        if found is None:
            raise self.error(f"{self.folder.name}/go.mod names no version of {self.module}")
        return found[1]

    def build(self, binary: Path, report: Report) -> None:
        """Compile to `binary`; `report` hears how far it is. A half-built binary is never left behind."""
        go = shutil.which("go")
        if go is None:
            raise self.error(self.without_go)
        report(f"fetching the sources of {self.name}")
        total = len(self._run([go, "list", "-deps", self.package]).splitlines())
        binary.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=binary.parent) as scratch:
            unfinished = Path(scratch, binary.name)
            self._compile(go, unfinished, total, report)
            unfinished.replace(binary)

    def _compile(self, go: str, output: Path, total: int, report: Report) -> None:
        flags = ["-v", "-trimpath", "-ldflags", f"-s -w {self.stamp}".strip()]
        tail: list[str] = []
        with subprocess.Popen(  # noqa: S603 -- fixed words
            [go, "build", *flags, "-o", str(output), self.package],
            cwd=self.folder,
            env=_environment(),
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None  # noqa: S101 -- asked for above
            for number, line in enumerate(process.stderr, 1):
                tail = [*tail[-19:], line]
                report(f"compiled {min(number, total)} of about {total} packages")
        if process.returncode != 0:
            raise self.error(f"{self.name} could not be built: {''.join(tail).strip()}")

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(  # noqa: S603 -- fixed words
            command, cwd=self.folder, env=_environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise self.error(f"the sources of {self.name} could not be fetched: {done.stderr.strip()[-2000:]}")
        return done.stdout


@contextmanager
def alone(place: Path) -> Generator[None]:
    """Let one process at a time make `place`; the others wait and then find it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _environment() -> dict[str, str]:
    """Go's environment: the module alone decides the versions, and no workspace above it interferes."""
    return {**os.environ, "GOWORK": "off", "GOFLAGS": "-mod=readonly -buildvcs=false"}
