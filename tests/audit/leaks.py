"""Secrets in files, found by detect-secrets (https://github.com/Yelp/detect-secrets).

What was looked at and is none stands in `known_secrets.txt`: path, kind, and the start of its hash. After looking at
new ones, write that file with `python -m tests.audit.leaks`; or write `pragma: allowlist secret` in a comment there.
"""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.core.potential_secret import PotentialSecret
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.settings import transient_settings

from infra.package import ROOT
from tests.audit.detectors import AirtableTokenDetector, PulumiTokenDetector

KNOWN = Path(__file__).with_name("known_secrets.txt")
DETECTORS = Path(__file__).with_name("detectors.py")
OWN = ("AirtableTokenDetector", "PulumiTokenDetector")
# What guesses by the name of what is assigned; and addresses, which are no secrets.
BY_NAME = "KeywordDetector"
NO_SECRET = "IPPublicDetector"
# What has a shape of its own, and no other: for other people's libraries, where the guesses find much and mean nothing.
SHAPES = (AWSKeyDetector, GitHubTokenDetector, AirtableTokenDetector, PulumiTokenDetector)
# Hashes of packages; pip holds every install against them.
LOCKS = ("requirements/", "tests/audit/known_secrets.txt")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Leak:
    """Something that looks like a secret: where, of which kind, and the first half of its SHA-1."""

    path: str
    kind: str
    digest: str
    line: int

    @property
    def known_as(self) -> str:
        """How `known_secrets.txt` spells it; its line may move."""
        return f"{self.path} {self.digest} {self.kind}"

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.kind}"


def repository(root: Path = ROOT) -> set[Leak]:
    """What looks like a secret in the files that git has or would take, and is not known.

    In tests a word that is assigned to a `password` is none: made-up ones are what tests are made of. One with the
    shape or the randomness of a real one is found there too.
    """
    files = [name for name in _git_files(root) if not name.startswith(LOCKS)]
    tests = {name for name in files if name.startswith("tests/")}
    everywhere = scan(root, files, [name for name in _detectors() if name != BY_NAME])
    return everywhere | scan(root, [name for name in files if name not in tests], [BY_NAME])


def archive(path: Path, scratch: Path) -> set[Leak]:
    """What looks like a secret in the functions' zip: in our own files anything, in libraries what has a shape."""
    with zipfile.ZipFile(path) as packed:
        packed.extractall(scratch)
    inside = sorted(file.relative_to(scratch).as_posix() for file in scratch.rglob("*") if file.is_file())
    ours = [name for name in inside if name.startswith("functions/") or "/" not in name]
    theirs = [name for name in inside if name not in ours]
    return scan(scratch, ours, _detectors()) | {leak for name in theirs for leak in _shapes(scratch, name)}


def scan(root: Path, files: Iterable[str], detectors: Iterable[str]) -> set[Leak]:
    """Look through files below `root` with detectors by their class names."""
    plugins = [{"name": name, **({"path": DETECTORS.as_uri()} if name in OWN else {})} for name in detectors]
    seen = SecretsCollection()
    with transient_settings({"plugins_used": plugins}), chdir(root):
        get_mapping_from_secret_type_to_class.cache_clear()  # it keeps what it knew before it heard of our detectors
        for name in files:
            seen.scan_file(name)
    return {
        Leak(path=path, kind=secret.type, digest=secret.secret_hash[:20], line=secret.line_number)
        for path, secret in seen
    }


def _shapes(root: Path, name: str) -> Iterator[Leak]:
    """What has the shape of a secret in a file of any size, be it text or compiled."""
    content = (root / name).read_bytes().decode("latin-1")
    for detector in SHAPES:
        for secret in detector().analyze_string(content):
            digest = PotentialSecret.hash_secret(secret)[:20]
            line = content[: content.index(secret)].count("\n") + 1
            yield Leak(path=name, kind=str(detector.secret_type), digest=digest, line=line)


def known() -> set[str]:
    """What was looked at and is no secret."""
    return set(KNOWN.read_text().splitlines())


def _detectors() -> list[str]:
    """All that detect-secrets has but for addresses, and our own."""
    theirs = sorted(detector.__name__ for detector in get_mapping_from_secret_type_to_class().values())
    return [*(name for name in theirs if name not in {NO_SECRET, *OWN}), *OWN]


def _git_files(root: Path) -> list[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True).stdout
    return [name for name in os.fsdecode(listed).split("\0") if name and (root / name).is_file()]


if __name__ == "__main__":
    KNOWN.write_text("".join(f"{entry}\n" for entry in sorted({leak.known_as for leak in repository()})))
