"""Replacement, import, ignored changes, half-made resources, what is kept: small programs, one matter each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pytest
from pulumi_aws import Provider, ProviderDefaultTagsArgs, cloudwatch, iam, kms, lambda_, s3, secretsmanager, sqs

from .bench import Bench, Run, client_of, run
from .program import TRUST, allow, let_tell, write_zip
from .truth import inventory

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path

    from pulumi.automation import Stack

pytestmark = pytest.mark.pipeline


class Stacks:
    """Stacks of one test: each is destroyed when the test is over, whatever became of it."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._made: dict[str, Stack] = {}

    def __call__(self, name: str, program: Callable[[], object], **config: str) -> Stack:
        def declare() -> None:
            program()

        if name in self._made and not config:
            self._made[name].workspace.program = declare
        else:
            self._made[name] = self.bench.stack(name, declare, **config)
        return self._made[name]

    def close(self) -> None:
        for stack in self._made.values():
            assert run(stack.destroy).failed is None


@pytest.fixture
def stacks(bench: Bench) -> Generator[Stacks]:
    made = Stacks(bench)
    yield made
    made.close()


# What each resource was, what it becomes, and in which order that has to go.
NEW_FIRST = ["create-replacement", "delete-replaced"]
OLD_FIRST = ["delete-replaced", "create-replacement"]
REPLACED: dict[str, tuple[Callable[[], object], Callable[[], object], list[str]]] = {
    "another-name": (
        lambda: s3.Bucket("another-name", bucket="replace-one"),
        lambda: s3.Bucket("another-name", bucket="replace-two"),
        NEW_FIRST,
    ),
    "same-name": (
        lambda: s3.Bucket("same-name", bucket="replace-lock"),
        lambda: s3.Bucket("same-name", bucket="replace-lock", object_lock_enabled=True),
        OLD_FIRST,
    ),
    "same-role": (
        lambda: iam.Role("same-role", name="replace-role", assume_role_policy=TRUST),
        lambda: iam.Role("same-role", name="replace-role", path="/elsewhere/", assume_role_policy=TRUST),
        OLD_FIRST,
    ),
    "made-up-name": (
        lambda: sqs.Queue("made-up-name"),
        lambda: sqs.Queue("made-up-name", fifo_queue=True),
        NEW_FIRST,
    ),
}


@pytest.fixture(scope="module")
def replaced(bench: Bench) -> Generator[Run]:
    stack = bench.stack("replaced", lambda: declare(before for before, _, _ in REPLACED.values()))
    assert run(stack.up).failed is None
    stack.workspace.program = lambda: declare(after for _, after, _ in REPLACED.values())
    done = run(stack.up)
    assert run(stack.up).ops() == {"same"}
    yield done
    assert run(stack.destroy).failed is None


def declare(programs: Iterable[Callable[[], object]]) -> None:
    for program in programs:
        program()


@pytest.mark.parametrize("name", sorted(REPLACED))
def test_replacement_goes_in_the_order_that_names_allow(replaced: Run, name: str) -> None:
    assert replaced.failed is None
    done = [step.op for step in replaced.steps if step.name == name]
    assert [op for op in done if op in NEW_FIRST] == REPLACED[name][2]


def test_a_setting_follows_its_bucket(stacks: Stacks) -> None:
    def program(name: str) -> None:
        bucket = s3.Bucket("bucket", bucket=name)
        s3.BucketPublicAccessBlock("block", bucket=bucket.bucket, block_public_acls=True)

    run(stacks("follow", lambda: program("follow-one")).up)
    moved = run(stacks("follow", lambda: program("follow-two")).up)
    assert moved.failed is None
    blocked = client_of(stacks.bench.target, "s3").get_public_access_block(Bucket="follow-two")
    assert blocked["PublicAccessBlockConfiguration"]["BlockPublicAcls"] is True
    assert "follow-one" not in inventory(stacks.bench.target)["buckets"]


def test_importing_what_is_not_there_says_so(stacks: Stacks) -> None:
    options = pulumi.ResourceOptions(import_="no-such-bucket")
    failed = run(stacks("import-nothing", lambda: s3.Bucket("it", bucket="no-such-bucket", opts=options)).up).failed
    assert failed is not None
    assert "does not exist" in failed


def test_importing_what_is_there_takes_it_over(stacks: Stacks) -> None:
    target = stacks.bench.target
    url = client_of(target, "sqs").create_queue(
        QueueName="theirs", Attributes={"VisibilityTimeout": "77", "MaximumMessageSize": "262144"}
    )["QueueUrl"]
    queue = lambda options: lambda: sqs.Queue("it", name="theirs", visibility_timeout_seconds=77, opts=options)  # noqa: E731
    imported = run(stacks("import", queue(pulumi.ResourceOptions(import_=url))).up)
    assert imported.failed is None
    assert imported.ops("it") == {"import"}
    assert run(stacks("import", queue(None)).up).ops("it") == {"same"}


