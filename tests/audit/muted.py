"""Findings that stay, each with its reason; docs/security.md shows this very list.

A finding that is neither fixed nor here fails `make test` (policies) or `make audit` (Prowler); so does an entry that
mutes nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.audit.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Muted:
    """A check that may fail at `where` (a pattern with `*`), and why; `controls` are those that ask for it."""

    tool: str
    check: str
    where: str
    reason: str
    controls: str = ""

    def covers(self, finding: Finding) -> bool:
        """Whether this is the finding meant."""
        same = (self.tool, self.check) == (finding.tool, finding.check)
        return same and fnmatchcase(finding.where, self.where)


POLICIES = (
    Muted(
        tool="parliament",
        check="MISMATCHED_TYPE",
        where="*bucket*",
        reason="It takes whole numbers only; `s3:TlsVersion` is compared with `1.2`, as in AWS's own example.",
    ),
    Muted(
        tool="parliament",
        check="UNKNOWN_CONDITION_FOR_ACTION",
        where="*bucket*",
        reason="`s3:*` is refused below TLS 1.2; for two of its actions, on access points and replication, AWS lists "
        "no such condition key, and neither is used here.",
    ),
    Muted(
        tool="parliament",
        check="RESOURCE_STAR",
        where="*key*",
        reason="In a key's policy `*` is the key itself: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html",
    ),
    Muted(
        tool="parliament",
        check="PERMISSIONS_MANAGEMENT_ACTIONS",
        where="*key*",
        reason="The account's administrators manage the key by IAM; without this statement nobody ever could again.",
    ),
    Muted(
        tool="parliament",
        check="CREDENTIALS_EXPOSURE",
        where="*trust*",
        reason="`sts:AssumeRole` is what a trust policy is for: each names Lambda alone, or LiveKit's principal.",
    ),
    Muted(
        tool="cloudsplaining",
        check="AssumableByOthers",
        where="uploader_trust",
        reason="With `uploader: role` LiveKit's own principal becomes the uploader, when it says the external id; that "
        "role adds recordings and no more.",
    ),
)

# Policies that the provider writes from other settings.
DEPLOYED = (
    Muted(
        tool="parliament",
        check="INVALID_SID",
        where="function *",
        reason="Lambda takes hyphens in the ids of its statements, and Pulumi makes them with hyphens: "
        "https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html",
    ),
    Muted(
        tool="cloudsplaining",
        check="InternetAccessible",
        where="function *",
        reason="`receive` and `play` have public addresses: LiveKit signs its webhooks and cannot sign for AWS, who "
        "plays a recording has a link and no AWS account. Each checks its caller itself before anything else.",
    ),
)


def unmuted(findings: Iterable[Finding], muted: Iterable[Muted]) -> list[Finding]:
    """The findings that no entry covers."""
    entries = list(muted)
    return sorted(finding for finding in findings if not any(entry.covers(finding) for entry in entries))


def idle(findings: Iterable[Finding], muted: Iterable[Muted]) -> list[Muted]:
    """The entries that cover nothing: what they muted is fixed, and they must go."""
    seen = list(findings)
    return [entry for entry in muted if not any(entry.covers(finding) for finding in seen)]
