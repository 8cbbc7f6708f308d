"""`callrec teardown` with the real engine: what stays, what goes, and going on after a kill."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from livekit import api
from pulumi.automation import ConfigValue, PulumiCommand

from scripts.context import Context
from scripts.deployment import Deployment
from scripts.errors import NoStackError
from scripts.local import services, stack
from scripts.local.livekit_server import LiveKitServer
from scripts.local.services import Services
from scripts.teardown.command import execute
from scripts.teardown.engine import Engine
from scripts.teardown.run import Wish
from scripts.teardown.state import deployed
from tests.pipeline.killing import killed_when

pytestmark = pytest.mark.pipeline

# As the stack of a practice is: protected, with a second bucket.
SETTINGS = {"callrec:disposable": ConfigValue("false"), "callrec:accessLogs": ConfigValue("true")}
EVENTS = Path(__file__).resolve().parents[1] / "events"
EVERYTHING = Wish(yes=True, delete_recordings=True, confirm=stack.BUCKET)


@dataclass
class Own:
    """A stack of this module's own, which it may destroy."""

    services: Services
    livekit: LiveKitServer
    engine: PulumiCommand

    def up(self) -> Deployment:
        return stack.up(self.services, self.engine, lambda _: None, SETTINGS)

    def down(self, wish: Wish, *, as_json: bool = False) -> int:
        local = {"local": lambda: stack.handle(self.services, self.engine)}
        return execute(Context(stack="local", local=local), wish, as_json=as_json)

    def client(self, service: Any) -> Any:
        return stack.access(self.services).client(service)

    def versions(self) -> int:
        return len(self.client("s3").list_object_versions(Bucket=stack.BUCKET).get("Versions", []))

    def names(self) -> dict[str, list[str]]:
        """What AWS itself has of the stack."""
        return {
            "buckets": [bucket["Name"] for bucket in self.client("s3").list_buckets()["Buckets"]],
            "users": [user["UserName"] for user in self.client("iam").list_users()["Users"]],
            "groups": [group["GroupName"] for group in self.client("iam").list_groups()["Groups"]],
            "roles": [role["RoleName"] for role in self.client("iam").list_roles()["Roles"]],
            "functions": [one["FunctionName"] for one in self.client("lambda").list_functions()["Functions"]],
            "queues": self.client("sqs").list_queues().get("QueueUrls", []),
            "rules": [rule["Name"] for rule in self.client("events").list_rules()["Rules"]],
            "logs": [group["logGroupName"] for group in self.client("logs").describe_log_groups()["logGroups"]],
        }


@pytest.fixture(scope="module")
def own(engine: PulumiCommand, tmp_path_factory: pytest.TempPathFactory) -> Generator[Own]:
    with services.run(tmp_path_factory.mktemp("teardown")) as (found, _, livekit):
        yield Own(services=found, livekit=livekit, engine=engine)


def record(own: Own) -> None:
    s3 = own.client("s3")
    for content in (b"first", b"second"):
        s3.put_object(Bucket=stack.BUCKET, Key=f"{stack.PREFIX}call.mp4", Body=content)
    s3.create_multipart_upload(Bucket=stack.BUCKET, Key=f"{stack.PREFIX}broken-off.mp4")


def settings(own: Own) -> list[Any]:
    """The bucket's settings, as AWS has them."""
    s3, bucket = own.client("s3"), stack.BUCKET
    answers = [
        s3.get_bucket_policy(Bucket=bucket)["Policy"],
        s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
        s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"],
        s3.get_bucket_versioning(Bucket=bucket)["Status"],
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
        s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"],
        s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"],
    ]
    return json.loads(json.dumps(answers))


def test_the_recordings_stay_closed_and_the_stack_comes_back_around_them(
    own: Own, capsys: pytest.CaptureFixture[str]
) -> None:
    before = own.up()
    record(own)
    closed = settings(own)
    with stack.opened(own.services, own.engine) as opened:
        asked = deployed(Engine(stack=opened, say=lambda _: None).state())
    assert (asked["legalHold"], asked["disposable"]) == (False, False)  # in clear, for whoever looks for a hold
    egress = own.livekit.add_egress((EVENTS / "egress_updated.active.json").read_bytes())
    assert own.down(Wish(), as_json=True) == 0
    planned = json.loads(capsys.readouterr().out)
    assert planned["egresses"] == [egress]
    assert own.names()["functions"]
    assert own.down(Wish(yes=True), as_json=True) == 0
    assert own.names() == {
        "buckets": ["callrec-local-access-logs-000000000000", stack.BUCKET],
        "users": [],
        "groups": [],
        "roles": [],
        "functions": [],
        "queues": [],
        "rules": [],
        "logs": ["/aws/lambda/callrec-local-play"],  # who listened stays on record
    }
    told = own.client("s3").get_bucket_notification_configuration(Bucket=stack.BUCKET)
    assert "QueueConfigurations" not in told  # the queue is gone
    assert settings(own) == closed
    assert own.versions() == 2
    done = json.loads(capsys.readouterr().out)
    assert {**done, "dryRun": True} == planned
    assert not any(info.status == api.EgressStatus.EGRESS_ACTIVE for info in own.livekit.recorder.all())
    assert own.livekit.journal.count("StopEgress") == 1
    assert done["buckets"][stack.BUCKET] == {
        "objects": 1,
        "versions": 2,
        "bytes": 11,
        "youngerThanADay": 1,
        "locked": 0,
        "lockedUntil": None,
    }
    assert own.down(Wish(yes=True)) == 0  # a second time is harmless
    after = own.up()
    assert after.outputs.key_arn == before.outputs.key_arn
    assert own.versions() == 2
    told = own.client("s3").get_bucket_notification_configuration(Bucket=stack.BUCKET)
    assert [queue["Events"] for queue in told["QueueConfigurations"]] == [["s3:ObjectCreated:*"]]
    assert own.client("kms").describe_key(KeyId=after.outputs.key_arn)["KeyMetadata"]["KeyState"] == "Enabled"


def test_a_wrong_name_touches_nothing(own: Own) -> None:
    before = own.names()
    assert own.down(Wish(yes=True, delete_recordings=True, confirm="another")) == 2
    assert own.names() == before
    assert own.versions() == 2


PROGRAM = """
    import sys
    from pathlib import Path
    from pulumi.automation import PulumiCommand
    from scripts.context import Context
    from scripts.local import stack
    from scripts.local.engine.find import find
    from scripts.local.services import Services
    from scripts.teardown.command import execute
    from scripts.teardown.run import Wish

    found = Services.load(Path(sys.argv[1]))
    local = {"local": lambda: stack.handle(found, find(print))}
    wish = Wish(yes=True, delete_recordings=True, confirm=stack.BUCKET)
    sys.exit(execute(Context(stack="local", local=local), wish, as_json=True))
"""


def kill_at(own: Own, word: str, folder: Path) -> None:
    """Start a teardown of everything, and kill it and its engine at once when it says `word`."""
    killed_when(word, own.services, folder, ["-c", textwrap.dedent(PROGRAM)])


@pytest.mark.parametrize(
    "word", ["Function receive deleting", "versions and uploads from", "Bucket recordings deleting"]
)
def test_killed_anywhere_it_goes_on_from_there(own: Own, word: str, tmp_path: Path) -> None:
    own.up()
    record(own)
    kill_at(own, word, tmp_path)
    assert own.down(EVERYTHING) == 0
    assert not any(own.names().values())
    with pytest.raises(NoStackError), stack.opened(own.services, own.engine):
        pass
    assert own.down(EVERYTHING) == 0
