"""The write-only key: what it must be able to do, and every kind of thing that it must not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from scripts.aws_access import Key
from scripts.deployment import Deployment
from scripts.verify import uploader_policy, uploader_role
from scripts.verify.bucket_changes import Change, changes
from scripts.verify.hop import Failed, Hop, code_of
from scripts.verify.probe import Probe, inside, mend

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PUT = "uploader.put"
# S3's smallest part but the last: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
PART_BYTES = 5 * 1024 * 1024
# HEAD answers have no body, so boto3 knows just the number.
# Without ACLs S3 may say so before it looks at who asks.
REFUSALS = frozenset({"AccessDenied", "403", "AccessControlListNotSupported"})
# A key of a moment ago is not known everywhere yet: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html
FRESH_KEY_SECONDS = 10.0
FRESH_KEY_CODES = frozenset({"InvalidAccessKeyId"})


def key_of(deployment: Deployment) -> Key:
    """The uploader's access key."""
    outputs = deployment.outputs
    return Key(access_key_id=outputs.uploader_access_key_id, secret_access_key=outputs.uploader_secret_access_key)


def _client(deployment: Deployment) -> S3Client:
    if deployment.outputs.uploader_role_arn:
        return uploader_role.client(deployment)
    return deployment.aws.client("s3", key_of(deployment))


def of(deployment: Deployment, probe: Probe) -> Uploader:
    """The key's attempts, with the names of one probe."""
    return Uploader(
        client=cache(partial(_client, deployment)),
        operator=deployment.aws.client("s3"),
        bucket=deployment.outputs.bucket,
        prefix=deployment.outputs.prefix,
        probe=probe,
        mend=mend(deployment),
    )


