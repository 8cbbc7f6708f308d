"""Where Chromium comes from: $CHROME, PATH, the user's cache, or Debian's packages unpacked into that cache.

Nothing is installed, and nobody has to be root: apt resolves and checks the packages with lists of its own, dpkg only
unpacks them. What the machine has already (libraries, fonts) is used from there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scripts.errors import LocalStackError
from scripts.local import cache
from scripts.local.go_program import alone

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PACKAGES = ("chromium", "fonts-dejavu-core")
MEND = "Install Chromium or Chrome, or name one: CHROME=/path/to/chrome make browser"
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{root}/usr/share/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{root}/fonts-cache</cachedir></fontconfig>
"""

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Chromium:
    """A browser that runs; `environment` is what it needs besides ours."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def runs(self) -> bool:
        """Whether it starts at all: libraries that it shares with the machine may have gone."""
        command = [str(self.path), "--version"]
        try:
            done = subprocess.run(command, env={**os.environ, **self.environment}, capture_output=True, check=False)
        except OSError:
            return False
        return done.returncode == 0


def find(report: Report) -> Chromium:
    """A Chromium, however it must be had; `report` hears what takes time. Raises LocalStackError when there is none."""
    if chosen := os.environ.get("CHROME"):
        return Chromium(path=Path(chosen))
    if found := next(filter(None, map(shutil.which, NAMES)), None):
        return Chromium(path=Path(found))
    root = cache.folder() / "chromium" / "debian"
    with alone(root):
        if not (cached := unpacked(root)).runs():
            report("fetching Chromium from Debian's packages, once: 120 MB")
            fetch(root)
            cached = unpacked(root)
            if not cached.runs():
                raise LocalStackError(f"Debian's Chromium does not run here. {MEND}")
    return cached


def unpacked(root: Path) -> Chromium:
    """The browser under `root`, whether it is there or not; it looks for its libraries there, too."""
    places = [root / "usr/lib/chromium", *root.glob("usr/lib/*-linux-gnu*"), *root.glob("lib/*-linux-gnu*")]
    places += root.glob("usr/lib/*-linux-gnu*/pulseaudio")
    known = os.environ.get("LD_LIBRARY_PATH")
    return Chromium(
        path=root / "usr/lib/chromium/chromium",
        environment={
            "LD_LIBRARY_PATH": os.pathsep.join([*map(str, places), *([known] if known else [])]),
            "FONTCONFIG_FILE": str(root / "fonts.conf"),
        },
    )


def fetch(root: Path) -> None:
    """Unpack Chromium, and what it needs and the machine lacks, to `root`; whole or not at all."""
    apt = shutil.which("apt-get")
    if apt is None or shutil.which("dpkg") is None:
        raise LocalStackError(f"there is no Chromium here, and no apt-get to fetch one with. {MEND}")
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
        _download(apt, Path(scratch))
        made = Path(scratch, "root")
        for package in Path(scratch, "archives").glob("*.deb"):
            _run(["dpkg", "-x", str(package), str(made)])
        if not unpacked(made).path.exists():
            raise LocalStackError(f"this system's package of Chromium holds none. {MEND}")
        (made / "fonts.conf").write_text(FONTS.format(root=root))
        shutil.rmtree(root, ignore_errors=True)
        made.rename(root)


def _download(apt: str, folder: Path) -> None:
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True)
    own = {
        "Dir::State::lists": folder / "lists",
        "Dir::Cache": folder,
        "Dir::Cache::archives": folder / "archives",
        "Debug::NoLocking": 1,
        "APT::Sandbox::User": "",
    }
    options = [word for name, value in own.items() for word in ("-o", f"{name}={value}")]
    _run([apt, *options, "--quiet", "update"])
    _run([apt, *options, "--quiet", "--yes", "--no-install-recommends", "--download-only", "install", *PACKAGES])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-500:]
        raise LocalStackError(f"{Path(command[0]).name} could not fetch Chromium: {said}. {MEND}")
