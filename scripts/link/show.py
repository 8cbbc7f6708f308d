"""`callrec link show`: a short-lived link of its own. Exit code 0 shown, 1 nothing may be shown, 2 could not run."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

import typer

from infra.functions.links import Link
from scripts.context import StackOption
from scripts.dead_letters.progress import shown
from scripts.deployment import Deployment
from scripts.document import print_document
from scripts.errors import UnfinishedError
from scripts.guarded import guarded
from scripts.link.finding import checked, document_wanted, linked, versions
from scripts.link.signing import Signing
from scripts.link.storage import WITHDRAWN_AHEAD, State, Stored, outlast, stored

SHOWN = 0
MINUTES = 10
LONGEST_MINUTES = 1440

EgressId = Annotated[str, typer.Argument(metavar="EGRESS_ID", help="The recording's egress id.")]
Minutes = Annotated[int, typer.Option(min=1, max=LONGEST_MINUTES, help="How long it plays.")]
Again = Annotated[bool, typer.Option("--again", help="Even though the recording's links were revoked.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOff:
    """A link to hand out. `expires_at` in unix seconds; `others`: how many more recordings the egress made."""

    egress_id: str
    url: str = field(repr=False)
    expires_at: int
    others: int


def show(
    ctx: typer.Context,
    *,
    egress_id: EgressId,
    _stack: StackOption = None,
    minutes: Minutes = MINUTES,
    again: Again = False,
    as_json: AsJson = False,
) -> None:
    """Print a link that plays one recording for some minutes, to share it once; no conversation gets it.

    Whoever has the link can play it until then: send it as you would send the recording. Each play is in
    `callrec link audit`. Refused for a recording that is erased, deleted or archived, and, without --again, for one
    whose links were revoked: those stay ended, only the new one plays.
    Exit code: 0 it is on stdout; 1 there is nothing that may be shown, with the reason; 2 could not run.
    """
    context, as_json = document_wanted(ctx, as_json=as_json)

    def task() -> int:
        wanted = checked(egress_id)
        deployment = context.deployment()
        with shown(context.console, "link show") as say:
            made = make(deployment, wanted, minutes * 60, say, again=again)
        if as_json:
            print_document(document(deployment.stack, made))
        else:
            typer.echo(made.url)
            words = sentence(made, deployment.config.get("linkNetworks", ""))
            context.console.print(words, markup=False, soft_wrap=True)
        return SHOWN

    raise typer.Exit(guarded(context, "link show", task, as_json=as_json))


def make(deployment: Deployment, egress_id: str, lifetime_s: int, say: Callable[[str], None], *, again: bool) -> OneOff:
    """A link to the egress's recording, the one that ended last. Raises UnfinishedError when it may not be played."""
    signing = Signing.of(deployment)
    links = versions(kept.link for kept in linked(deployment, egress_id, say))
    link = links[0]
    _allow(link, stored(deployment.aws.client("s3"), deployment.outputs.bucket, link), again=again)
    url = signing.renewed(link, lifetime_s)
    issued = signing.links.read(url.rpartition("/r/")[2])
    return OneOff(egress_id=egress_id, url=url, expires_at=issued.expires_at, others=len(links) - 1)


def _allow(link: Link, found: Stored, *, again: bool) -> None:
    """Raises UnfinishedError unless a link issued from now on plays; waits for a clock that is a little behind."""
    refusals = {
        State.ERASED: "the recording was erased. It cannot be brought back",
        State.GONE: "the recording is not there any more",
        State.ARCHIVED: "the recording is archived. Restore it first: aws s3api restore-object",
    }
    state = found.state(math.inf)
    if state in refusals:
        raise UnfinishedError(f"{link.egress_id}: {refusals[state]}")
    if found.state(link.issued_at) is State.REVOKED and not again:
        raise UnfinishedError(
            f"{link.egress_id}: its links were revoked. If it may be listened to again: callrec link show "
            f"{link.egress_id} --again"
        )
    if not outlast(found):
        raise UnfinishedError(f"{link.egress_id}: {WITHDRAWN_AHEAD}")


def sentence(made: OneOff, networks: str) -> str:
    """What a person should know besides; for stderr."""
    words = [f"{made.egress_id}: plays until {datetime.fromtimestamp(made.expires_at, UTC):%Y-%m-%d %H:%M:%S} UTC"]
    if networks:
        words.append(f"only from {networks}")
    if made.others:
        words.append(f"the egress has {made.others} more recording(s), this is the last one")
    return "; ".join(words)


def document(stack: str, made: OneOff) -> dict[str, object]:
    """For programs."""
    expires = datetime.fromtimestamp(made.expires_at, UTC).isoformat().replace("+00:00", "Z")
    return {"stack": stack, "ok": True, "egressId": made.egress_id, "url": made.url, "expires": expires}
