"""How Prowler is run: shut off from the user's own AWS, and believed only when it answered."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from scripts.errors import LocalStackError
from scripts.local import cache
from scripts.local.emulator import Emulator
from tests.audit import environment, prowler

AWS = Emulator(
    endpoint_url="https://127.0.0.1:1",
    region="us-east-1",
    access_key_id="test",
    secret_access_key="test",
    ca_bundle=Path("bundle.pem"),
)
KEY = "arn:aws:kms:us-east-1:0:key/k"
FOUND = [
    {
        "metadata": {"event_code": "kms_cmk_rotation_enabled"},
        "status_code": "PASS",
        "status_detail": "",
        "resources": [{"uid": KEY}],
    }
]


def program(folder: Path, source: str) -> Path:
    path = folder / "lib" / "python3" / "bin" / "prowler"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!{sys.executable}\nimport json, os, pathlib, sys\n{source}\n")
    path.chmod(0o700)
    return path


def test_it_sees_nothing_of_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "PROWLER_CLOUD_API_KEY"):
        monkeypatch.setenv(name, "mine")
    source = f"pathlib.Path('found.ocsf.json').write_text({json.dumps(FOUND)!r})\nprint(json.dumps(dict(os.environ)))"
    [result] = prowler.results(program(tmp_path, source), AWS, tmp_path / "out")
    assert (result.check, result.status, result.resource) == ("kms_cmk_rotation_enabled", "PASS", KEY)
    seen = json.loads((tmp_path / "out" / "said").read_text())
    assert "mine" not in seen.values()
    assert seen["HOME"] == str(tmp_path / "out")
    assert seen["AWS_ENDPOINT_URL"] == AWS.endpoint_url


@pytest.mark.parametrize("source", ["sys.exit('no credentials')", "print('nothing written')"])
def test_no_answer_is_no_pass(source: str, tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match="Prowler answered"):
        prowler.results(program(tmp_path, source), AWS, tmp_path / "out")


def test_every_check_it_has_is_known(tmp_path: Path) -> None:
    services = tmp_path / "lib" / "python3.13" / "site-packages" / "prowler" / "providers" / "aws" / "services"
    for name in ("kms/kms_cmk_rotation_enabled/kms_cmk_rotation_enabled", "ec2/ec2_x/ec2_x"):
        (services / name).parent.mkdir(parents=True)
        (services / f"{name}.metadata.json").touch()
    assert prowler.checks(tmp_path / "bin" / "prowler") == {"kms_cmk_rotation_enabled"}


def test_a_half_made_environment_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[list[str]] = []
    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    monkeypatch.setattr(environment, "_run", lambda command: _made(made, command))
    said: list[str] = []
    older = tmp_path / "prowler" / "older"
    older.mkdir(parents=True)
    found = environment.prowler(said.append)
    (found.parent.parent / "installed").unlink()  # as after a kill
    assert environment.prowler(said.append) == found
    assert [command[0] for command in made] == [sys.executable, str(Path(sys.executable).with_name("uv"))] * 2
    assert environment.prowler(said.append) == found
    assert (len(made), len(said)) == (4, 2)
    assert not older.exists()
    assert all("--require-hashes" in command for command in made[1::2])


def _made(made: list[list[str]], command: list[str]) -> None:
    made.append(command)
    if "venv" in command:
        Path(command[-1], "bin").mkdir(parents=True)
        Path(command[-1], "bin", "prowler").touch()
