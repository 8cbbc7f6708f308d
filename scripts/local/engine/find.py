"""Where the Pulumi CLI comes from: PATH, the user's cache, Pulumi's installer, or a build from source."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pulumi.automation import PulumiCommand

from scripts.errors import EngineError
from scripts.local import cache
from scripts.local.engine.build import build, pinned_version
from scripts.local.go_program import Report, alone

# The installer downloads 60 MB; where its host cannot be reached it must not hold everything up.
INSTALLER_SECONDS = 120
INSTALL = """
import socket, sys
from pulumi.automation import PulumiCommand
from semver import VersionInfo
socket.setdefaulttimeout(10)
PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))
"""


def cached_root() -> Path:
    """Folder of the cached engine of the pinned version; the CLI is `bin/pulumi` in it."""
    return cache.folder() / "engine" / pinned_version()


def find(report: Report) -> PulumiCommand:
    """Return a working Pulumi CLI, however it must be had; `report` hears what takes time.

    Raises EngineError when every way fails.
    """
    root = cached_root()
    command = _usable(None) or _usable(root)
    if command is not None:
        return command
    with alone(root):
        command = _usable(root)  # another process may have made it while this one waited
        if command is None:
            _obtain(root, report)
            command = _usable(root)
    if command is None:
        raise EngineError(f"the Pulumi CLI in {root} does not run: remove that folder and try again")
    return command


def _usable(root: Path | None) -> PulumiCommand | None:
    """The CLI under `root`, or on PATH for None, when it is there and runs."""
    try:
        return PulumiCommand(root=None if root is None else str(root))
    except (OSError, RuntimeError, subprocess.SubprocessError, ValueError):
        return None
    except Exception as error:
        # The SDK's own errors share no base but Exception; anything unforeseen must still be seen.
        if type(error).__module__.startswith("pulumi."):
            return None
        raise


def _obtain(root: Path, report: Report) -> None:
    report("asking Pulumi's installer")
    if not _installed(root):
        report("Pulumi's installer cannot be reached; building the engine from source, once: this takes minutes")
        build(root / "bin" / "pulumi", report)


def _installed(root: Path) -> bool:
    if os.environ.get("CALLREC_ENGINE") == "build":
        return False
    try:
        done = subprocess.run(  # noqa: S603 -- fixed words and our own paths
            [sys.executable, "-c", INSTALL, str(root), pinned_version()],
            check=False,
            capture_output=True,
            timeout=INSTALLER_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
