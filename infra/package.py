"""The functions' zip: `infra/functions/` and its hash-pinned libraries, the same bytes on every build."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from infra.config import StackConfig
from infra.errors import PackageError

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "infra" / "functions"
LOCK = ROOT / "requirements" / "lambda.txt"
OUTPUT = ROOT / ".local" / "package"

# A zip entry cannot be older than 1980; one fixed time for all keeps the archive repeatable.
EPOCH = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644 << 16
# Compiled or descriptive files: machine-dependent or never read by the functions.
LEFT_OUT = ("__pycache__", "RECORD", "INSTALLER", "REQUESTED", "direct_url.json", ".lock", "bin")


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """The machine that the zip will run on: Python as `3.13`, architecture as AWS spells it (`arm64`, `x86_64`)."""

    python: str
    architecture: str

    @classmethod
    def of(cls, config: StackConfig) -> Target:
        """The machine that the stack's functions run on."""
        return cls(
            python=config.text("functionRuntime").removeprefix("python"),
            architecture=config.text("functionArchitecture"),
        )

    @property
    def platform(self) -> str:
        """uv's name of the platform: wheels for glibc 2.17, which every Python runtime of Lambda satisfies."""
        machine = {"arm64": "aarch64", "x86_64": "x86_64"}[self.architecture]
        return f"{machine}-manylinux2014"


def build(target: Target, output: Path = OUTPUT) -> Path:
    """Build the zip for `target`, or find the one already built from the same sources and lock.

    Returns the zip's path; its name carries the digest of everything that went in.
    Raises PackageError when the libraries cannot be fetched or do not match their hashes.
    """
    wanted = output / f"functions-{_digest(target)}.zip"
    if wanted.exists():
        return wanted
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output) as scratch:
        tree, unfinished = Path(scratch, "tree"), Path(scratch, "functions.zip")
        _install(target, tree)
        shutil.copytree(SOURCES, tree / "functions", ignore=shutil.ignore_patterns("__pycache__"))
        write_zip(tree, unfinished)
        unfinished.replace(wanted)
    return wanted


def write_zip(tree: Path, archive: Path) -> None:
    """Pack `tree` into `archive` so that equal trees give equal bytes: sorted, one time, one mode."""
    files = sorted(path for path in tree.rglob("*") if path.is_file() and not _left_out(path.relative_to(tree)))
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(tree).as_posix(), EPOCH)
            entry.external_attr = FILE_MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whatever machine builds
            packed.writestr(entry, path.read_bytes())


def _left_out(path: Path) -> bool:
    return any(part in LEFT_OUT for part in path.parts)


def _digest(target: Target) -> str:
    """Digest of the target and of every byte that goes into the zip, this recipe included."""
    digest = hashlib.sha256(f"{target.python} {target.platform}\n".encode())
    sources = sorted(path for path in SOURCES.rglob("*") if path.is_file() and not _left_out(path.relative_to(SOURCES)))
    for path in (Path(__file__), LOCK, *sources):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _install(target: Target, tree: Path) -> None:
    """Install the locked libraries into `tree`: wheels only, since nothing can be compiled for another machine."""
    command = [
        _uv(), "pip", "install", "--quiet", "--no-config", "--target", str(tree), "--requirements", str(LOCK),
        "--require-hashes", "--only-binary", ":all:", "--no-deps", "--link-mode", "copy",
        "--python-version", target.python, "--python-platform", target.platform,
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 -- fixed words and our own paths
    if done.returncode != 0:
        raise PackageError(
            f"the functions' zip cannot be built for python {target.python} on {target.architecture}: "
            f"uv answered {done.returncode}: {done.stderr.strip()[-2000:]}"
        )


def _uv() -> str:
    """Find uv beside the running interpreter, else on PATH."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which("uv", path=places)
    if found is None:
        raise PackageError("uv is not installed in this environment: run `make setup`")
    return found
