"""One target under libFuzzer: `python -m tests.fuzz TARGET [libFuzzer's options] [corpus folders]`."""

from __future__ import annotations

import importlib
import resource
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

#: What is watched for new paths; C code (json, zlib, OpenSSL) cannot be.
WATCHED = ["infra.functions", "tests.fuzz", "jwt", "itsdangerous"]
#: What one input may cost at its peak: itself many times over (JSON as objects), and what a token of ours may
#: unpack to: 4,500 bytes grow to 4.6 MB at most, held as bytes and as text.
PEAK_FACTOR, PEAK_BYTES = 200, 12_000_000
#: Processor time: a busy machine is no fault. What hangs without using any, libFuzzer ends by the wall's clock.
CPU_SECONDS = 5.0
#: What a runaway inside C may take before it gets a MemoryError; libFuzzer's own limit looks once a second.
HEADROOM_BYTES = 512 * 2**20


def main() -> None:
    """Import the target under instrumentation and hand over to libFuzzer, which ends the process."""
    name, options = sys.argv[1], sys.argv[2:]
    atheris: Any = importlib.import_module("atheris")  # not on every platform
    with atheris.instrument_imports(include=WATCHED):
        target = importlib.import_module(f"tests.fuzz.{name}")
    _limit_memory()
    tracemalloc.start(1)

    def one_input(data: bytes) -> None:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        began = time.process_time()
        target.one_input(data)
        took = time.process_time() - began
        _, peak = tracemalloc.get_traced_memory()
        assert took <= CPU_SECONDS, f"{len(data)} bytes took {took:.1f} s"
        assert peak - before <= PEAK_BYTES + PEAK_FACTOR * len(data), f"{len(data)} bytes took {peak - before}"

    atheris.Setup([f"tests.fuzz.{name}", *options], one_input)
    atheris.Fuzz()


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])  # data and stack
    limit = pages * resource.getpagesize() + HEADROOM_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main()
