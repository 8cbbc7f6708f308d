"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# No test asserts a time, not even how long an example takes: a busy machine is no fault.
settings.register_profile("callrec", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("callrec")

# What a terminal, or a CI that colours its log, says of itself is nothing that a command is to be tested with. This
# comes before Typer is imported, which looks for good.
for name in (
    "CLICOLOR_FORCE",
    "COLUMNS",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "LINES",
    "NO_COLOR",
    "PY_COLORS",
    "TERM",
    "TERMINAL_WIDTH",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
):
    os.environ.pop(name, None)
