"""`callrec erase`: one recording, gone for good. Exit code 0 erased, 1 it may not or not yet, 2 could not run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import typer

from scripts.context import Context, StackOption, run_alone
from scripts.document import print_document
from scripts.erase.named import refuse_contradicted
from scripts.erase.record import checked
from scripts.erase.run import Eraser, Wish
from scripts.errors import UsageError
from scripts.guarded import guarded
from scripts.reconcile.progress import shown
from scripts.recordings.find import Shelf

DONE = 0
INTERRUPTED = "interrupted. What is done is done: run the same command again, and it goes on from there"
AFTERWARDS = (
    "Events of it that still wait, or lie among the dead letters, do nothing any more: `deliver` knows that it was "
    "erased. What else names it is in README.md, under Erasing."
)

Egress = Annotated[
    str | None, typer.Argument(metavar="EGRESS_ID", help="The recording, as the conversation's egress_id has it.")
]
Conversation = Annotated[
    str | None, typer.Option(metavar="REC", help="Every recording that this Airtable record links to, instead.")
]
File = Annotated[
    str | None,
    typer.Option(metavar="KEY", help="Its file in the bucket, where neither a conversation nor LiveKit knows it."),
]
Thorough = Annotated[
    bool, typer.Option("--thorough", help="Read the whole table, for copies of the link in other conversations.")
]
Bypass = Annotated[
    bool,
    typer.Option("--bypass-governance", help="Erase what Object Lock (governance) keeps; takes a right of its own."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")]
Confirm = Annotated[
    str | None, typer.Option(metavar="ID", help="The EGRESS_ID or REC once more, in place of typing it.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def erase(
    ctx: typer.Context,
    egress_id: Egress = None,
    *,
    _stack: StackOption = None,
    conversation: Conversation = None,
    key: File = None,
    thorough: Thorough = False,
    bypass_governance: Bypass = False,
    dry_run: DryRun = False,
    confirm: Confirm = None,
    as_json: AsJson = False,
) -> None:
    """Delete every version of one recording for ever, and clear what its conversation says of it.

    First a record that it was erased is written, without a name or number in it: from then on its link answers that it
    was erased, and no later event of LiveKit's brings it back. Then every version, delete marker and unfinished upload
    goes, at last the link, duration, size and times in Airtable; `recording_status` says "Erased on request" with the
    date. Killed in between, the same command goes on; done already, it says when, and removes what has come since.
    Nothing is erased that is, or may be, another call's recording, nor what Object Lock or a legal hold keeps: it says
    until when. Shows names of files.
    Exit code: 0 erased, or only shown; 1 it may not be erased, or is not finished; 2 could not run.
    """
    context: Context = ctx.obj
    as_json = as_json or context.json
    wish = Wish(key=key, conversation=conversation, thorough=thorough, bypass=bypass_governance)
    ask = _typed if sys.stdin.isatty() and not as_json else None

    def task() -> int:
        name = _named(egress_id, conversation, key)
        with shown(context.console, f"erasing {name}") as tell:
            eraser = Eraser.of(context.deployment(), tell)
            plans = [eraser.plan(one, wish) for one in _egresses(eraser.shelf, egress_id, conversation)]
        for line in (line for plan in plans if not as_json for line in plan.lines(dry=dry_run)):
            typer.echo(line)
        todo = [plan for plan in plans if not plan.done]
        if todo and not dry_run:
            _agree(name, confirm, ask)
            with shown(context.console, f"erasing {name}") as tell:
                for plan in todo:
                    replace(eraser, tell=tell).do(plan, wish)
        if as_json:
            erasures = [plan.document(dry=dry_run) for plan in plans]
            document = {"stack": context.stack, "ok": True, "dryRun": dry_run, "erasures": erasures}
            print_document(document)
        elif todo and not dry_run:
            typer.echo(f"erased. {AFTERWARDS}")
        return DONE

    raise typer.Exit(guarded(context, "erase", task, as_json=as_json, interrupted=INTERRUPTED))


def _named(egress_id: str | None, conversation: str | None, key: str | None) -> str:
    """What was named, which the confirmation must name again."""
    if (egress_id is None) == (conversation is None):
        raise UsageError("name one recording by its egress id, or a conversation by --conversation REC")
    if conversation is not None and key is not None:
        raise UsageError("--key is the file of one recording: name that by its egress id")
    return egress_id or conversation or ""


def _egresses(shelf: Shelf, egress_id: str | None, conversation: str | None) -> list[str]:
    if conversation is None:
        return [checked(egress_id or "")]
    found = shelf.record(conversation)
    if found is None:
        raise UsageError(f"there is no conversation {conversation}")
    ids = [kept.link.egress_id for kept in found.links]
    # One whose link is gone already may be half erased.
    ids += [found.conversation.egress_id] if found.conversation.egress_id else []
    if not ids:
        raise UsageError(f"conversation {conversation} has no recording of this stack")
    for one in dict.fromkeys(ids):
        refuse_contradicted(shelf, found, checked(one))
    return list(dict.fromkeys(ids))


def _agree(name: str, confirm: str | None, ask: Callable[[str], str] | None) -> None:
    """Raises UsageError, with nothing touched, unless whoever erases names it once more."""
    given = confirm
    if given is None and ask is not None:
        given = ask(f"This cannot be undone. Type {name} to erase it")
    if given is None:
        raise UsageError(f"erasing needs a confirmation: --confirm {name}. Nothing was touched")
    if given != name:
        raise UsageError(f"{given!r} is not {name}. Nothing was touched")


def _typed(question: str) -> str:
    try:
        return str(typer.prompt(question, err=True))
    except typer.Abort:
        raise UsageError("not confirmed. Nothing was touched") from None


def main() -> None:
    """Run the command by itself: `python -m scripts.erase.command --stack STACK`."""
    run_alone(erase)


if __name__ == "__main__":
    main()
