"""The zip: the same bytes from the same sources, what is in it, and what happens when it cannot be built."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from infra import package
from infra.errors import PackageError
from infra.package import Target

# What an ELF file says of its machine at byte 18: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
EM_AARCH64 = (183).to_bytes(2, "little")
HERE = Target(python="3.13", architecture="arm64")


def tree(folder: Path, order: list[str]) -> Path:
    for name in order:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def test_equal_trees_give_equal_bytes(tmp_path: Path) -> None:
    files = ["b/x.py", "a.py", "b/a.py", "b/__pycache__/x.pyc", "d.dist-info/RECORD", "bin/tool"]
    first, second = tree(tmp_path / "1", files), tree(tmp_path / "2", files[::-1])
    os.utime(second / "a.py", (1, 1))
    (second / "a.py").chmod(0o600)
    package.write_zip(first, tmp_path / "1.zip")
    package.write_zip(second, tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "1.zip") as archive:
        assert archive.namelist() == ["a.py", "b/a.py", "b/x.py"]
        assert archive.read("b/x.py") == b"b/x.py"
        assert archive.infolist()[0].external_attr >> 16 == 0o100644


def test_the_zip_holds_functions_and_libraries_for_the_other_machine(tmp_path: Path) -> None:
    archive = package.build(HERE, tmp_path)
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
        compiled = {name: opened.read(name)[18:20] for name in names if name.endswith(".so")}
    for handler in ("receive", "deliver", "play"):
        assert f"functions/{handler}.py" in names
    for library in ("jwt/__init__.py", "itsdangerous/__init__.py", "pyairtable/__init__.py", "livekit/api/__init__.py"):
        assert library in names
    assert compiled
    assert set(compiled.values()) == {EM_AARCH64}
    assert not [name for name in names if name.startswith(("pulumi", "boto")) or "__pycache__" in name]
    assert package.build(HERE, tmp_path) == archive
    assert [path.name for path in tmp_path.iterdir()] == [archive.name]


def test_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    first, second = package.build(HERE, tmp_path / "1"), package.build(HERE, tmp_path / "2")
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("part", ["lock", "source", "target"])
def test_a_change_of_any_part_is_another_zip(part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def named(target: Target) -> str:
        monkeypatch.setattr(package, "_install", lambda _, folder: folder.mkdir())  # what is fetched does not matter
        return package.build(target, tmp_path / "out").name

    lock, sources = tmp_path / "lambda.txt", tmp_path / "functions"
    lock.write_text("a==1")
    tree(sources, ["receive.py"])
    monkeypatch.setattr(package, "LOCK", lock)
    monkeypatch.setattr(package, "SOURCES", sources)
    before = named(HERE)
    match part:
        case "lock":
            lock.write_text("a==2")
        case "source":
            (sources / "receive.py").write_text("changed")
        case _:
            pass
    after = named(Target(python="3.12", architecture="arm64") if part == "target" else HERE)
    assert before != after


def test_a_library_that_is_not_what_was_locked_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "lambda.txt"
    lock.write_text("pyjwt==2.15.1 --hash=sha256:" + "0" * 64)
    monkeypatch.setattr(package, "LOCK", lock)
    with pytest.raises(PackageError, match=r"cannot be built for python 3\.13 on arm64"):
        package.build(HERE, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_without_uv_the_error_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(PackageError, match="make setup"):
        package.build(HERE, tmp_path)