def test_ignored_changes_are_neither_shown_nor_undone(stacks: Stacks) -> None:
    program = lambda: cloudwatch.LogGroup(  # noqa: E731
        "it",
        name="/ignored",
        retention_in_days=7,
        tags={"ours": "yes"},
        opts=pulumi.ResourceOptions(ignore_changes=["retentionInDays"]),
    )
    logs = client_of(stacks.bench.target, "logs")
    run(stacks("ignored", program).up)
    logs.put_retention_policy(logGroupName="/ignored", retentionInDays=1)
    arn = logs.describe_log_groups(logGroupNamePrefix="/ignored")["logGroups"][0]["logGroupArn"]
    logs.untag_resource(resourceArn=arn, tagKeys=["ours"])
    run(stacks("ignored", program).refresh)
    assert run(stacks("ignored", program).up).ops("it") == {"update"}
    assert logs.describe_log_groups(logGroupNamePrefix="/ignored")["logGroups"][0]["retentionInDays"] == 1
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"ours": "yes"}


def test_what_was_made_before_the_failure_is_remembered(stacks: Stacks) -> None:
    program = lambda: cloudwatch.LogGroup("it", name="/half", retention_in_days=8)  # noqa: E731 - AWS takes no 8 days
    failed = run(stacks("half", program).up).failed
    assert failed is not None
    assert "PutRetentionPolicy" in failed
    assert "/half" in inventory(stacks.bench.target)["log groups"]
    assert run(stacks("half", program).destroy).failed is None
    assert "/half" not in inventory(stacks.bench.target)["log groups"]


def test_a_bucket_that_holds_something_is_kept_unless_told_otherwise(stacks: Stacks) -> None:
    client = client_of(stacks.bench.target, "s3")
    stack = stacks("full", lambda: s3.Bucket("it", bucket="full-bucket"))
    run(stack.up)
    client.put_bucket_versioning(Bucket="full-bucket", VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket="full-bucket", Key="call.mp4", Body=b"sound")
    client.delete_object(Bucket="full-bucket", Key="call.mp4")
    failed = run(stack.destroy).failed
    assert failed is not None
    assert "BucketNotEmpty" in failed
    stack = stacks("full", lambda: s3.Bucket("it", bucket="full-bucket", force_destroy=True))
    assert run(stack.up).ops("it") == {"update"}
    assert run(stack.destroy).failed is None
    assert "full-bucket" not in inventory(stacks.bench.target)["buckets"]


