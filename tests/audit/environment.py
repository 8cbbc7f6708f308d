"""Prowler's own virtual environment, in the user's cache: it weighs more than a gigabyte, and outlives the clone."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from infra.package import ROOT
from scripts.errors import LocalStackError
from scripts.local import cache

LOCK = ROOT / "requirements" / "audit.txt"
NEWEST_PYTHON = (3, 13)


def prowler(report: Callable[[str], None]) -> Path:
    """Prowler's program; its environment is made from the lock when there is none of these versions.

    Raises LocalStackError when this Python is too new for Prowler, or an install fails.
    """
    place = cache.folder() / "prowler" / _digest()
    program, whole = place / "bin" / "prowler", place / "installed"
    if whole.exists():
        return program
    if sys.version_info[:2] > NEWEST_PYTHON:
        newest = ".".join(map(str, NEWEST_PYTHON))
        raise LocalStackError(
            f"Prowler needs Python {newest} or older. Run: make clean && make PYTHON=python{newest} audit"
        )
    report("installing Prowler: once, about 1.5 GB and a few minutes")
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    _run([sys.executable, "-m", "venv", "--without-pip", str(place)])
    uv = Path(sys.executable).with_name("uv")
    _run([str(uv), "pip", "install", "--quiet", "--python", str(place), "--require-hashes", "-r", str(LOCK)])
    whole.touch()
    for old in place.parent.iterdir():
        if old != place:
            shutil.rmtree(old, ignore_errors=True)  # of other versions, at a gigabyte each
    return program


def _digest() -> str:
    python = f"{sys.version_info.major}.{sys.version_info.minor} {sys.base_prefix}"
    return hashlib.sha256(python.encode() + LOCK.read_bytes()).hexdigest()[:16]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise LocalStackError(f"{command[0]} answered {done.returncode}: {done.stderr.strip()[-2000:]}")
