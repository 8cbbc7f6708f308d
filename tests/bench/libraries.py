"""What a function finds on its path: the zip, unpacked, and the libraries that Lambda's runtime brings itself."""

from __future__ import annotations

import compileall
import os
import platform
import re
import shutil
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from infra import package
from infra.package import Target

#: What Lambda's Python runtime has besides the standard library.
_RUNTIME = ("awslambdaric", "boto3")
_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}
HANDLERS = Path(__file__).parent / "handlers"


@dataclass(frozen=True, kw_only=True)
class Libraries:
    """`tree`: the unpacked zip; `runtime`: what AWS adds; `archive`: the zip itself."""

    archive: Path
    tree: Path
    runtime: Path

    @property
    def path(self) -> list[Path]:
        """The functions' path as on Lambda: what the zip brings comes first."""
        return [self.tree, self.runtime]

    @property
    def bench_path(self) -> list[Path]:
        """The same and the handlers that are compared with ours."""
        return [self.tree, HANDLERS, self.runtime]


def python_environment(path: Sequence[Path]) -> dict[str, str]:
    """Python finds `path`, and compiles nothing for the next start: on Lambda the task's folder is read-only."""
    return {"PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONDONTWRITEBYTECODE": "1"}


def prepare(folder: Path) -> Libraries:
    """Build the zip for this machine's Python and lay everything out below `folder`."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    archive = package.build(Target(python=python, architecture=_ARCHITECTURES[platform.machine()]), folder / "zip")
    tree, runtime = folder / "task", folder / "runtime"
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tree)
    for name in _closure(_RUNTIME):
        _copy(metadata.distribution(name), runtime)
    compileall.compile_dir(runtime, quiet=2)  # as AWS ships it; the zip holds no compiled files
    return Libraries(archive=archive, tree=tree, runtime=runtime)


def _closure(names: tuple[str, ...]) -> set[str]:
    """The distributions and all they require."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found.add(name)
        required = metadata.distribution(name).requires or []
        pending += [re.split(r"[^A-Za-z0-9_.-]", line)[0] for line in required if "extra ==" not in line]
    return found


def _copy(distribution: metadata.Distribution, into: Path) -> None:
    for file in distribution.files or []:
        source = Path(str(distribution.locate_file(file)))
        if ".." in file.parts or "__pycache__" in file.parts or not source.is_file():
            continue
        target = into / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
