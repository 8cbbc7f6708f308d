"""Where the recordings are kept."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from infra import resource_policies
from infra.account import Account
from infra.config import StackConfig
from infra.private_bucket import PrivateBucket


class RecordingBucket(pulumi.ComponentResource):
    """The practice's private bucket: encrypted, versioned, archiving by age, its accesses logged when asked for.

    Unless the stack is disposable every part is protected, and stays in AWS even when the stack is removed.
    """

    def __init__(self, name: str, config: StackConfig, account: Account) -> None:
        super().__init__("callrec:RecordingBucket", name)
        disposable = config.flag("disposable")
        self._config = config
        self._own = pulumi.ResourceOptions(parent=self, protect=not disposable, retain_on_delete=not disposable)
        self.name = config.text("bucketName") or config.name(f"recordings-{account.id}")
        self.access_log_name = config.name(f"access-logs-{account.id}")
        self.prefix = config.text("recordingsPrefix")
        self.key_arn = self._key(name, account) if config.text("encryption") == "kms" else None
        private = PrivateBucket(
            name,
            bucket=self.name,
            policy=resource_policies.bucket,
            key_arn=self.key_arn,
            disposable=disposable,
            tags=config.tags,
            opts=self._own,
        )
        self.arn: pulumi.Output[str] = private.bucket.arn
        versioned = aws.s3.BucketVersioning(
            name,
            bucket=private.bucket.bucket,
            versioning_configuration={"status": "Enabled"},
            opts=self._own,
        )
        aging = aws.s3.BucketLifecycleConfiguration(
            name,
            bucket=private.bucket.bucket,
            rules=lifecycle_rules(config),
            opts=pulumi.ResourceOptions.merge(self._own, pulumi.ResourceOptions(depends_on=[versioned])),
        )
        self.settings = [*private.settings, versioned, aging]
        if config.text("objectLock") != "none":
            self.settings.append(self._lock(name, private, versioned))
        if config.flag("accessLogs"):
            self.settings.append(self._access_logs(name, private, account))
        self.register_outputs({"bucket": self.name, "arn": self.arn, "keyArn": self.key_arn})

    def described(self) -> dict[str, object]:
        """What the bucket was asked to be, for whoever checks it against what AWS says it is."""
        config = self._config
        return {
            "encryption": config.text("encryption"),
            "archiveClass": config.text("archiveClass"),
            "archiveAfterDays": config.number("archiveAfterDays"),
            "retentionDays": config.optional_number("retentionDays"),
            "noncurrentDays": config.number("noncurrentDays"),
            "objectLock": config.text("objectLock"),
            "objectLockDays": config.optional_number("objectLockDays"),
            "legalHold": config.flag("legalHold"),
            "accessLogs": self.access_log_name if config.flag("accessLogs") else None,
            "disposable": config.flag("disposable"),
        }

    def _key(self, name: str, account: Account) -> pulumi.Output[str]:
        key = aws.kms.Key(
            name,
            description=f"Encrypts the call recordings of {self._config.name('recordings')}",
            enable_key_rotation=True,
            rotation_period_in_days=365,
            deletion_window_in_days=30,
            policy=json.dumps(resource_policies.recordings_key(account.id, account.partition)),
            tags=self._config.tags,
            opts=self._own,
        )
        aws.kms.Alias(name, name=f"alias/{self._config.name('recordings')}", target_key_id=key.key_id, opts=self._own)
        return key.arn

    def _lock(self, name: str, recordings: PrivateBucket, versioned: pulumi.Resource) -> pulumi.Resource:
        """Lock new objects for some days; also a bucket that was made without Object Lock takes it.

        Neither protected nor kept, unlike the rest: `objectLock none` must be able to take it away, which unlocks
        nothing that is there. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-configure.html
        """
        return aws.s3.BucketObjectLockConfiguration(
            name,
            bucket=recordings.bucket.bucket,
            rule=aws.s3.BucketObjectLockConfigurationRuleArgs(
                default_retention=aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
                    mode=self._config.text("objectLock").upper(), days=self._config.number("objectLockDays")
                )
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioned]),
        )

    def _access_logs(self, name: str, recordings: PrivateBucket, account: Account) -> pulumi.Resource:
        logs = PrivateBucket(
            f"{name}-access-logs",
            bucket=self.access_log_name,
            policy=lambda arn: resource_policies.access_log_bucket(
                arn, f"arn:{account.partition}:s3:::{self.name}", account.id
            ),
            key_arn=None,  # S3 delivers access logs only to buckets that it encrypts itself
            disposable=self._config.flag("disposable"),
            tags=self._config.tags,
            opts=self._own,
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-access-logs",
            bucket=logs.bucket.bucket,
            rules=[
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="forget",  # object keys stand in the lines, and in them the names of rooms
                    status="Enabled",
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="s3/"),
                    expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(
                        days=self._config.number("logRetentionDays")
                    ),
                )
            ],
            opts=self._own,
        )
        return aws.s3.BucketLogging(
            name,
            bucket=recordings.bucket.bucket,
            target_bucket=logs.bucket.bucket,
            target_prefix="s3/",
            opts=pulumi.ResourceOptions.merge(self._own, pulumi.ResourceOptions(depends_on=logs.settings)),
        )


def lifecycle_rules(config: StackConfig) -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    """How a recording ages: archived, at last deleted when the stack says so, leftovers cleared.

    Under `legalHold` nothing is deleted by its age, older versions neither.
    A delete marker with nothing behind it needs a rule of its own: S3 refuses it beside an expiry in days.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
    """
    prefix = aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=config.text("recordingsPrefix"))
    held = config.flag("legalHold")
    retention = None if held else config.optional_number("retentionDays")
    aging = aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="age-recordings",
        status="Enabled",
        filter=prefix,
        transitions=[
            aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(
                days=config.number("archiveAfterDays"), storage_class=config.text("archiveClass")
            )
        ],
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=retention) if retention else None,
        noncurrent_version_expiration=None
        if held
        else aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=config.number("noncurrentDays")
        ),
        abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=1
        ),
    )
    markers = aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="clear-delete-markers",
        status="Enabled",
        filter=prefix,
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
    )
    return [aging, markers]
