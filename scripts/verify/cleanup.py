"""Removes what probes left in bucket, table and queues: those of this run, and those of runs that were killed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests
from botocore.exceptions import BotoCoreError, ClientError

from scripts.deployment import Deployment
from scripts.verify.airtable import Conversations
from scripts.verify.dead_letters import StubbornError, sweep
from scripts.verify.hop import Failed, code_of
from scripts.verify.probe import OUTSIDE, inside

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


@dataclass(kw_only=True, slots=True)
class Cleanup:
    """One stack's leftovers, removed with the operator's rights. One run at a time: another's are leftovers too."""

    s3: S3Client = field(repr=False)
    sqs: SQSClient = field(repr=False)
    bucket: str
    prefix: str
    table: Conversations
    queue_url: str
    dead_letter_queue_url: str
    lock: str = "none"

    @classmethod
    def of(cls, deployment: Deployment, table: Conversations) -> Cleanup:
        """Nothing is touched yet."""
        outputs = deployment.outputs
        return cls(
            s3=deployment.aws.client("s3"),
            sqs=deployment.aws.client("sqs"),
            bucket=outputs.bucket,
            prefix=outputs.prefix,
            table=table,
            queue_url=outputs.queue_url,
            dead_letter_queue_url=outputs.dead_letter_queue_url,
            lock=outputs.bucket_settings.get("objectLock") or "none",
        )

    def everything(self, *, waiting: bool) -> str:
        """Remove all of it, each part whatever becomes of the others; says what went.

        `waiting`: look through the queue itself too. That holds real messages back for a moment, so it is done when a
        probe's message can be in there. Raises Failed with what could not be removed.
        """
        parts: dict[str, Callable[[], int]] = {
            "unfinished uploads": self._uploads,
            "object versions": self._versions,
            "conversations": self.table.sweep,
            "dead letters": lambda: sweep(self.sqs, self.dead_letter_queue_url),
        }
        if waiting:
            parts["queued events"] = lambda: sweep(self.sqs, self.queue_url)
        done: list[str] = []
        problems: list[str] = []
        for name, part in parts.items():
            try:
                count = part()
            except Exception as error:  # noqa: BLE001 -- the other parts are still to be cleared
                problems.append(f"{name} ({_short(error)})")
            else:
                done += [f"{count} {name}"] if count else []
        if problems:
            raise Failed(
                f"could not remove: {', '.join(problems)}",
                cause="your credentials, or the Airtable token, may not, or something did not answer",
                mend="callrec verify (it removes what an earlier run left)",
            )
        return f"removed {', '.join(done)}" if done else "nothing was left"

    def _folders(self) -> tuple[str, str]:
        return inside(self.prefix), OUTSIDE

    def _uploads(self) -> int:
        count = 0
        for folder in self._folders():
            for page in self.s3.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=folder):
                for upload in page.get("Uploads", []):
                    place: Any = {"Bucket": self.bucket, "Key": upload.get("Key"), "UploadId": upload.get("UploadId")}
                    self.s3.abort_multipart_upload(**place)
                    count += 1
        return count

    def _versions(self) -> int:
        """What Object Lock keeps is left: a later run removes it when its lock has ended."""
        bypass: Any = {"BypassGovernanceRetention": True} if self.lock == "governance" else {}
        count = 0
        for folder in self._folders():
            for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=folder):
                entries: Any = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                found: Any = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
                if not found:
                    continue
                answer = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": found, "Quiet": True}, **bypass)
                kept = answer.get("Errors", [])
                if any(self.lock == "none" or error.get("Code") != "AccessDenied" for error in kept):
                    raise StubbornError(f"{len(kept)} of {len(found)} stayed")
                count += len(found) - len(kept)
        return count


def _short(error: Exception) -> str:
    if isinstance(error, ClientError):
        return code_of(error)
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"Airtable answered {error.response.status_code}"
    if isinstance(error, StubbornError | Failed):
        return str(error)
    return "no answer" if isinstance(error, BotoCoreError | requests.RequestException) else type(error).__name__
