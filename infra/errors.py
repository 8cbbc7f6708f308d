"""What the Pulumi program refuses to do, and why."""

from __future__ import annotations

import pulumi


class InfraError(pulumi.RunError):
    """Base of the program's errors; the engine prints a `RunError` as one message, without a traceback."""


class ConfigError(InfraError):
    """The stack's configuration breaks a rule; the message lists every breach with the command that mends it."""


class PackageError(InfraError):
    """The functions' zip could not be built."""