def test_owners_go_with_what_others_hung_on_them_when_forced(stacks: Stacks) -> None:
    client = client_of(stacks.bench.target, "iam")

    def program() -> None:
        iam.User("user", name="forced", force_destroy=True)
        iam.Group("group", name="forced-group")
        iam.Role("role", name="forced", assume_role_policy=TRUST, force_detach_policies=True)
        cloudwatch.LogGroup("logs", name="/kept", skip_destroy=True)

    run(stacks("forced", program).up)
    client.create_access_key(UserName="forced")
    client.add_user_to_group(UserName="forced", GroupName="forced-group")
    client.put_role_policy(RoleName="forced", PolicyName="theirs", PolicyDocument=allow("s3:*"))
    client.attach_role_policy(RoleName="forced", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert run(stacks("forced", program).destroy).failed is None
    left = inventory(stacks.bench.target)
    assert "forced" not in left["users"] | left["roles"]
    assert "/kept" in left["log groups"]
    client_of(stacks.bench.target, "logs").delete_log_group(logGroupName="/kept")


def test_secrets_and_keys_wait_for_their_deletion_as_told(stacks: Stacks) -> None:
    def program() -> None:
        key = kms.Key("key", is_enabled=False)
        kms.Alias("alias", target_key_id=key.arn)
        secretsmanager.Secret("secret", name="waiting", recovery_window_in_days=7)
        pulumi.export("key", key.key_id)

    stack = stacks("waiting", program)
    made = run(stack.up)
    assert made.failed is None
    assert run(stack.up).ops() == {"same"}
    assert run(stack.destroy).failed is None
    key = client_of(stacks.bench.target, "kms").describe_key(KeyId=made.outputs["key"])["KeyMetadata"]
    secret = client_of(stacks.bench.target, "secretsmanager").describe_secret(SecretId="waiting")
    assert key["KeyState"] == "PendingDeletion"
    assert secret["DeletedDate"]


def test_a_secret_in_an_environment_stays_one(stacks: Stacks, tmp_path: Path) -> None:
    code = write_zip(tmp_path / "code.zip", "one")

    def program() -> None:
        role = iam.Role("role", name="environment", assume_role_policy=TRUST)
        lambda_.Function(
            "function",
            runtime="python3.13",
            handler="main.handler",
            role=role.arn,
            code=pulumi.FileArchive(str(code)),
            environment=lambda_.FunctionEnvironmentArgs(variables={"TOKEN": pulumi.Output.secret("hush-hush")}),
        )

    stack = stacks("environment", program)
    assert run(stack.up).failed is None
    assert "hush-hush" not in stacks.bench.state_of("environment")
    assert run(stack.refresh).ops() <= {"same", "refresh"}
    assert "hush-hush" not in stacks.bench.state_of("environment")


def test_default_tags_of_each_provider_are_under_the_resources_own(stacks: Stacks) -> None:
    def program() -> None:
        other = Provider(
            "other", region=stacks.bench.target.region, default_tags=ProviderDefaultTagsArgs(tags={"a": "3"})
        )
        pulumi.export("default", s3.Bucket("default", bucket="tagged-default", tags={"b": "2"}).tags_all)
        opts = pulumi.ResourceOptions(provider=other)
        pulumi.export("other", s3.Bucket("other", bucket="tagged-other", tags={"b": "4"}, opts=opts).tags_all)

    stack = stacks("tagged", program, defaultTags='{"tags": {"a": "1", "b": "1"}}')
    assert run(stack.up).outputs == {"default": {"a": "1", "b": "2"}, "other": {"a": "3", "b": "4"}}
    assert run(stack.up).ops() == {"same"}
    stack = stacks("tagged", program, defaultTags='{"tags": {"a": "5"}}')
    assert run(stack.up).outputs == {"default": {"a": "5", "b": "2"}, "other": {"a": "3", "b": "4"}}


def test_a_policy_may_be_an_object(stacks: Stacks) -> None:
    def program() -> None:
        group = iam.Group("group", name="object")
        document = iam.PolicyDocumentArgs(
            version=iam.PolicyDocumentVersion.POLICY_DOCUMENT_VERSION_2012_10_17,
            statement=[
                iam.PolicyStatementArgs(
                    effect=iam.PolicyStatementEffect.ALLOW,
                    action="s3:PutObject",
                    resource=group.arn.apply(lambda arn: f"{arn}/*"),
                )
            ],
        )
        iam.GroupPolicy("policy", name="object", group=group.name, policy=document)

    stack = stacks("object", program)
    assert run(stack.preview).failed is None
    assert run(stack.up).failed is None
    assert run(stack.up).ops() == {"same"}
    document = client_of(stacks.bench.target, "iam").get_group_policy(GroupName="object", PolicyName="object")
    assert document["PolicyDocument"]["Statement"][0]["Action"] == "s3:PutObject"


def notified(*, told: bool, allowed: bool = True) -> None:
    """A bucket, a queue, and whether the queue is told of what arrives."""
    bucket, queue = s3.Bucket("bucket", bucket="notified"), sqs.Queue("queue", name="notified")
    policy = sqs.QueuePolicy(
        "policy",
        queue_url=queue.url,
        policy=queue.arn.apply(lambda arn: let_tell(arn, "arn:aws:s3:::notified" if allowed else "arn:aws:s3:::other")),
    )
    if told:
        told_of = s3.BucketNotificationQueueArgs(
            id="arrivals", queue_arn=queue.arn, events=["s3:ObjectCreated:*"], filter_suffix=".mp4"
        )
        opts = pulumi.ResourceOptions(depends_on=[policy])
        s3.BucketNotification("it", bucket=bucket.bucket, queues=[told_of], opts=opts)


def test_a_bucket_whose_notification_is_taken_away_tells_nobody(stacks: Stacks) -> None:
    client = client_of(stacks.bench.target, "s3")
    assert run(stacks("notified", lambda: notified(told=True)).up).failed is None
    [queue] = client.get_bucket_notification_configuration(Bucket="notified")["QueueConfigurations"]
    assert queue["Id"] == "arrivals"
    assert queue["Filter"]["Key"]["FilterRules"] == [{"Name": "suffix", "Value": ".mp4"}]
    assert run(stacks("notified", lambda: notified(told=False)).up).failed is None
    assert "QueueConfigurations" not in client.get_bucket_notification_configuration(Bucket="notified")


def test_a_queue_that_may_not_be_told_is_refused(stacks: Stacks) -> None:
    failed = run(stacks("notified", lambda: notified(told=True, allowed=False)).up).failed
    assert failed is not None
    assert "PutBucketNotificationConfiguration: InvalidArgument" in failed
