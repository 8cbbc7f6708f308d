"""What a run of `reconcile` learns from the bucket."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from .arrivals import Arrival
from .erasures import erased_egresses
from .log import fault, log
from .objects import list_versions
from .reconcile_report import Report

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Stock:
    """The bucket's stock: what of it was erased, and what still lies there. Problems go to the report."""

    def __init__(self, s3: S3Client, bucket: str, report: Report, may_go_on: Callable[[], bool]) -> None:
        """No request is made."""
        self._s3, self._bucket, self._report, self._may_go_on = s3, bucket, report, may_go_on
        self.requests = 0

    def erased(self) -> frozenset[str]:
        """The egresses erased on request; who cannot look takes none for erased, and `deliver` looks again."""
        self.requests += 1
        try:
            return erased_egresses(self._s3, self._bucket)
        except (ClientError, BotoCoreError) as error:
            self._failed("list_erasures_failed", error)
            return frozenset()

    def there(self, unwanted: frozenset[Arrival]) -> frozenset[Arrival]:
        """Without those that were deleted meanwhile; who cannot look says that they are there."""
        gone: set[Arrival] = set()
        for arrival in unwanted:
            if not self._may_go_on():
                self._report.problem("out_of_time")
                break
            self.requests += 1
            try:
                versions = list_versions(self._s3, self._bucket, arrival.key)
            except (ClientError, BotoCoreError) as error:
                self._failed("list_versions_failed", error)
                break
            if not any((one.key, one.id) == (arrival.key, arrival.version) for one in versions):
                gone.add(arrival)
        return unwanted - gone

    def _failed(self, event: str, error: ClientError | BotoCoreError) -> None:
        log("error", event, error=fault(error))
        self._report.problem("storage_refused" if isinstance(error, ClientError) else "storage_unavailable")
