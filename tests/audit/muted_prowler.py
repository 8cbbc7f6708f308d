"""What Prowler finds in our stack and may, each with its reason."""

from __future__ import annotations

from tests.audit.muted import Muted

FUNCTION, ADDRESSED = "arn:*:lambda:*:function:callrec-*", ("receive", "play")
BUCKET, ACCESS_LOGS, RECORDINGS = "arn:*:s3:::*", "arn:*:s3:::callrec-*-access-logs-*", "arn:*:s3:::recordings"
ACCOUNT = (
    "The account's own setting, made once for all that runs in it: the practice's duty, and not a stack's to change."
)
PUBLIC = (
    "Public by purpose. `receive` takes what LiveKit sends, and LiveKit cannot sign for AWS: the signature of its webhooks "
    "is checked before anything is done with them. `play` takes links, and who has one has no AWS account: the networks "
    "allowed, the token's signature and its end are checked before anything is looked up."
)
PASSWORDS = {
    "minimum_length_14": "FSBP IAM.7, CIS 1.8",
    "reuse_24": "CIS 1.9",
    "expires_passwords_within_90_days_or_less": "FSBP IAM.10",
    "uppercase": "",
    "lowercase": "",
    "symbol": "",
    "number": "",
}


def muted(check: str, where: str, reason: str, controls: str = "") -> Muted:
    """One of Prowler's checks."""
    return Muted(tool="prowler", check=check, where=where, reason=reason, controls=controls)


PROWLER = (
    *(
        muted("awslambda_function_not_publicly_accessible", f"{FUNCTION}-{part}", PUBLIC, "FSBP Lambda.1")
        for part in ADDRESSED
    ),
    *(muted("awslambda_function_url_public", f"{FUNCTION}-{part}", PUBLIC) for part in ADDRESSED),
    muted(
        "awslambda_function_inside_vpc",
        FUNCTION,
        "The functions talk to AWS's own services and, over the internet, to LiveKit and Airtable, and nothing talks to them "
        "from a private network. A VPC would add a NAT gateway as one more thing to fail and $33 a month, and shut nothing.",
        "FSBP Lambda.3",
    ),
    muted(
        "awslambda_function_env_vars_not_encrypted_with_cmk",
        FUNCTION,
        "The variables hold names, addresses and numbers; every secret is in Secrets Manager. AWS encrypts them under a key "
        "of its own, and `make test` looks for secrets in them.",
    ),
    muted(
        "awslambda_function_no_dead_letter_queue",
        FUNCTION,
        "That queue is for asynchronous calls. `receive` and `play` are answered; `deliver` is fed by a queue with a "
        "dead-letter queue of its own; what a run of `reconcile` missed the next one does, and an alarm rings when none runs.",
    ),
    muted(
        "awslambda_function_invoke_api_operations_cloudtrail_logging_enabled",
        FUNCTION,
        "CloudTrail's data events are the account's, and billed to it. Every play leaves a line in the stack's own log.",
        "HIPAA 164.312(b)",
    ),
    muted(
        "iam_role_cross_service_confused_deputy_prevention",
        "arn:*:iam::*:role/callrec-*",
        "Lambda takes a role only for functions of the role's own account, which is what the condition would say; AWS's own "
        "guide shows the trust policy without it: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
    ),
    muted(
        "iam_user_hardware_mfa_enabled",
        "arn:*:iam::*:user/callrec-*-uploader",
        "A machine's user without a password: it cannot sign in, so there is nothing to ask a second factor for. "
        "`uploader: role` does without the user.",
        "FSBP IAM.19, CIS 1.10",
    ),
    *(
        muted(f"iam_password_policy_{rule}", "arn:*:iam:*:password-policy", ACCOUNT, controls)
        for rule, controls in PASSWORDS.items()
    ),
    muted("iam_check_saml_providers_sts", "arn:*:iam::*:root", ACCOUNT, "CIS 1.21"),
    muted("iam_root_credentials_management_enabled", "arn:*:iam::*:root", ACCOUNT),
    muted("iam_securityaudit_role_created", "arn:*:iam::aws:policy/SecurityAudit", ACCOUNT),
    muted("iam_support_role_created", "arn:*:iam::aws:policy/AWSSupportAccess", ACCOUNT, "CIS 1.17"),
    muted(
        "s3_bucket_cross_region_replication",
        BUCKET,
        "A second copy of patients' calls in another region is one more place to protect and to erase from; S3 keeps each in "
        "three buildings already, and versions keep what is deleted by mistake.",
        "FSBP S3.7",
    ),
    muted(
        "s3_bucket_no_mfa_delete",
        BUCKET,
        "Only the account's root user can set it, by hand and with its own device, and then no lifecycle rule may be set. "
        "Against deletion there is `objectLock`, and nobody but an administrator may delete a version.",
        "FSBP S3.20, CIS 2.1.2",
    ),
    muted(
        "s3_bucket_object_lock",
        RECORDINGS,
        "By configuration: `objectLock` and `legalHold`. What is locked cannot be erased when a patient asks for it, so it is "
        "the practice's decision and off until made.",
        "FSBP S3.15",
    ),
    muted(
        "s3_bucket_object_lock",
        ACCESS_LOGS,
        "Access logs end after `logRetentionDays`; nobody but an administrator can delete one before.",
        "FSBP S3.15",
    ),
    muted(
        "s3_bucket_kms_encryption",
        ACCESS_LOGS,
        "S3 delivers access logs only to buckets that it encrypts itself: "
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html",
        "FSBP S3.17",
    ),
    muted(
        "s3_bucket_object_versioning",
        ACCESS_LOGS,
        "S3 writes each log file once under a name of its own, and nobody else may write there.",
        "FSBP S3.14",
    ),
    muted(
        "s3_bucket_server_access_logging_enabled",
        ACCESS_LOGS,
        "It is the bucket of logs: its own would log their own delivery without end.",
        "FSBP S3.9",
    ),
    muted(
        "s3_bucket_event_notifications_enabled",
        ACCESS_LOGS,
        "Nothing waits for a log file. The recordings' bucket announces what arrives.",
        "FSBP S3.11",
    ),
)

