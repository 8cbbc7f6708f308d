"""The resource types the stand-in maps: those our program uses, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import (
    alarms,
    function_access,
    function_events,
    functions,
    iam_people,
    iam_policies,
    kms,
    log_groups,
    s3_access,
    s3_bucket,
    s3_lifecycle,
    s3_notifications,
    s3_object_lock,
    s3_settings,
    schedules,
    secret_store,
    sns,
    sqs_policies,
    sqs_queues,
)
from .errors import UnknownTypeError

if TYPE_CHECKING:
    from .resource import Kind

KINDS: dict[str, Kind] = {
    kind.pulumi_type: kind()
    for kind in (
        s3_bucket.Bucket,
        s3_settings.BucketVersioning,
        s3_settings.BucketEncryption,
        s3_access.BucketPublicAccessBlock,
        s3_access.BucketOwnershipControls,
        s3_access.BucketPolicy,
        s3_settings.BucketLogging,
        s3_lifecycle.BucketLifecycleConfiguration,
        s3_notifications.BucketNotification,
        s3_object_lock.BucketObjectLockConfiguration,
        kms.Key,
        kms.Alias,
        iam_people.User,
        iam_people.Group,
        iam_people.UserGroupMembership,
        iam_people.AccessKey,
        iam_policies.GroupPolicy,
        iam_policies.Role,
        iam_policies.RolePolicy,
        secret_store.Secret,
        secret_store.SecretVersion,
        sqs_queues.Queue,
        sqs_policies.QueuePolicy,
        sqs_policies.RedrivePolicy,
        sqs_policies.RedriveAllowPolicy,
        functions.Function,
        function_access.Permission,
        function_access.FunctionUrl,
        function_events.EventSourceMapping,
        function_events.FunctionEventInvokeConfig,
        schedules.EventRule,
        schedules.EventTarget,
        log_groups.LogGroup,
        alarms.MetricAlarm,
        alarms.Dashboard,
        sns.Topic,
        sns.TopicPolicy,
        sns.TopicSubscription,
    )
}


def kind_of(pulumi_type: str) -> Kind:
    """Returns the kind of a resource type; `UnknownTypeError` names a type that is not mapped."""
    try:
        return KINDS[pulumi_type]
    except KeyError:
        raise UnknownTypeError(pulumi_type) from None
