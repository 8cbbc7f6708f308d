"""Every policy that stands in an account, read from AWS itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from scripts.aws_access import AwsAccess

Policy = Mapping[str, Any]
# What services answer where no policy was set.
NONE_SET = {"NoSuchBucketPolicy", "ResourceNotFoundException"}


def policies(aws: AwsAccess) -> dict[str, Policy]:
    """Policies by what they belong to: `role NAME: POLICY`, `trust NAME`, `bucket NAME`, `queue NAME`, …"""
    return dict([*_identities(aws), *_resources(aws)])


def _identities(aws: AwsAccess) -> Iterator[tuple[str, Policy]]:
    """What roles, groups and users may do, and who may become a role: all of it in IAM's own listing."""
    iam: Any = aws.client("iam")
    seen = iam.get_account_authorization_details(Filter=["Role", "Group", "User", "LocalManagedPolicy"])
    assert not seen.get("IsTruncated"), "more than one page of identities"
    for role in seen["RoleDetailList"]:
        yield f"trust {role['RoleName']}", _document(role["AssumeRolePolicyDocument"])
    kinds = {"role": "Role", "group": "Group", "user": "User"}
    for kind, spelt in kinds.items():
        for holder in seen[f"{spelt}DetailList"]:
            name = holder[f"{spelt}Name"]
            for policy in holder.get(f"{spelt}PolicyList", []):
                yield f"{kind} {name}: {policy['PolicyName']}", _document(policy["PolicyDocument"])
    for managed in seen["Policies"]:
        [version] = [v for v in managed["PolicyVersionList"] if v["IsDefaultVersion"]]
        yield f"managed {managed['PolicyName']}", _document(version["Document"])


def _resources(aws: AwsAccess) -> Iterator[tuple[str, Policy]]:
    """Who may come at buckets, queues, keys, functions, secrets and topics by their own policies."""
    made: Any = aws
    s3, sqs, kms = made.client("s3"), made.client("sqs"), made.client("kms")
    functions, secrets, sns = made.client("lambda"), made.client("secretsmanager"), made.client("sns")
    found: list[tuple[str, Any]] = []
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        found.append((f"bucket {name}", _asked(s3.get_bucket_policy, "Policy", Bucket=name)))
    for url in sqs.list_queues().get("QueueUrls", []):
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})
        found.append((f"queue {url.rsplit('/', 1)[-1]}", attributes.get("Policy")))
    for key in kms.list_keys()["Keys"]:
        known = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        if known["KeyManager"] == "CUSTOMER":
            found.append((f"key {key['KeyId']}", _asked(kms.get_key_policy, "Policy", KeyId=key["KeyId"])))
    for function in functions.list_functions()["Functions"]:
        name = function["FunctionName"]
        found.append((f"function {name}", _asked(functions.get_policy, "Policy", FunctionName=name)))
    for secret in secrets.list_secrets()["SecretList"]:
        policy = _asked(secrets.get_resource_policy, "ResourcePolicy", SecretId=secret["ARN"])
        found.append((f"secret {secret['Name']}", policy))
    for topic in sns.list_topics()["Topics"]:
        arn = topic["TopicArn"]
        attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        found.append((f"topic {arn.rsplit(':', 1)[-1]}", attributes.get("Policy")))
    for name, policy in found:
        if policy:
            yield name, _document(policy)


def _asked(call: Any, part: str, **which: str) -> Any:
    try:
        return call(**which).get(part)
    except ClientError as error:
        if error.response["Error"]["Code"] in NONE_SET:
            return None
        raise


def _document(policy: str | Policy) -> Policy:
    """A policy as a dict with a list of statements, however the service gave it."""
    read = json.loads(policy) if isinstance(policy, str) else policy
    statements = read["Statement"]
    return {**read, "Statement": statements if isinstance(statements, list) else [statements]}
