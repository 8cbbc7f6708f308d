"""Files of an export: only their owner reads them, and none is ever half of itself."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

#: What the name of a file ends in until it is whole.
PART = ".part"


def opened(path: Path) -> BinaryIO:
    """For reading and writing, only by the owner, and never through a link that somebody put there."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b")


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Put these lines in place of what is there, all at once. Raises OSError."""
    part = path.with_name(f"{path.name}{PART}")
    with opened(part) as file:
        file.truncate(0)
        file.writelines(f"{line}\n".encode() for line in lines)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
