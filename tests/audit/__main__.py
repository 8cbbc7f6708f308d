"""`make audit`: what auditors' tools say of a local stack, beside what they say of its bad twin.

Exit code 1 when a finding is neither fixed nor muted with a reason, when a muted one is gone, or when a check that
counts does not fail on the twin. Writes docs/audit.md.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console

from infra import package
from infra.package import ROOT
from scripts.aws_access import AwsAccess, Key
from scripts.errors import ScriptError
from scripts.local import emulator, services, stack
from scripts.local.emulator import Emulator
from scripts.local.engine.find import find
from scripts.local.services import Services
from tests.audit import environment, leaks, prowler, twin
from tests.audit.deployed import policies
from tests.audit.finding import Finding
from tests.audit.lint import lint
from tests.audit.muted import DEPLOYED, POLICIES, idle, unmuted
from tests.audit.muted_prowler import COUNTING, PROWLER
from tests.audit.report import Report, written
from tests.audit.rights import refused_to_an_administrator
from tests.audit.verdict import findings, missing, rows

DOCUMENT = ROOT / "docs" / "audit.md"


def audited(folder: Path, say: Console) -> Report:
    """Make both, ask every tool about both, and put together what they say."""
    program = environment.prowler(say.print)
    with ExitStack() as running:
        say.print("making a stack, and its bad twin")
        found, _, _ = running.enter_context(services.run(folder / "ours"))
        bad = running.enter_context(emulator.run(folder / "twin", "tests.audit.twin_server"))
        deployment = stack.up(found, find(say.print), lambda _: None)
        theirs = access(bad)
        twin.make(theirs)

        say.print("Prowler looks at the stack")
        ours = prowler.results(program, emulated(found), folder / "prowler-ours")
        say.print("Prowler looks at the twin")
        other = prowler.results(program, bad, folder / "prowler-twin")
        judged = rows(ours, other, PROWLER)

        say.print("the policies, the repository, the zip, and who is refused what")
        linted, twins = linted_policies(deployment.aws), linted_policies(theirs)
        archive, planted = folder / "functions.zip", folder / "twin.zip"
        archive.write_bytes(package.build(target(found)).read_bytes())
        planted.write_bytes(twin.packed())
        return Report(
            rows=judged,
            missing=missing(judged, COUNTING),
            idle=[*idle(findings(ours), PROWLER), *idle(linted, DEPLOYED)],
            unasked=sorted(prowler.checks(program) - {row.check for row in judged}),
            policies=unmuted(linted, (*POLICIES, *DEPLOYED)),
            twin_policies=len(unmuted(twins, (*POLICIES, *DEPLOYED))),
            leaks=sorted(
                [leak for leak in leaks.repository() if leak.known_as not in leaks.known()]
                + list(leaks.archive(archive, folder / "unpacked"))
            ),
            twin_leaks=len(leaks.archive(planted, folder / "unpacked-twin")),
            refused=refused_to_an_administrator(deployment),  # the last: it leaves nothing as it was
        )


def linted_policies(aws: AwsAccess) -> list[Finding]:
    """What the linters say of every policy of an account."""
    named: Any = aws
    account = named.client("sts").get_caller_identity()["Account"]
    return [found for name, document in policies(aws).items() for found in lint(name, document, account)]


def access(aws: Emulator) -> AwsAccess:
    """The root of an emulated account."""
    key = Key(access_key_id=aws.access_key_id, secret_access_key=aws.secret_access_key)
    return AwsAccess(region=aws.region, key=key, endpoint_url=aws.endpoint_url, ca_bundle=aws.ca_bundle)


def emulated(found: Services) -> Emulator:
    """The emulator behind the local services."""
    return Emulator(
        endpoint_url=found.endpoint_url,
        region=found.region,
        access_key_id=found.access_key_id,
        secret_access_key=found.secret_access_key,
        ca_bundle=Path(found.ca_bundle),
    )


def target(found: Services) -> package.Target:
    """What the local stack's zip is built for."""
    return package.Target(
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        architecture=str(stack.configuration(found)["callrec:functionArchitecture"].value),
    )


def main() -> int:
    """Audit, write the document, and say what is to be done."""
    say = Console(stderr=True)
    try:
        with tempfile.TemporaryDirectory(prefix="callrec-audit-") as folder:
            report = audited(Path(folder), say)
    except ScriptError as error:
        say.print(f"[red]{error}[/red]")
        return 2
    DOCUMENT.write_text(written(report))
    for line in report.open:
        say.print(f"[red]{line}[/red]", soft_wrap=True)
    say.print(f"{report.summary}: {DOCUMENT.relative_to(ROOT)}")
    return 1 if report.open else 0


if __name__ == "__main__":
    sys.exit(main())
