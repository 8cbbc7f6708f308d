"""Raw bytes: each target under libFuzzer, for CALLREC_FUZZ_SECONDS (a few seconds unless said otherwise)."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = int(os.environ.get("CALLREC_FUZZ_SECONDS", "5"))
SEED = int(os.environ.get("CALLREC_FUZZ_SEED") or random.randrange(1, 2**31))  # noqa: S311  # not for secrecy
#: Seconds for one input that hangs, MB for the process. libFuzzer's limit of single allocations needs a sanitizer's
#: hooks, which atheris has not: __main__.py bounds what one input may take.
OPTIONS = ("-timeout=120", "-rss_limit_mb=1024", "-max_len=20000")


def missing() -> str | None:
    """Why there is no libFuzzer here; None when there is."""
    if sys.platform != "linux" or platform.machine() != "x86_64" or sys.implementation.name != "cpython":
        return "atheris ships for CPython on Linux x86_64 only"
    if importlib.util.find_spec("atheris") is None:
        return f"atheris is not installed: it has no wheel for Python {platform.python_version()}"
    return None


@pytest.mark.timeout(SECONDS + 700)
@pytest.mark.parametrize("name", ["receive", "recording", "play"])
def test_no_bytes_break_it(name: str, tmp_path: Path) -> None:
    """Exceptions, time-outs and memory end the process with another code than 0; its output then says which input."""
    if reason := missing():
        pytest.skip(reason)
    seeds, found = tmp_path / "seeds", tmp_path / "found"
    for folder in (seeds, found):
        folder.mkdir()
    for number, data in enumerate(importlib.import_module(f"tests.fuzz.{name}").seeds()):
        (seeds / f"{number:03}").write_bytes(data)
    command = [
        # Linux counts what a process was before `exec` into the most memory it ever had, and after a fork that is ours:
        # with a shell in between libFuzzer's limit is about the fuzzer alone.
        "/bin/sh", "-c", '"$@"; exit $?', "sh",
        sys.executable, "-m", "tests.fuzz", name, *OPTIONS, f"-seed={SEED}", f"-max_total_time={SECONDS}",
        f"-artifact_prefix={tmp_path}/", str(found), str(seeds),
    ]  # fmt: skip
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        timeout=SECONDS + 600,
        cwd=ROOT,
    )
    broke = [f"{path.name}: {path.read_bytes()[:2000]!r}" for path in tmp_path.iterdir() if path.is_file()]
    told = "\n".join([f"CALLREC_FUZZ_SEED={SEED}", *broke, done.stdout[-3000:]])
    print(f"{name}: seed {SEED}, {_last_line(done.stdout)}")  # noqa: T201  # shown by `make fuzz`
    assert done.returncode == 0, told
    assert "Done " in done.stdout, told


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.startswith("Done ")), "not done")
