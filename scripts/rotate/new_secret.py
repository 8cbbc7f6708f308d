"""A new secret from whoever rotates: by the environment, a hidden prompt, or a pipe; never on a command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from getpass import getpass

from infra.keys import KEYS
from scripts.errors import UsageError

LONGEST = 4096


def ask(
    question: str, variable: str, env: Mapping[str, str] = os.environ, hidden: Callable[[str], str] = getpass
) -> str:
    """The secret, without blanks around it.

    `variable` is the environment variable that may hold it. Raises UsageError when there is none.
    """
    if env.get(variable):
        return env[variable].strip()
    text = hidden(f"{question}: ") if sys.stdin.isatty() else sys.stdin.readline(LONGEST)
    if not text.strip():
        raise UsageError(f"{question}: pipe it in, type it when asked, or set {variable}; nothing came")
    return text.strip()


def checked(name: str, value: str) -> str:
    """The value, when it may stand under a key of the configuration. Raises UsageError with the rule that it breaks."""
    key = next(key for key in KEYS if key.name == name)
    if not value or not key.check(value):
        raise UsageError(f"the new {name} breaks its rule: {key.rule}")
    return value
