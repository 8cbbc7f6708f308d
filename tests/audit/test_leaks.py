"""No secret lies in the repository or in the functions' zip; and one that did would be found."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.audit import leaks

# Made when the test runs: written here they would be found here.
RANDOM = hashlib.sha512(b"no secret").digest()
HEX = RANDOM.hex()
BASE64 = base64.b64encode(RANDOM[:30]).decode()
PLANTED = {
    "Airtable Token": f"AIRTABLE = {'pat'}{HEX[:14]}.{HEX[14:78]}",
    "Pulumi Access Token": f"PULUMI_ACCESS_TOKEN={'pul-'}{HEX[:40]}",
    "AWS Access Key": f"key = {'AKIA'}{'QWERTYUIOPASDFGH'}",
    "Private Key": f"{'-----BEGIN'} RSA PRIVATE KEY-----",
    "GitHub Token": f"token: {'ghp_'}{(HEX * 2)[:36]}",
    "Base64 High Entropy String": f'livekit = "{BASE64}"',
    "Hex High Entropy String": f'signing = "{HEX[:64]}"',
    "Basic Auth Credentials": f"url = https://practice:{HEX[:12]}@airtable.test/",
    "JSON Web Token": "token = "
    + ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"HS256"}', b'{"iss":"API"}'))
    + f".{HEX[:43]}",
}


def repository(folder: Path, files: dict[str, str]) -> Path:
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)  # noqa: S607 -- whichever git there is
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{text}\n")
    return folder


def test_the_repository_holds_no_secret() -> None:
    found = sorted(leak for leak in leaks.repository() if leak.known_as not in leaks.known())
    assert not found, "looks like a secret; if it is none, see tests/audit/leaks.py: " + "; ".join(map(str, found))


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_secret_is_found(kind: str, tmp_path: Path) -> None:
    planted = repository(tmp_path, {"scripts/new.py": "x = 1", "tests/unit/new.py": f"x = 1\n{PLANTED[kind]}"})
    assert (("tests/unit/new.py", kind, 2)) in {(leak.path, leak.kind, leak.line) for leak in leaks.repository(planted)}


def test_a_password_in_plain_words_is_found_outside_of_tests(tmp_path: Path) -> None:
    line = 'password = "correct-horse"'
    planted = repository(tmp_path, {"scripts/new.py": line, "tests/new.py": line})
    assert {(leak.path, leak.kind) for leak in leaks.repository(planted)} == {("scripts/new.py", "Secret Keyword")}


def test_what_git_ignores_is_not_looked_at(tmp_path: Path) -> None:
    planted = repository(tmp_path, {".gitignore": ".env", ".env": PLANTED["Airtable Token"]})
    assert leaks.repository(planted) == set()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("functions/new.py", "Airtable Token"),
        ("functions/new.py", "Base64 High Entropy String"),
        (".env", "Hex High Entropy String"),
        ("library/new.py", "AWS Access Key"),
        ("library/new.so", "GitHub Token"),
        ("library/new.py", "Airtable Token"),
    ],
)
def test_a_secret_planted_in_the_zip_is_found(name: str, kind: str, tmp_path: Path) -> None:
    packed = tmp_path / "functions.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("functions/other.py", "x = 1\n")
        archive.writestr(name, f"x = 1\n{PLANTED[kind]}\n")
    found = leaks.archive(packed, tmp_path / "scratch")
    assert {(leak.path, leak.kind) for leak in found} == {(name, kind)}
