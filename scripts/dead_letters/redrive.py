"""`callrec redrive`: send dead letters back. Exit code 0 all delivered, 1 something is left, 2 could not run."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError

from scripts.context import Context, StackOption, run_alone
from scripts.dead_letters.fate import UNTRIED, Fate, Watch
from scripts.dead_letters.letter import INTERRUPTED
from scripts.dead_letters.listing import read
from scripts.dead_letters.outcome import Account
from scripts.dead_letters.progress import shown
from scripts.dead_letters.queue import depth
from scripts.dead_letters.reasons import checked
from scripts.dead_letters.resend import Redrive, Sent
from scripts.deployment import Deployment
from scripts.guarded import guarded, refusal
from scripts.interruption import Interrupted

WAIT_SECONDS = 120

Reasons = Annotated[
    list[str] | None,
    typer.Option("--reason", metavar="CODE", help="Only letters given up for this reason; may be given again."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be sent.")]
Wait = Annotated[
    int,
    typer.Option(metavar="SECONDS", min=0, help="How long to watch what becomes of them; 0 does not."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def redrive(
    ctx: typer.Context,
    *,
    _stack: StackOption = None,
    reason: Reasons = None,
    dry_run: DryRun = False,
    wait: Wait = WAIT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Send back to the queue what could not be delivered, once its cause is mended, and watch what becomes of it.

    `callrec dlq` shows the letters and their reasons. Each is sent first and deleted then, the order within a room is
    kept, and what is not chosen stays untouched. Interrupted or killed, no letter is lost: run it again.
    Exit code: 0 all of them delivered, or nothing to send; 1 some wait, were given up again or are left; 2 could not
    run.
    """
    context: Context = ctx.obj
    as_json = as_json or context.json

    def task() -> int:
        chosen = checked(reason or [])
        deployment = context.deployment()
        account = _dry(context, deployment, chosen) if dry_run else _do(context, deployment, chosen, wait)
        account.show(as_json=as_json)
        return account.exit_code

    raise typer.Exit(guarded(context, "redrive", task, as_json=as_json, interrupted=INTERRUPTED))


def _dry(context: Context, deployment: Deployment, chosen: frozenset[str]) -> Account:
    with shown(context.console, "reading the dead-letter queue") as say:
        listing = read(deployment.aws.client("sqs"), deployment.outputs.dead_letter_queue_url, say)
    wanted = [letter for letter in listing.letters if not chosen or letter.reason in chosen]
    return Account(
        stack=deployment.stack,
        dry_run=True,
        sent=Sent(
            letters={letter.id: letter for letter in wanted},
            passed_over={letter.id for letter in listing.letters if letter not in wanted},
        ),
        expected=listing.count,
    )


def _do(context: Context, deployment: Deployment, chosen: frozenset[str], wait: int) -> Account:
    sqs, outputs = deployment.aws.client("sqs"), deployment.outputs
    sent, began = Sent(), time.time()
    expected = depth(sqs, outputs.dead_letter_queue_url)
    with shown(context.console, "sending letters back") as say:
        Redrive(
            sqs=sqs,
            dead_letter_url=outputs.dead_letter_queue_url,
            url=outputs.queue_url,
            chosen=lambda letter: not chosen or letter.reason in chosen,
        ).run(sent, expected, say)
    account = Account(stack=deployment.stack, sent=sent, expected=expected, watched=wait > 0)
    if wait and sent.copies and sent.stopped is None:
        account.unwatched = _watch(context, deployment, account, began, wait)
    return account


def _watch(context: Context, deployment: Deployment, account: Account, began: float, wait: int) -> str | None:
    """Note what became of each; why that ended early, None when it did not."""
    fates: dict[str, Fate] = dict.fromkeys(account.sent.copies.values(), UNTRIED)
    account.fates = fates
    watch = Watch(logs=deployment.aws.client("logs"), group=deployment.outputs.log_groups["deliver"], since=began)
    try:
        with shown(context.console, f"{len(fates)} sent back, watching what becomes of them") as say:
            watch.watch(fates, wait, say)
    except Interrupted:
        return "interrupted"
    except (ClientError, BotoCoreError) as error:
        return f"{refusal(error)}, so deliver's log does not tell"
    return None


def main() -> None:
    """Run the command by itself: `python -m scripts.dead_letters.redrive --stack STACK`."""
    run_alone(redrive)


if __name__ == "__main__":
    main()
