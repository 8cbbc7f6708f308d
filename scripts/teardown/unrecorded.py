"""What a failure leaves behind once dispatch rules are put back: calls without a recording."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from scripts.configure.rules import Change, Step
from scripts.errors import ScriptError, UnfinishedError
from scripts.interruption import Interrupted
from scripts.verify.hop import code_of


@contextmanager
def told(stack: str, rules: Sequence[Change]) -> Generator[None]:
    """Raises UnfinishedError for whatever goes wrong in the block, which says what does not record any more.

    For the time in which the stack itself is still whole. Without rules of ours an error stays as it is.
    """
    ours = [change.rule for change in rules if change.step is Step.RESTORE]
    try:
        yield
    except (ScriptError, ClientError, BotoCoreError, Interrupted) as error:
        if not ours:
            raise
        options = "".join(f" --rule {rule}" for rule in ours)
        raise UnfinishedError(
            f"{words(error)}. But dispatch rules do not record any more, and phone calls go unrecorded until this is "
            f"done or put back: callrec configure sip{options} --stack {stack}"
        ) from None


def words(error: BaseException) -> str:
    """An error in words, without a full stop."""
    if isinstance(error, Interrupted):
        return "interrupted"
    if isinstance(error, ClientError):
        return f"AWS refused ({error.operation_name}: {code_of(error)})"
    return f"AWS refused ({type(error).__name__})" if isinstance(error, BotoCoreError) else str(error).removesuffix(".")
