"""Saves who listened, before `play`'s log goes with everything else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from scripts.errors import UnfinishedError
from scripts.link.trail import EVENT
from scripts.status.log_lines import Log
from scripts.teardown.private_file import write_lines
from scripts.verify.hop import code_of

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

FILE = "plays.jsonl"


def save(logs: CloudWatchLogsClient, group: str, folder: Path) -> int:
    """Write every audit line of the log, oldest first, a JSON object each; how many. A group that is gone has none.

    Raises ClientError, and UnfinishedError when the file cannot be written.
    """
    try:
        lines = Log(logs=logs, group=group, word=EVENT, since=0.0).fresh(0.0)
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        return 0
    plays = [line for line in lines if line.fields.get("event") == EVENT]
    stamped = ({"logged": datetime.fromtimestamp(line.at, UTC).isoformat(), **line.fields} for line in plays)
    try:
        write_lines(folder / FILE, map(json.dumps, stamped))
    except OSError as error:
        raise UnfinishedError(
            f"the log of who listened could not be saved in {folder} ({error.strerror}). Nothing of it was deleted: "
            "run the same command again"
        ) from None
    return len(plays)
