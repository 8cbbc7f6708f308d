"""Where the engine comes from: PATH, cache, installer, build; one at a time, and what is said when there is no way."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from scripts.errors import EngineError
from scripts.local import cache
from scripts.local.engine import build, find

FAKE = """#!/bin/sh
case "$1" in version) echo v{version};; *) exit 1;; esac
"""


def fake(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(script)
    path.chmod(0o755)
    return path


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without engine, cache and Go; the installer is never asked."""
    monkeypatch.setenv("CALLREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CALLREC_ENGINE", "build")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr("shutil.which", which(tmp_path / "bin"))
    return tmp_path


def which(folder: Path) -> Any:
    def found(name: str, **_: object) -> str | None:
        path = folder / name
        return str(path) if path.exists() else None

    return found


def test_the_module_pins_the_engine() -> None:
    assert build.pinned_version() == "3.250.0"


def test_a_module_without_the_engine_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "go.mod").write_text("module x\n")
    monkeypatch.setattr(build, "MODULE", tmp_path)
    with pytest.raises(EngineError, match=r"names no version"):
        build.pinned_version()


def test_the_engine_on_path_is_taken_first(alone: Path) -> None:
    fake(alone / "bin", "pulumi", FAKE.format(version="3.999.0"))
    found = find.find(pytest.fail)
    assert (found.command, str(found.version)) == ("pulumi", "3.999.0")


def test_the_cached_engine_is_taken_next(alone: Path) -> None:
    fake(find.cached_root() / "bin", "pulumi", FAKE.format(version="3.250.0"))
    assert find.find(pytest.fail).command == str(find.cached_root() / "bin" / "pulumi")


def test_a_broken_engine_on_path_is_passed_over(alone: Path) -> None:
    fake(alone / "bin", "pulumi", "#!/bin/sh\nexit 1\n")
    fake(find.cached_root() / "bin", "pulumi", FAKE.format(version="3.250.0"))
    assert find.find(pytest.fail).command == str(find.cached_root() / "bin" / "pulumi")


GO = """#!/bin/sh
if [ "$1" = list ]; then printf 'a\\nb\\nc\\n'; exit 0; fi
echo a >&2; echo b >&2
while [ $# -gt 0 ]; do case "$1" in -o) out="$2"; shift;; esac; shift; done
{ending}
"""
BUILT = 'printf \'#!/bin/sh\\necho v3.250.0\\n\' > "$out"; chmod 755 "$out"'


def test_without_any_it_is_built_once_and_cached(alone: Path) -> None:
    fake(alone / "bin", "go", GO.format(ending=BUILT))
    said: list[str] = []
    first = find.find(said.append)
    assert "compiled 2 of about 3 packages" in said
    assert any("this takes minutes" in line for line in said)
    assert find.find(pytest.fail).command == first.command
    assert [path.name for path in (find.cached_root() / "bin").iterdir()] == ["pulumi"]


def test_two_at_once_build_one(alone: Path) -> None:
    log = alone / "builds"
    fake(alone / "bin", "go", GO.format(ending=f"echo x >> {log}; sleep 0.3; {BUILT}"))
    threads = [threading.Thread(target=find.find, args=(lambda _: None,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.read_text() == "x\n"


def test_a_build_that_fails_leaves_nothing_and_says_why(alone: Path) -> None:
    fake(alone / "bin", "go", GO.format(ending="echo 'no space left' >&2; exit 1"))
    with pytest.raises(EngineError, match="no space left"):
        find.find(lambda _: None)
    assert list((find.cached_root() / "bin").iterdir()) == []


def test_sources_that_cannot_be_fetched_are_named(alone: Path) -> None:
    fake(alone / "bin", "go", "#!/bin/sh\necho 'proxy refused' >&2; exit 1\n")
    with pytest.raises(EngineError, match="proxy refused"):
        find.find(lambda _: None)


def test_without_go_the_error_names_both_ways(alone: Path) -> None:
    with pytest.raises(EngineError, match=r"https://www\.pulumi\.com/docs/install/ or https://go\.dev"):
        find.find(lambda _: None)


def test_an_engine_that_does_not_run_after_all_is_named(alone: Path) -> None:
    fake(alone / "bin", "go", GO.format(ending='echo broken > "$out"'))
    with pytest.raises(EngineError, match="does not run"):
        find.find(lambda _: None)


@pytest.mark.parametrize(("answer", "built"), [(0, False), (1, True)])
def test_the_installer_is_asked_before_building(
    answer: int, *, built: bool, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(alone / "bin", "go", GO.format(ending=BUILT))
    monkeypatch.delenv("CALLREC_ENGINE")
    asked: list[list[str]] = []
    run = subprocess.run

    def installer(command: list[str], **options: Any) -> Any:
        if command[1:2] != ["-c"]:
            return run(command, **options)
        asked.append(command)
        if answer == 0:
            fake(Path(command[3]) / "bin", "pulumi", FAKE.format(version="3.250.0"))
        return subprocess.CompletedProcess(command, answer)

    monkeypatch.setattr(subprocess, "run", installer)
    said: list[str] = []
    find.find(said.append)
    assert [command[4] for command in asked] == ["3.250.0"]
    assert any("building" in line for line in said) is built


def test_an_installer_that_hangs_is_given_up(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(alone / "bin", "go", GO.format(ending=BUILT))
    monkeypatch.delenv("CALLREC_ENGINE")
    monkeypatch.setattr(find, "INSTALL", "import time; time.sleep(60)")
    monkeypatch.setattr(find, "INSTALLER_SECONDS", 0.2)
    assert str(find.find(lambda _: None).version) == "3.250.0"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"CALLREC_CACHE": "/a"}, "/a"),
        ({"XDG_CACHE_HOME": "/b"}, "/b/callrec"),
        ({"HOME": "/c"}, "/c/.cache/callrec"),
    ],
)
def test_the_cache_is_the_users_own(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CALLREC_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache.folder() == Path(os.path.realpath(expected))