def hops(deployment: Deployment, probe: Probe) -> list[Hop]:
    """What works first: refusals of a key that works not at all would mean nothing."""
    uploader = of(deployment, probe)
    trust = Hop(
        id="uploader.trust", title="only LiveKit may assume the role", probe=partial(uploader_role.trusted, deployment)
    )
    return [
        *([trust] if deployment.outputs.uploader_role_arn else []),
        Hop(
            id="uploader.policy",
            title="write-only key has exactly its grants",
            probe=partial(uploader_policy.check, deployment),
        ),
        Hop(id=PUT, title="write-only key can put", probe=uploader.put),
        Hop(id="uploader.multipart", title="… in parts, over 5 MiB", probe=uploader.multipart, needs=(PUT,)),
        Hop(id="uploader.abort", title="… and abort such an upload", probe=uploader.abort, needs=(PUT,)),
        Hop(id="uploader.outside", title="it cannot put elsewhere", probe=uploader.outside, needs=(PUT,)),
        Hop(id="uploader.read", title="it cannot read", probe=uploader.read, needs=(PUT,)),
        Hop(id="uploader.list", title="it cannot list", probe=uploader.listing, needs=(PUT,)),
        Hop(id="uploader.delete", title="it cannot delete", probe=uploader.delete, needs=(PUT,)),
        Hop(id="uploader.change", title="it cannot change the bucket", probe=uploader.change, needs=(PUT,)),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Uploader:
    """Each public method is one probe; `operator` looks after what `s3`, the uploader's own client, did.

    `client` makes that; it raises Skipped where nobody but LiveKit can.
    """

    client: Callable[[], S3Client] = field(repr=False)
    operator: S3Client
    bucket: str
    prefix: str
    probe: Probe
    mend: str

    @property
    def s3(self) -> S3Client:
        """What the uploader's own credentials reach."""
        return self.client()

    def put(self) -> str:
        """PutObject under the prefix; waits a little for a key that is new."""
        until = time.monotonic() + FRESH_KEY_SECONDS
        while True:
            try:
                answer = self.s3.put_object(Bucket=self.bucket, Key=self.probe.small_key, Body=b"callrec verify")
            except ClientError as error:
                if code_of(error) not in FRESH_KEY_CODES or time.monotonic() > until:
                    raise self._cannot(error) from None
                time.sleep(1.0)
            else:
                return f"stored, encrypted by {answer.get('ServerSideEncryption', 'nothing')}"

    def multipart(self) -> str:
        """An upload of two parts, as egress does from about 5 MB on."""
        place: Any = {"Bucket": self.bucket, "Key": self.probe.large_key}
        try:
            upload = self.s3.create_multipart_upload(**place)["UploadId"]
            parts = [
                {
                    "PartNumber": number,
                    "ETag": self.s3.upload_part(**place, UploadId=upload, PartNumber=number, Body=body)["ETag"],
                }
                for number, body in enumerate((bytes(PART_BYTES), self.probe.content), 1)
            ]
            self.s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})  # pyright: ignore[reportArgumentType]
        except ClientError as error:
            raise self._cannot(error) from None
        return f"{PART_BYTES + len(self.probe.content):,} bytes in {len(parts)} parts"

    def abort(self) -> str:
        """AbortMultipartUpload, which egress calls after a failure."""
        place: Any = {"Bucket": self.bucket, "Key": self.probe.aborted_key}
        try:
            upload = self.s3.create_multipart_upload(**place)["UploadId"]
            self.s3.upload_part(**place, UploadId=upload, PartNumber=1, Body=b"callrec verify")
            self.s3.abort_multipart_upload(**place, UploadId=upload)
        except ClientError as error:
            raise self._cannot(error) from None
        listed = self.operator.list_multipart_uploads(Bucket=self.bucket, Prefix=self.probe.aborted_key)
        if any(item.get("UploadId") == upload for item in listed.get("Uploads", [])):
            raise Failed(
                "S3 took the call, and the upload is still there", cause="S3 did not do it", mend="callrec verify"
            )
        return "begun, aborted, gone"

    def outside(self) -> str:
        """Puts beside the recordings' folder, whole and in parts."""
        top = self.probe.outside_key
        return self._all_refused(
            [
                ("PutObject", partial(self.s3.put_object, Bucket=self.bucket, Key=top, Body=b"")),
                ("CreateMultipartUpload", partial(self.s3.create_multipart_upload, Bucket=self.bucket, Key=top)),
            ]
        )

    def read(self) -> str:
        """Every call that gives away what a recording holds, or that it is there."""
        place: Any = {"Bucket": self.bucket, "Key": self.probe.small_key}
        version = self._version()
        return self._all_refused(
            [
                ("GetObject", partial(self.s3.get_object, **place)),
                ("GetObject of a version", partial(self.s3.get_object, **place, VersionId=version)),
                ("HeadObject", partial(self.s3.head_object, **place)),
                ("GetObjectTagging", partial(self.s3.get_object_tagging, **place)),
                ("GetObjectAcl", partial(self.s3.get_object_acl, **place)),
            ]
        )

    def listing(self) -> str:
        """Every call that tells which recordings there are."""
        place: Any = {"Bucket": self.bucket, "Prefix": inside(self.prefix)}
        return self._all_refused(
            [
                ("ListObjects", partial(self.s3.list_objects_v2, **place)),
                ("ListObjectVersions", partial(self.s3.list_object_versions, **place)),
                ("ListMultipartUploads", partial(self.s3.list_multipart_uploads, **place)),
                ("ListBuckets", self.s3.list_buckets),
            ]
        )

    def delete(self) -> str:
        """Deleting the probe's own object: with a delete marker, and for ever."""
        place: Any = {"Bucket": self.bucket, "Key": self.probe.small_key}
        version = self._version()
        return self._all_refused(
            [
                ("DeleteObject", partial(self.s3.delete_object, **place)),
                ("DeleteObject of a version", partial(self.s3.delete_object, **place, VersionId=version)),
            ]
        )

    def change(self) -> str:
        """Settings of the bucket and of the probe's object, each put just as it is now."""
        wanted: list[Change] = changes(self.operator, self.bucket, self.probe.small_key)
        try:
            return self._all_refused([(change.name, partial(change.put, self.s3)) for change in wanted])
        except Failed:
            for change in wanted:
                change.restore(self.operator)
            raise

    def _version(self) -> str:
        listed = self.operator.list_object_versions(Bucket=self.bucket, Prefix=self.probe.small_key).get("Versions", [])
        return listed[0].get("VersionId", "null") if listed else "null"

    def _all_refused(self, attempts: Sequence[tuple[str, Callable[[], object]]]) -> str:
        worked: list[str] = []
        odd: list[str] = []
        for name, call in attempts:
            try:
                call()
            except ClientError as error:
                if code_of(error) not in REFUSALS:
                    odd.append(f"{name}: {code_of(error)}")
            else:
                worked.append(name)
        if worked:
            cause = (
                "some policy gives the key more than it needs: see the row about its grants, and the bucket's policy"
            )
            raise Failed(f"it can: {', '.join(worked)}", cause=cause, mend=self.mend)
        if odd:
            cause = "S3 answered with something else than a refusal, which proves nothing"
            raise Failed("; ".join(odd), cause=cause, mend="callrec verify")
        return f"refused: {', '.join(name for name, _ in attempts)}"

    def _cannot(self, error: ClientError) -> Failed:
        causes = {
            "AccessDenied": "the group lacks its policy, the user its group, or the KMS key refuses",
            "InvalidAccessKeyId": "the access key was deleted or made inactive",
            "SignatureDoesNotMatch": "the secret in the stack's outputs is not the key's",
            "NoSuchBucket": "somebody deleted the bucket",
        }
        cause = causes.get(code_of(error), "S3 refuses the upload")
        return Failed(f"{error.operation_name}: {code_of(error)}", cause=cause, mend=self.mend)
