"""`callrec hold`: one recording under S3's legal hold. Exit code 0 done, 2 could not run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.context import Context, StackOption, run_alone
from scripts.deployment import Deployment
from scripts.document import print_document
from scripts.erase.record import checked
from scripts.erase.sought import Sought, inside
from scripts.errors import StackError
from scripts.guarded import guarded
from scripts.reconcile.progress import shown
from scripts.recordings.find import Shelf
from scripts.recordings.versions import can_lock

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DONE = 0

Egress = Annotated[
    str, typer.Argument(metavar="EGRESS_ID", help="The recording, as the conversation's egress_id has it.")
]
Release = Annotated[bool, typer.Option("--release", help="Lift the hold.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show which versions would be held, or released.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def hold(
    ctx: typer.Context,
    egress_id: Egress,
    *,
    _stack: StackOption = None,
    release: Release = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Keep one recording from being deleted by anybody, however old it grows, until the hold is lifted.

    Sets S3's legal hold on every version that a conversation links to. It takes a bucket with Object Lock
    (`objectLock`). Who set or lifted it is in CloudTrail, not here. For all recordings at once: `legalHold`.
    Exit code: 0 done, or only shown; 2 could not run.
    """
    context: Context = ctx.obj
    as_json = as_json or context.json

    def task() -> int:
        with shown(context.console, f"looking for {egress_id}") as tell:
            done = put(context.deployment(), checked(egress_id), tell, release=release, dry_run=dry_run)
        state = "released" if release else "held"
        if as_json:
            document: dict[str, Any] = {"stack": context.stack, "ok": True, "dryRun": dry_run, "egress": egress_id}
            print_document({**document, "state": state, "versions": done})
        else:
            typer.echo(f"{egress_id}: {', '.join(done)} {'would be ' * dry_run}{state}")
        return DONE

    raise typer.Exit(guarded(context, "hold", task, as_json=as_json))


def put(
    deployment: Deployment, egress_id: str, tell: Callable[[str], None], *, release: bool, dry_run: bool
) -> list[str]:
    """Set or lift the hold; the ids of the versions. Raises StackError when the bucket or the recording cannot."""
    outputs, s3 = deployment.outputs, deployment.aws.client("s3")
    if not can_lock(s3, outputs.bucket):
        raise StackError(
            f"bucket {outputs.bucket} has no Object Lock, without which S3 holds nothing. Set it: "
            "pulumi config set objectLock governance && pulumi config set objectLockDays 30 && pulumi up"
        )
    places = {(kept.link.key, kept.link.version): kept for kept in Shelf.of(deployment, tell).egress(egress_id)}
    if not places:
        raise StackError(f"no conversation links to {egress_id}. Hold its file in S3: aws s3api put-object-legal-hold")
    for key, version in places:
        inside(Sought(key=key), outputs.prefix)
        if not dry_run:
            _put(s3, outputs.bucket, key, version, release=release)
    return sorted(version for _, version in places)


def _put(s3: S3Client, bucket: str, key: str, version: str, *, release: bool) -> None:
    status: Any = {"Status": "OFF" if release else "ON"}
    s3.put_object_legal_hold(Bucket=bucket, Key=key, VersionId=version, LegalHold=status)


def main() -> None:
    """Run the command by itself: `python -m scripts.hold.command --stack STACK`."""
    run_alone(hold)


if __name__ == "__main__":
    main()
