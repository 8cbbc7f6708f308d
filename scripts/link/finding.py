"""What the `link` commands are about: one egress, and what its links play."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import typer

from infra.functions.erasures import record_key
from infra.functions.errors import CallrecError
from infra.functions.links import Link
from scripts.context import Context
from scripts.deployment import Deployment
from scripts.errors import UnfinishedError, UsageError
from scripts.recordings.find import Kept, Shelf


def checked(egress_id: str) -> str:
    """The id as it was given; UsageError when it is none."""
    try:
        record_key(egress_id)
    except CallrecError:
        raise UsageError(f"an egress id looks like EG_3tQ9xZ4uLpVm; got {egress_id!r}") from None
    return egress_id


def linked(deployment: Deployment, egress_id: str, tell: Callable[[str], None]) -> tuple[Kept, ...]:
    """The conversations' links to the egress; UnfinishedError when there is none."""
    found = Shelf.of(deployment, tell).egress(egress_id)
    if not found:
        raise UnfinishedError(
            f"no conversation has a link of this stack's to {egress_id}. Egress ids stand in the conversations' "
            "egress_id field, and in: callrec status. A link whose conversation is gone: callrec link revoke - < FILE"
        )
    return found


def versions(links: Iterable[Link]) -> list[Link]:
    """One link for each object version, the recording that ended last first."""
    newest: dict[tuple[str, str], Link] = {}
    for link in links:
        other = newest.setdefault((link.key, link.version), link)
        if link.issued_at > other.issued_at:
            newest[link.key, link.version] = link
    return sorted(newest.values(), key=lambda link: (link.ended_at or 0.0, link.issued_at), reverse=True)


def document_wanted(ctx: typer.Context, *, as_json: bool) -> tuple[Context, bool]:
    """The command's context, and whether it answers in JSON."""
    context: Context = ctx.obj
    return context, as_json or context.json
