"""What the commands can fail of: one tree, each with what was wrong and what to do about it."""

from __future__ import annotations


class ScriptError(Exception):
    """Base of all errors of `callrec`; its text is shown to the user as it stands."""


class EngineError(ScriptError):
    """No Pulumi engine could be found, installed or built."""


class LocalStackError(ScriptError):
    """A part of the local stack did not start, or is not running."""


class StackError(ScriptError):
    """The stack named does not exist, is incomplete, or the engine refused what was asked."""


class NoStackError(StackError):
    """There is no stack of that name."""


class UnfinishedError(StackError):
    """What was begun could not be brought to its end; doing it again goes on from there."""


class UsageError(ScriptError):
    """The options given contradict each other or the stack."""
