"""The bucket's settings as AWS has them now, against what the stack was asked for; a row each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from scripts.deployment import Deployment
from scripts.outputs import Outputs
from scripts.verify.hop import Failed, Hop, Skipped, code_of
from scripts.verify.lifecycle import found_facts, wanted_facts
from scripts.verify.probe import mend
from scripts.verify.statements import Document, denies, statements

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client

BEHIND = "somebody changed it behind Pulumi's back"
BLOCKS = {
    "BlockPublicAcls": "new public ACLs are refused",
    "IgnorePublicAcls": "public ACLs count for nothing",
    "BlockPublicPolicy": "public bucket policies are refused",
    "RestrictPublicBuckets": "a public policy lets no stranger in",
}
VERSIONING = "bucket.versioning"
# What `s3:TlsVersion` may be compared with to shut out everything before TLS 1.2.
TLS_1_2_AND_UP = ("1.2", "1.3")


def bucket_arn(outputs: Outputs) -> str:
    """ARN of the bucket, in the partition that the stack's other ARNs are in."""
    return f"arn:{outputs.secret_arn.split(':')[1]}:s3:::{outputs.bucket}"


def hops(deployment: Deployment) -> list[Hop]:
    """One hop for each setting."""
    aws = deployment.aws
    bucket = Bucket(
        s3=aws.client("s3"),
        kms=aws.client("kms"),
        outputs=deployment.outputs,
        mend=mend(deployment),
        stack=deployment.stack,
    )
    rows: dict[str, tuple[str, Callable[[], str]]] = {
        "versioning": ("bucket keeps versions", bucket.versioning),
        "encryption": ("bucket encrypts", bucket.encryption),
        "key": ("encryption key is there and rotates", bucket.key),
        **{name: (f"bucket: {words}", partial(bucket.block, name)) for name, words in BLOCKS.items()},
        "ownership": ("bucket has no ACLs", bucket.ownership),
        "tls": ("policy refuses plain HTTP", bucket.plain_http),
        "tls_version": ("policy refuses TLS below 1.2", bucket.old_tls),
        "no_strangers": ("policy lets nobody in", bucket.no_strangers),
        "lifecycle": ("recordings age as asked", bucket.lifecycle),
        "object_lock": ("new recordings are locked as asked", bucket.object_lock),
        "access_logs": ("accesses are logged", bucket.access_logs),
    }
    return [Hop(id=f"bucket.{name}", title=title, probe=probe) for name, (title, probe) in rows.items()]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """Each method is one probe; `mend` is the command that sets everything right."""

    s3: S3Client
    kms: KMSClient
    outputs: Outputs
    mend: str
    stack: str

    def versioning(self) -> str:
        """Versions: without them an overwritten recording is lost."""
        status = self.s3.get_bucket_versioning(Bucket=self.outputs.bucket).get("Status", "never enabled")
        return self._expect(status == "Enabled", str(status))

    def encryption(self) -> str:
        """Algorithm, key and bucket key of the default encryption."""
        answer: Any = self._ask(self.s3.get_bucket_encryption)
        rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
        default: Any = rules[0].get("ApplyServerSideEncryptionByDefault", {}) if rules else {}
        algorithm, key = default.get("SSEAlgorithm", "no default"), default.get("KMSMasterKeyID")
        if self.outputs.key_arn is None:
            return self._expect(algorithm == "AES256", f"{algorithm}, S3's own key")
        own = key is not None and key.rsplit("/", 1)[-1] == self.outputs.key_arn.rsplit("/", 1)[-1]
        bucket_key = bool(rules and rules[0].get("BucketKeyEnabled"))
        whose = "the stack's key" if own else "another key"
        seen = f"{algorithm}, {whose}, {'bucket key' if bucket_key else 'no bucket key'}"
        return self._expect(algorithm == "aws:kms" and own and bucket_key, seen)

    def key(self) -> str:
        """The KMS key's state and rotation."""
        if self.outputs.key_arn is None:
            raise Skipped("S3 encrypts with keys of its own")
        state = self.kms.describe_key(KeyId=self.outputs.key_arn)["KeyMetadata"].get("KeyState", "?")
        rotates = self.kms.get_key_rotation_status(KeyId=self.outputs.key_arn)["KeyRotationEnabled"]
        seen = f"{state}, {'rotates' if rotates else 'does not rotate'}"
        if state == "PendingDeletion":
            raise Failed(
                seen,
                cause="somebody scheduled the key's deletion: with it every recording is lost",
                mend=f"aws kms cancel-key-deletion --key-id {self.outputs.key_arn}",
            )
        return self._expect(state == "Enabled" and rotates, seen)

    def block(self, name: str) -> str:
        """One of the four public access blocks."""
        answer: Any = self._ask(self.s3.get_public_access_block)
        on = answer.get("PublicAccessBlockConfiguration", {}).get(name) is True
        return self._expect(on, f"{name} is {'on' if on else 'off'}")

    def ownership(self) -> str:
        """Object ownership: ACLs must be out of use."""
        answer: Any = self._ask(self.s3.get_bucket_ownership_controls)
        rules = answer.get("OwnershipControls", {}).get("Rules", [])
        found = rules[0].get("ObjectOwnership", "?") if rules else "no rule"
        return self._expect(found == "BucketOwnerEnforced", found)

    def plain_http(self) -> str:
        """A statement that denies everybody everything without TLS."""
        arn = bucket_arn(self.outputs)
        held = denies(self._policy(), arn, "Bool", "aws:SecureTransport", ["false"])
        return self._expect(held, "denied to everybody" if held else "no statement denies it on bucket and objects")

    def old_tls(self) -> str:
        """A statement that denies everybody everything with TLS below 1.2."""
        arn = bucket_arn(self.outputs)
        held = denies(self._policy(), arn, "NumericLessThan", "s3:TlsVersion", TLS_1_2_AND_UP)
        return self._expect(held, "denied to everybody" if held else "no statement denies it on bucket and objects")

    def no_strangers(self) -> str:
        """The policy of this program only denies; whoever is let in, IAM lets in."""
        letting = [statement for statement in statements(self._policy()) if statement.get("Effect") != "Deny"]
        names = ", ".join(str(statement.get("Sid", "without a name")) for statement in letting)
        return self._expect(not letting, f"lets somebody in: {names}" if letting else "no statement allows anything")

    def lifecycle(self) -> str:
        """Archiving, expiry and clearing up under the recordings' prefix."""
        answer: Any = self._ask(self.s3.get_bucket_lifecycle_configuration)
        prefix = self.outputs.prefix
        found, wanted = found_facts(answer.get("Rules", []), prefix), wanted_facts(self.outputs.bucket_settings)
        missing = [f"missing: {fact}" for fact in sorted(wanted - found)]
        extra = [f"not asked for: {fact}" for fact in sorted(found - wanted)]
        return self._expect(not missing and not extra, "; ".join([*missing, *extra] or sorted(found)))

    def object_lock(self) -> str:
        """How long a new object is locked; a bucket that once had Object Lock keeps it, without a default."""
        settings = self.outputs.bucket_settings
        mode = settings.get("objectLock") or "none"
        wanted = "not locked" if mode == "none" else f"{mode}, {int(settings['objectLockDays'])} d"
        answer: Any = self._ask(self.s3.get_object_lock_configuration)
        rule = answer.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention", {})
        days = f"{rule['Days']} d" if "Days" in rule else f"{rule.get('Years')} years"
        seen = f"{rule['Mode'].lower()}, {days}" if rule else "not locked"
        return self._expect(seen == wanted, seen)

    def access_logs(self) -> str:
        """Where accesses are logged, when that was asked for."""
        wanted = self.outputs.bucket_settings.get("accessLogs")
        if not wanted:
            raise Skipped("not asked for (accessLogs is false)")
        target = self.s3.get_bucket_logging(Bucket=self.outputs.bucket).get("LoggingEnabled", {}).get("TargetBucket")
        return self._expect(target == wanted, f"logged to {target or 'nowhere'}")

    def _policy(self) -> Document:
        answer: Any = self._ask(self.s3.get_bucket_policy)
        return json.loads(answer.get("Policy", "{}"))

    def _ask(self, call: Callable[..., Any]) -> Any:
        """An answer of S3; empty when the setting is not there at all."""
        try:
            return call(Bucket=self.outputs.bucket)
        except ClientError as error:
            if code_of(error) in MISSING:
                return {}
            if code_of(error) == "NoSuchBucket":
                cause = "somebody deleted the bucket, or these are another account's credentials"
                raise Failed("there is no such bucket", cause=cause, mend=self.mend) from None
            raise

    def _expect(self, held: bool, seen: str) -> str:  # noqa: FBT001 -- the verdict itself
        if not held:
            raise Failed(seen, cause=BEHIND, mend=self.mend)
        return seen


MISSING = frozenset(
    {
        "NoSuchBucketPolicy",
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "OwnershipControlsNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)
