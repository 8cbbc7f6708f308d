"""What rotations stand on: the stack's engine and settings, AWS, LiveKit, and time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError
from pulumi import automation

from infra.functions.egress_list import buckets
from scripts import deployment as deployments
from scripts import egress_settings
from scripts.configure.found import egress_of
from scripts.configure.keeping import StackKeeper
from scripts.configure.redaction import hidden, uploads
from scripts.configure.rules import Change, Step
from scripts.configure.sip import Sip
from scripts.deployment import Deployment, StackHandle
from scripts.errors import UnfinishedError
from scripts.livekit_access import NO_SIP, LiveKit, LiveKitError
from scripts.rotate.settings import Settings, StackSettings
from scripts.status.log_lines import Line, Log
from scripts.teardown.engine import Engine, Say
from scripts.verify import uploader
from scripts.verify.hop import Failed
from scripts.verify.probe import Probe

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

ACCESS_KEY = "aws:iam/accessKey:AccessKey"
# IAM says that a new key may take a while to be known everywhere.
PROBE_SECONDS, PROBE_PAUSE = 60.0, 2.0
NS = 1_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Outsider:
    """A dispatch rule that records into our bucket and that callrec may not change.

    `upload_key` is None where LiveKit hides it; `signers` are the names of the keys that sign its events.
    """

    rule: str
    upload_key: str | None
    signers: frozenset[str] = frozenset()


class Ground(Protocol):
    """As StackGround, which says what each is for."""

    @property
    def settings(self) -> Settings: ...
    def say(self, words: str) -> None: ...
    def now(self) -> float: ...
    def wait(self, seconds: float) -> None: ...
    def pending(self) -> int: ...
    def up(self) -> None: ...
    def access_key_id(self) -> str: ...
    def access_keys(self) -> Sequence[str]: ...
    def remove_strays(self, known: Sequence[str]) -> None: ...
    def last_used(self, key: str) -> float | None: ...
    def probe(self) -> None: ...
    def livekit(self) -> LiveKit | None: ...
    def rules_kept(self) -> bool: ...
    def update_rules(self) -> Sequence[Outsider]: ...
    def running_since_before(self, moment: float) -> Sequence[str] | None: ...
    def accepted(self, since: float) -> Sequence[Line]: ...


@dataclass(kw_only=True)
class StackGround:
    """One stack, opened. What is read of it is read anew after each `up`."""

    handle: StackHandle
    stack: automation.Stack = field(repr=False)
    tell: Say
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        self.settings: Settings = StackSettings(stack=self.stack)
        self._known: Deployment | None = None
        self._engine = Engine(stack=self.stack, say=self.tell, command="the same command")

    def say(self, words: str) -> None:
        """Tell how far it is."""
        self.tell(words)

    def now(self) -> float:
        """Unix seconds."""
        return self.clock()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.sleep(seconds)

    def deployment(self) -> Deployment:
        """The stack as the last `up` made it, secrets in clear. Raises StackError when it is not up."""
        if self._known is None:
            outputs, config = deployments.read(self.stack)
            self._known = Deployment(
                stack=self.handle.stack,
                outputs=outputs,
                config=config,
                aws=self.handle.aws,
                engine=lambda: nullcontext(self.stack),
            )
        return self._known

    def pending(self) -> int:
        """How many resources differ from what program and configuration say."""
        return self._engine.pending()

    def up(self) -> None:
        """Make the stack what program and configuration say. Raises UnfinishedError."""
        self._known = None
        self._engine.up()

    def access_key_id(self) -> str:
        """The id of the upload key in use; "" where a role uploads."""
        return self.deployment().outputs.uploader_access_key_id

    def access_keys(self) -> Sequence[str]:
        """Ids of all keys of the uploader's user, whoever made them; AWS allows two."""
        user = self.deployment().outputs.uploader_user
        return [str(key.get("AccessKeyId")) for key in self._iam().list_access_keys(UserName=user)["AccessKeyMetadata"]]

    def remove_strays(self, known: Sequence[str]) -> None:
        """Delete keys of the uploader's user that are neither known nor in the engine's state.

        An engine that was killed while it made a key may have written down neither its id nor its secret: nobody can
        use such a key, and it would keep AWS from making another.
        """
        resources: list[dict[str, Any]] = self._engine.state().get("resources") or []
        held = {one.get("id") for one in resources if one.get("type") == ACCESS_KEY}
        for key in self.access_keys():
            if key not in held and key not in known:
                self.say(f"removing {key}, which a killed run made and nobody knows the secret of")
                self._iam().delete_access_key(UserName=self.deployment().outputs.uploader_user, AccessKeyId=key)

    def last_used(self, key: str) -> float | None:
        """When AWS last saw the key used, in unix seconds, as far as it knows by now; None: never."""
        used = self._iam().get_access_key_last_used(AccessKeyId=key).get("AccessKeyLastUsed", {}).get("LastUsedDate")
        return None if used is None else used.timestamp()

    def probe(self) -> None:
        """Upload a small file with the key in use, and remove it again; waits for a key that is new.

        Raises UnfinishedError when the key does not work.
        """
        deployment = self.deployment()
        bucket, probe = deployment.outputs.bucket, Probe.new(deployment.outputs.prefix)
        operator = self.handle.aws.client("s3")
        made = uploader.of(deployment, probe)
        until = self.clock() + PROBE_SECONDS
        while True:
            try:
                made.put()
                break
            except Failed as failed:
                if self.clock() > until:
                    raise UnfinishedError(
                        f"the new key cannot upload ({failed.seen}): {failed.cause}. The old key is still in use. "
                        f"Try: {failed.mend}"
                    ) from None
                self.sleep(PROBE_PAUSE)
        with contextlib.suppress(ClientError):  # a bucket that keeps what it has is no fault of the key's
            for version in operator.list_object_versions(Bucket=bucket, Prefix=probe.small_key).get("Versions", []):
                place: Any = {"Key": version.get("Key"), "VersionId": version.get("VersionId")}
                operator.delete_object(Bucket=bucket, **place)

    def livekit(self) -> LiveKit | None:
        """The stack's LiveKit, None when it knows none."""
        return LiveKit.of(self.deployment().config)

    def rules_kept(self) -> bool:
        """Whether callrec configured dispatch rules."""
        return bool(StackKeeper(engine=lambda: nullcontext(self.stack)).load())

    def update_rules(self) -> Sequence[Outsider]:
        """Give the dispatch rules that callrec configured what they hold copies of; no others.

        Returns those that record into our bucket and are not ours to change. Raises LiveKitError, UnfinishedError.
        """
        deployment, livekit = self.deployment(), self.livekit()
        if livekit is None:
            return []
        keeper = StackKeeper(engine=deployment.engine)
        sip = Sip(livekit=livekit, keeper=keeper, say=self.tell)
        kept = keeper.load()
        try:
            changes = sip.attaching(egress_settings.of(deployment), oust=False)
        except LiveKitError as error:
            if error.code == NO_SIP or (error.access and not kept):  # a key that may not see rules has made none
                return []
            raise
        sip.attach([change for change in changes if change.step is Step.UPDATE])
        return outsiders(changes, deployment.outputs.bucket, kept)

    def running_since_before(self, moment: float) -> Sequence[str] | None:
        """Ids of the recordings into our bucket that began before `moment` (unix seconds) and still run.

        None when the stack knows no LiveKit. Raises LiveKitError.
        """
        livekit = self.livekit()
        if livekit is None:
            return None
        bucket = self.deployment().outputs.bucket
        return [
            info.egress_id
            for info in livekit.egresses(active=True)
            if info.started_at < moment * NS and (bucket in (found := buckets(info)) or not found)
        ]

    def accepted(self, since: float) -> Sequence[Line]:
        """What `receive` accepted from `since` (unix seconds) on, oldest first."""
        group = self.deployment().outputs.log_groups["receive"]
        log = Log(logs=self.handle.aws.client("logs"), group=group, word="accepted", since=since)
        return [line for line in log.fresh(self.clock()) if line.fields.get("event") == "accepted"]

    def _iam(self) -> IAMClient:
        return self.handle.aws.client("iam")


def outsiders(changes: Sequence[Change], bucket: str, kept: Mapping[str, object]) -> list[Outsider]:
    """Rules that record into the bucket, and that nobody knows to be ours and current."""
    found: list[Outsider] = []
    for change in changes:
        egress = None if change.before is None else egress_of(change.before)
        if egress is None or bucket not in buckets(egress):
            continue
        veiled = hidden(egress)
        if change.step is Step.FOREIGN or (change.step is Step.KEEP and veiled and change.rule not in kept):
            keys = {str(getattr(upload, "access_key", "")) for upload in uploads(egress)}
            signers = frozenset(hook.signing_key for hook in egress.room.webhooks)
            found.append(
                Outsider(rule=change.rule, upload_key=None if veiled else next(iter(keys), None), signers=signers)
            )
    return found
