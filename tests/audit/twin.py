"""The bad twin: another account's resources, wrong in each respect that an auditor's tool asks about.

A check that passes here as well proves nothing by passing on our stack.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

from scripts.aws_access import AwsAccess
from tests.audit.twin_identities import STRANGER, make_identities, policy

BUCKET = "twin-recordings"
OPEN = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False)
# Made up, with the shape of real ones: what scanners of code and variables must find.
LEAKED = {
    "AWS_ACCESS_KEY_ID": "AKIA" + "QWERTYUIOPASDFGH",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYq8Zz3kLm2N",
    "DATABASE_URL": "postgres://practice:" + "hunter2hunter2" + "@db.practice.org:5432/calls",
}
# A layer of somebody else's: whoever writes it runs in the function.
LAYER = "arn:aws:lambda:us-east-1:210987654321:layer:theirs:1"


def make(aws: AwsAccess) -> None:
    """Make all of it in an account that is empty."""
    made: Any = aws
    make_identities(made.client("iam"))
    _bucket(made)
    _queue(made.client("sqs"))
    _keys(made.client("kms"))
    _function(made)


def _bucket(aws: Any) -> None:
    """Public by list and by policy, in clear, without versions, ends, logs or news; shared with a stranger."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET, ObjectOwnership="ObjectWriter")
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=OPEN)
    s3.put_bucket_acl(Bucket=BUCKET, ACL="public-read-write")
    s3.put_bucket_policy(
        Bucket=BUCKET,
        Policy=policy(
            {
                "Principal": "*",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                "Resource": f"arn:aws:s3:::{BUCKET}/*",
            },
            {"Principal": {"AWS": STRANGER}, "Action": "s3:*", "Resource": f"arn:aws:s3:::{BUCKET}"},
        ),
    )
    s3.put_object(Bucket=BUCKET, Key="calls/1.mp4", Body=b"a call", ACL="public-read")
    s3.delete_bucket_encryption(Bucket=BUCKET)


def _queue(sqs: Any) -> None:
    """In clear, and open to everybody."""
    url = sqs.create_queue(QueueName="twin-events", Attributes={"SqsManagedSseEnabled": "false"})["QueueUrl"]
    anybody = {"Principal": "*", "Action": "sqs:*", "Resource": "*"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(anybody)})


def _keys(kms: Any) -> None:
    """One that is never rotated, for several regions and anybody; one out of use; one about to be deleted."""
    anybody = policy({"Principal": "*", "Action": "kms:*", "Resource": "*"})
    kms.create_key(Policy=anybody, MultiRegion=True, Description="twin")
    idle = kms.create_key(Description="twin, out of use")["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=idle)
    doomed = kms.create_key(Description="twin, doomed")["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=doomed, PendingWindowInDays=7)


def _function(aws: Any) -> None:
    """Old, public by policy and by address, with secrets in code and variables, outside of any network."""
    functions = aws.client("lambda")
    role = aws.client("iam").get_role(RoleName="twin-admin")["Role"]["Arn"]
    name = "twin-play"
    functions.create_function(
        FunctionName=name,
        Runtime="python3.7",
        Handler="handler.handler",
        Role=role,
        Code={"ZipFile": packed()},
        Environment={"Variables": LEAKED},
        Layers=[LAYER],
    )
    functions.add_permission(FunctionName=name, StatementId="any", Action="lambda:InvokeFunction", Principal="*")
    functions.create_function_url_config(
        FunctionName=name, AuthType="NONE", Cors={"AllowOrigins": ["*"], "AllowMethods": ["*"]}
    )


def packed() -> bytes:
    """The zip of its function, with secrets in its code."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("handler.py", "".join(f"{name} = {value!r}\n" for name, value in LEAKED.items()))
    return made.getvalue()
