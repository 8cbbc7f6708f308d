"""The one JSON document that a command with `--json` leaves on stdout."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from typing import Any

import typer

from scripts.interruption import SIGNALS, uninterruptible


def print_document(document: Mapping[str, Any]) -> None:
    """Print it whole, as the last thing that a command does: a signal that comes meanwhile is forgotten.

    Whoever does not read it to its end has to go, which ends the command as well: Ctrl-C would not. Otherwise Ctrl-C
    could leave half a document, and a second one behind it that says "interrupted".
    """
    text = json.dumps(document, indent=2)
    with uninterruptible():
        # With PYTHONUNBUFFERED set, Python loses the rest of what a signal interrupts, even one without effect:
        # https://docs.python.org/3/library/io.html#io.RawIOBase.write
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            typer.echo(text)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