# What must pass on ours and fail on the twin, or `make audit` fails.
COUNTING = (
    "awslambda_function_no_secrets_in_variables",
    "awslambda_function_url_cors_policy",
    "awslambda_function_using_cross_account_layers",
    "awslambda_function_using_supported_runtimes",
    "iam_inline_policy_allows_privilege_escalation",
    "iam_inline_policy_no_administrative_privileges",
    "iam_inline_policy_no_full_access_to_cloudtrail",
    "iam_inline_policy_no_full_access_to_kms",
    "iam_inline_policy_no_wildcard_marketplace_subscribe",
    "iam_policy_attached_only_to_group_or_roles",
    "iam_rotate_access_key_90_days",
    "iam_user_administrator_access_policy",
    "iam_user_mfa_enabled_console_access",
    "iam_user_no_setup_initial_access_key",
    "iam_user_two_active_access_key",
    "kms_cmk_are_used",
    "kms_cmk_not_deleted_unintentionally",
    "kms_cmk_not_multi_region",
    "kms_cmk_rotation_enabled",
    "kms_key_not_publicly_accessible",
    "s3_bucket_acl_prohibited",
    "s3_bucket_cross_account_access",
    "s3_bucket_kms_encryption",
    "s3_bucket_level_public_access_block",
    "s3_bucket_lifecycle_enabled",
    "s3_bucket_object_versioning",
    "s3_bucket_policy_public_write_access",
    "s3_bucket_public_access",
    "s3_bucket_public_list_acl",
    "s3_bucket_public_write_acl",
    "s3_bucket_secure_transport_policy",
    "s3_bucket_server_access_logging_enabled",
    "sqs_queues_not_publicly_accessible",
    "sqs_queues_server_side_encryption_enabled",
)
