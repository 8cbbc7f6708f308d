"""The document of `--json` is one and whole, even when a signal comes while its reader is slow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINES = 4_000  # more than a pipe holds: the program waits in the middle of its document
PROGRAM = """
    import sys, typer
    from scripts.context import Context
    from scripts.document import print_document
    from scripts.guarded import guarded

    def task():
        print_document({"lines": ["x" * 50] * int(sys.argv[1])})
        return 0

    sys.exit(guarded(Context(stack="dev"), "task", task, as_json=True))
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_while_it_is_printed_breaks_nothing_off(number: signal.Signals, unbuffered: str) -> None:
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(LINES)]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        begun = running.stdout.read(1)
        time.sleep(0.2)
        running.send_signal(number)
        time.sleep(0.2)
        said = begun + running.stdout.read()
    assert len(json.loads(said)["lines"]) == LINES
    assert running.returncode == 0
