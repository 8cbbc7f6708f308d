"""Rows about the zip: its size, and what of it each function loads when it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile

from tests.bench import environment
from tests.bench.aws_stub import AwsStub
from tests.bench.cold_start import FUNCTIONS
from tests.bench.libraries import Libraries, python_environment
from tests.bench.row import Row

_LOADED = """
import importlib, json, sys
importlib.import_module(sys.argv[1]).app()
json.dump([file for module in [*sys.modules.values()] if (file := getattr(module, "__file__", None))], sys.stdout)
"""


def rows(libraries: Libraries) -> list[Row]:
    """In bytes of the zip, that is compressed."""
    with zipfile.ZipFile(libraries.archive) as packed:
        sizes = {entry.filename: entry.compress_size for entry in packed.infolist()}
    own = sum(size for name, size in sizes.items() if name.startswith("functions/"))
    made = [
        Row(
            what="zip: all functions and their libraries",
            figure=f"{libraries.archive.stat().st_size / 1e6:.2f} MB",
            against=f"of that our own modules {own / 1e3:.0f} kB",
        )
    ]
    with AwsStub(secret=environment.SECRET) as aws:
        for name, (variables, _) in FUNCTIONS.items():
            loaded = [file for file in _loaded(name, libraries, {**aws.environment, **variables}) if file in sizes]
            ours = [file for file in loaded if file.startswith("functions/")]
            made.append(
                Row(
                    what=f"zip: what {name} loads when it starts",
                    figure=f"{sum(sizes[file] for file in ours) / 1e3:.0f} kB in {len(ours)} modules of our own",
                    against=f"{sum(sizes[file] for file in loaded if file not in ours) / 1e3:.0f} kB of libraries",
                )
            )
    return made


def _loaded(name: str, libraries: Libraries, variables: dict[str, str]) -> set[str]:
    """The files below the unpacked zip that are loaded, as the zip names them."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", _LOADED, f"functions.{name}"],
        env={**python_environment(libraries.path), **variables},
        stdout=subprocess.PIPE,
        check=True,
    )
    files: list[str] = json.loads(done.stdout.splitlines()[-1])
    tree = f"{libraries.tree}{os.sep}"
    return {file.removeprefix(tree) for file in files if file.startswith(tree)}
