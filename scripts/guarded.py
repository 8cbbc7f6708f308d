"""What becomes of a command's errors: one sentence on stderr, in the JSON document too, and an exit code."""

from __future__ import annotations

from collections.abc import Callable

import requests
from botocore.exceptions import BotoCoreError, ClientError
from pulumi.automation import CommandError

from scripts.context import Context
from scripts.deployment import engine_words
from scripts.document import print_document
from scripts.errors import ScriptError, UnfinishedError
from scripts.interruption import Interrupted, interruptible

LEFT, COULD_NOT_RUN = 1, 2
RIGHTS = "README.md lists the rights that this command needs; whose you have: aws sts get-caller-identity"


def guarded(
    context: Context, name: str, task: Callable[[], int], *, as_json: bool, interrupted: str = "interrupted"
) -> int:
    """Do the task and return its exit code; LEFT or COULD_NOT_RUN, with the reason said, when it fails.

    `interrupted` is what is said after SIGINT and SIGTERM.
    """
    code = COULD_NOT_RUN
    try:
        with interruptible():
            return task()
    except Interrupted:
        sentence = interrupted
    except UnfinishedError as error:
        sentence, code = str(error), LEFT
    except ScriptError as error:
        sentence = str(error)
    except CommandError as error:
        sentence = f"the engine could not: {engine_words(error)}"
    except (ClientError, BotoCoreError) as error:
        sentence = f"{refusal(error)}. {RIGHTS}"
    except requests.RequestException as error:
        sentence = f"no usable answer ({type(error).__name__}). Is this machine online?"
    tell_failure(context, name, sentence, as_json=as_json)
    return code


def tell_failure(context: Context, name: str, sentence: str, *, as_json: bool) -> None:
    """Say in red on stderr why the command `name` failed, with `as_json` in its document too."""
    if as_json:
        print_document({"stack": context.stack, "ok": False, "error": sentence})
    context.console.print(f"{name}: {sentence}", style="red", markup=False, soft_wrap=True)


def refusal(error: ClientError | BotoCoreError) -> str:
    """Who refused what, in AWS's own codes; its texts stay out."""
    if isinstance(error, ClientError):
        return f"AWS refused {error.operation_name} ({error.response.get('Error', {}).get('Code', '?')})"
    return f"AWS did not answer ({type(error).__name__})"
