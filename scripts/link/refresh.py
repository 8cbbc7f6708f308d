"""`callrec link refresh`: issue the links in Airtable anew. Exit code 0 done, 1 something is left, 2 could not run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated

import typer

from infra.functions.links import Link
from scripts.context import StackOption
from scripts.dead_letters.progress import shown as progress
from scripts.deployment import Deployment
from scripts.document import print_document
from scripts.errors import UnfinishedError, UsageError
from scripts.guarded import guarded
from scripts.link import refresh_report
from scripts.link.finding import checked, document_wanted
from scripts.link.renewal import Judged, Outcome, Rule, cells, judged
from scripts.link.signing import DAY, Signing
from scripts.link.storage import WITHDRAWN_AHEAD, Stored, outlast, stored
from scripts.reconcile import span
from scripts.recordings.conversations import airtable_errors
from scripts.recordings.find import Shelf, Shown

DONE, LEFT = 0, 1
EXPIRING = "7d"
#: What Airtable takes in one PATCH.
BATCH = 10
LONGEST_SPAN = 3650 * DAY
#: A person should look at these.
TROUBLE = frozenset({Outcome.CONTRADICTS, Outcome.FAILED})

Expiring = Annotated[
    str, typer.Option(metavar="SPAN", help="Links that end within this time, or have ended: as 12h, 7d or 90d.")
]
EgressId = Annotated[
    str | None, typer.Argument(metavar="EGRESS_ID", help="Only the links to this recording, whenever they end.")
]
All = Annotated[bool, typer.Option("--all", help="Every link, but for those issued within the last hour.")]
Again = Annotated[bool, typer.Option("--again", help="With EGRESS_ID: even though its links were revoked.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def refresh(
    ctx: typer.Context,
    *,
    egress_id: EgressId = None,
    _stack: StackOption = None,
    expiring: Expiring = EXPIRING,
    everything: All = False,
    again: Again = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Issue the links in Airtable anew, before they end or after their signing key was replaced.

    Due are links that end within the time of --expiring, that have ended, or that an older key signed, in the link's
    own field and in the list of all recordings. Each new link plays exactly what the conversation's old one says, for
    `linkDays`; nothing moves from one conversation to another. Not issued anew are links to recordings that are
    revoked, erased or gone, and those of a conversation whose own room id is another call's. A revoked recording gets a
    new link only when it is named: `callrec link refresh EGRESS_ID --again`; the old ones stay ended. Asks Airtable
    once in two seconds, beside `deliver`: about four minutes for 500 conversations. What is fresh is skipped, so a run
    that was interrupted goes on where it was when it is started again.
    Exit code: 0 done; 1 some could not be written, or a conversation contradicts its link; 2 could not run.
    """
    context, as_json = document_wanted(ctx, as_json=as_json)

    def task() -> int:
        length = span.seconds(expiring, "link refresh", option="--expiring", longest=LONGEST_SPAN)
        if again and egress_id is None:
            raise UsageError("--again takes the recording: callrec link refresh EGRESS_ID --again")
        wanted = egress_id if egress_id is None else checked(egress_id)
        rule = Rule(now=time.time(), span_s=length, everything=everything, egress_id=wanted, again=again)
        deployment = context.deployment()
        with progress(context.console, "link refresh") as say:
            done = Refresh.of(deployment, rule, say).run(dry_run=dry_run)
        if as_json:
            print_document(refresh_report.document(deployment.stack, done, dry_run=dry_run))
        else:
            refresh_report.show(done, dry_run=dry_run)
        return LEFT if any(one.outcome in TROUBLE for one in done) else DONE

    stopped = "interrupted. Run it again: what is fresh is skipped"
    raise typer.Exit(guarded(context, "link refresh", task, as_json=as_json, interrupted=stopped))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """One run over all conversations."""

    shelf: Shelf
    signing: Signing
    rule: Rule
    ask: Callable[[Link], Stored]
    say: Callable[[str], None] = field(repr=False)

    @classmethod
    def of(cls, deployment: Deployment, rule: Rule, say: Callable[[str], None]) -> Refresh:
        """Over the stack's table and bucket."""
        s3, bucket = deployment.aws.client("s3"), deployment.outputs.bucket

        def ask(link: Link) -> Stored:
            found = stored(s3, bucket, link)
            if rule.again and not outlast(found):
                raise UnfinishedError(f"{link.egress_id}: {WITHDRAWN_AHEAD}")
            return found

        return cls(shelf=Shelf.of(deployment, say), signing=Signing.of(deployment), rule=rule, ask=ask, say=say)

    def run(self, *, dry_run: bool) -> list[Judged]:
        """What became of every link.

        All is read first, as Airtable's lists do not wait while others are written; S3 is asked right before a link is
        renewed, so that no recording that is revoked or erased during a long run gets a new one.
        """
        ask = self.ask if dry_run else _still_there
        seen = [(shown, judged(shown, self.rule, self.signing, ask)) for shown in self._read()]
        done = [one for _, links in seen for one in links if not _touched(links)]
        due = [shown.conversation.record_id for shown, links in seen if _touched(links)]
        if dry_run:
            return [one for _, links in seen for one in links]
        for number, batch in enumerate(_batches(due), 1):
            done += self._renew(batch)
            self.say(f"{min(number * BATCH, len(due)):,} of {len(due):,} conversations")
        return done

    def _read(self) -> Iterator[Shown]:
        if self.rule.egress_id is None:
            for page in self.shelf.everything():
                yield from page
            return
        found = self.shelf.egress(self.rule.egress_id)
        yield from self.shelf.records(sorted({kept.record_id for kept in found})) if found else ()

    def _renew(self, record_ids: list[str]) -> list[Judged]:
        """Judge again by what the conversations say at this moment: `deliver` may have written meanwhile."""
        with airtable_errors():
            now = self.shelf.records(record_ids)
            fresh = [(shown, judged(shown, self.rule, self.signing, self.ask)) for shown in now]
            table = self.shelf.table
            updates = {shown.conversation.record_id: cells(links, table) for shown, links in fresh if _touched(links)}
            errors = table.update(updates) if updates else {}
        return [
            Judged(kept=one.kept, outcome=Outcome.FAILED)
            if one.outcome is Outcome.RENEWED and shown.conversation.record_id in errors
            else one
            for shown, links in fresh
            for one in links
        ]


def _still_there(_link: Link) -> Stored:
    return Stored()


def _touched(links: list[Judged]) -> bool:
    return any(one.outcome is Outcome.RENEWED for one in links)


def _batches(record_ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(record_ids), BATCH):
        yield record_ids[start : start + BATCH]
