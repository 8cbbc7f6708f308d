"""`callrec link revoke`: end the links of one recording. Exit code 0 they are ended, 1 not all, 2 could not run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from infra.functions.carried import link_of
from infra.functions.links import Link
from scripts.context import StackOption
from scripts.dead_letters.progress import shown
from scripts.deployment import Deployment
from scripts.document import print_document
from scripts.errors import UsageError
from scripts.guarded import guarded
from scripts.link.finding import checked, document_wanted, linked, versions
from scripts.link.signing import Signing
from scripts.link.storage import revoke as withdraw
from scripts.link.storage import stored

DONE, LEFT = 0, 1
STDIN = "-"

EgressId = Annotated[
    str,
    typer.Argument(metavar="EGRESS_ID", help="The recording's egress id; `-` reads a link to it from stdin instead."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be revoked.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """One object version. `until`: links issued up to this unix second play no more; None when it is not there."""

    link: Link
    until: int | None
    conversations: tuple[str, ...]


def revoke(
    ctx: typer.Context,
    *,
    egress_id: EgressId,
    _stack: StackOption = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """End every link to one recording that was given out until now, in Airtable or anywhere else.

    The recording stays, and nothing is deleted: its object version gets a tag that `play` reads. Who opened one just
    before may listen once, and five minutes more. A link that is made later plays again: by `callrec link refresh
    --again`, `callrec link show --again`, and `deliver`, should LiveKit repeat the recording's event. To end listening
    for good, erase the recording; to end all links, rotate their key. Run again, it ends those of today.
    Exit code: 0 ended; 1 there is no such link, or the recording is not there; 2 could not run.
    """
    context, as_json = document_wanted(ctx, as_json=as_json)

    def task() -> int:
        wanted = egress_id if egress_id == STDIN else checked(egress_id)
        given = _given() if wanted == STDIN else ""
        deployment = context.deployment()
        with shown(context.console, "link revoke") as say:
            done = _revoke(deployment, wanted, given, say, dry_run=dry_run)
        if as_json:
            print_document(document(deployment.stack, done, dry_run=dry_run))
        else:
            typer.echo("\n".join(sentence(one, dry_run=dry_run) for one in done))
        return DONE if all(one.until is not None for one in done) else LEFT

    stopped = "interrupted. Run it again: what is revoked stays so"
    raise typer.Exit(guarded(context, "link revoke", task, as_json=as_json, interrupted=stopped))


def _given() -> str:
    """A link is a secret while it plays, so it is not taken from a command line, which other users can see."""
    given = sys.stdin.read().strip()
    if "/r/" not in given or len(given.split()) != 1:
        raise UsageError("`-` takes one link on stdin: callrec link revoke - < FILE")
    return given


def _revoke(
    deployment: Deployment, egress_id: str, given: str, say: Callable[[str], None], *, dry_run: bool
) -> list[Revoked]:
    kept = linked(deployment, egress_id, say) if not given else ()
    links = versions(one.link for one in kept) if kept else [_own(deployment, given)]
    s3, bucket, done = deployment.aws.client("s3"), deployment.outputs.bucket, list[Revoked]()
    for link in links:
        if dry_run:
            until = int(datetime.now(UTC).timestamp()) if stored(s3, bucket, link).there else None
        else:
            until = withdraw(s3, bucket, link)
        places = {one.record_id for one in kept if (one.link.key, one.link.version) == (link.key, link.version)}
        done.append(Revoked(link=link, until=until, conversations=tuple(sorted(places))))
    return done


def _own(deployment: Deployment, given: str) -> Link:
    link = link_of(Signing.of(deployment).links, given)
    if link is None:
        raise UsageError("this stack did not sign that link, so there is nothing to revoke")
    return link


def sentence(one: Revoked, *, dry_run: bool) -> str:
    """For people."""
    name = f"{one.link.egress_id}, version {one.link.version}"
    if one.until is None:
        return f"{name}: the recording is not there, so no link plays it"
    moment = f"{datetime.fromtimestamp(one.until, UTC):%Y-%m-%d %H:%M:%S} UTC"
    where = f" (in {', '.join(one.conversations)})" if one.conversations else ""
    return f"{name}: links issued until {moment} {'would play' if dry_run else 'play'} no more{where}"


def document(stack: str, done: list[Revoked], *, dry_run: bool) -> dict[str, object]:
    """For programs."""
    return {
        "stack": stack,
        "ok": all(one.until is not None for one in done),
        "dryRun": dry_run,
        "recordings": [
            {
                "egressId": one.link.egress_id,
                "version": one.link.version,
                "revokedUntil": one.until,
                "conversations": list(one.conversations),
            }
            for one in done
        ],
    }
