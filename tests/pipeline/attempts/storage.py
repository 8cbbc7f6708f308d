"""What could be done to the recordings, and to the bucket that keeps them."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.pipeline.attempts.actor import Attempt, s3

OPEN = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False)
RETENTION = {"Mode": "GOVERNANCE", "RetainUntilDate": datetime(2030, 1, 1, tzinfo=UTC)}
ELSEWHERE = {"Role": "arn:aws:iam::000000000000:role/r", "Rules": []}

STORAGE: dict[str, Attempt] = {
    "s3:GetObject": s3("get_object", Key="{recording}"),
    "s3:GetObjectVersion": s3("get_object", Key="{recording}", VersionId="{version}"),
    "s3:GetObjectTagging": s3("get_object_tagging", Key="{recording}"),
    "s3:GetObjectVersionTagging": s3("get_object_tagging", Key="{recording}", VersionId="{version}"),
    "s3:GetObjectAcl": s3("get_object_acl", Key="{recording}"),
    "s3:GetObject outside": s3("get_object", Key="elsewhere/x"),
    "s3:GetObject erasure": s3("get_object", Key="erasures/EG_attempted.json"),
    "s3:PutObject": s3("put_object", Key="calls/attempt", Body=b"x"),
    "s3:PutObject outside": s3("put_object", Key="elsewhere/attempt", Body=b"x"),
    "s3:PutObject erasure": s3("put_object", Key="erasures/attempt", Body=b"x"),
    "s3:PutObjectTagging": s3("put_object_tagging", Key="{recording}", Tagging={"TagSet": []}),
    "s3:PutObjectVersionTagging": s3(
        "put_object_tagging", Key="{recording}", VersionId="{version}", Tagging={"TagSet": []}
    ),
    "s3:DeleteObjectTagging": s3("delete_object_tagging", Key="{recording}"),
    "s3:PutObjectAcl": s3("put_object_acl", Key="{recording}", ACL="bucket-owner-full-control"),
    "s3:PutObjectRetention": s3("put_object_retention", Key="{recording}", Retention=RETENTION),
    "s3:PutObjectLegalHold": s3("put_object_legal_hold", Key="{recording}", LegalHold={"Status": "OFF"}),
    "s3:RestoreObject": s3("restore_object", Key="{recording}", RestoreRequest={"Days": 1}),
    "s3:DeleteObject": s3("delete_object", Key="{recording}"),
    "s3:DeleteObject erasure": s3("delete_object", Key="erasures/attempt"),
    "s3:DeleteObjectVersion": s3("delete_object", Key="{recording}", VersionId="{version}"),
    "s3:BypassGovernanceRetention": s3(
        "delete_object", Key="{recording}", VersionId="{version}", BypassGovernanceRetention=True
    ),
    "s3:ListBucket": s3("list_objects_v2"),
    "s3:ListBucketVersions": s3("list_object_versions", Prefix="calls/"),
    "s3:ListBucketVersions erasures": s3("list_object_versions", Prefix="erasures/"),
    "s3:ListBucketVersions outside": s3("list_object_versions", Prefix="elsewhere/"),
    "s3:ListBucketVersions whole": s3("list_object_versions"),
    "s3:ListBucketMultipartUploads": s3("list_multipart_uploads"),
    "s3:GetBucketPolicy": s3("get_bucket_policy"),
    "s3:GetBucketVersioning": s3("get_bucket_versioning"),
    "s3:GetBucketLocation": s3("get_bucket_location"),
    "s3:PutBucketPolicy": s3("put_bucket_policy", Policy="{{}}"),
    "s3:DeleteBucketPolicy": s3("delete_bucket_policy"),
    "s3:PutBucketAcl": s3("put_bucket_acl", ACL="private"),
    "s3:PutBucketVersioning": s3("put_bucket_versioning", VersioningConfiguration={"Status": "Suspended"}),
    "s3:PutBucketPublicAccessBlock": s3("put_public_access_block", PublicAccessBlockConfiguration=OPEN),
    "s3:PutBucketPublicAccessBlock away": s3("delete_public_access_block"),
    "s3:PutBucketOwnershipControls": s3("delete_bucket_ownership_controls"),
    "s3:PutEncryptionConfiguration": s3("delete_bucket_encryption"),
    "s3:PutLifecycleConfiguration": s3("put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": []}),
    "s3:PutLifecycleConfiguration away": s3("delete_bucket_lifecycle"),
    "s3:PutBucketNotification": s3("put_bucket_notification_configuration", NotificationConfiguration={}),
    "s3:PutBucketLogging": s3("put_bucket_logging", BucketLoggingStatus={}),
    "s3:PutReplicationConfiguration": s3("put_bucket_replication", ReplicationConfiguration=ELSEWHERE),
    "s3:PutBucketObjectLockConfiguration": s3(
        "put_object_lock_configuration", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
    ),
    "s3:PutBucketTagging": s3("delete_bucket_tagging"),
    "s3:PutBucketWebsite": s3("put_bucket_website", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}}),
    "s3:PutBucketCORS": s3("delete_bucket_cors"),
    "s3:DeleteBucket": s3("delete_bucket"),
}
