"""Downloading the recordings: whole, private, under names that stay in their folder, and gone on with after a kill."""

from __future__ import annotations

import hashlib
import io
import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from scripts.errors import UnfinishedError, UsageError
from scripts.teardown.export import Export
from scripts.teardown.manifest import file_name
from tests.unit.functions_support import client_error

STORED = datetime(2026, 11, 24, tzinfo=UTC)


class Killed(BaseException):
    """What no handler catches."""


class Stored:
    """Current objects by key, and older versions; `cut` ends a download after so many bytes, by what it raises."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = objects
        self.ids = {key: f"v-{key}" for key in objects}
        self.older: list[tuple[str, str, bytes]] = []
        self.archived: set[str] = set()
        self.cut: tuple[int, BaseException] | None = None
        self.asked: list[tuple[str, str]] = []

    def put(self, key: str, body: bytes) -> None:
        """Store another version; what was there becomes an older one."""
        if key in self.objects:
            self.hide(key)
        self.objects[key], self.ids[key] = body, f"v{len(self.older)}-{key}"

    def hide(self, key: str) -> None:
        """As a delete marker does."""
        self.older.append((key, self.ids[key], self.objects.pop(key)))

    def get_paginator(self, _name: str) -> Any:
        return self

    def paginate(self, *, Bucket: str) -> list[dict[str, Any]]:  # noqa: N803
        assert Bucket == "recordings"
        found = [
            {"Key": key, "VersionId": self.ids[key], "Size": len(body), "LastModified": STORED, "IsLatest": True}
            for key, body in self.objects.items()
        ]
        old = [
            {"Key": key, "VersionId": version, "Size": len(body), "LastModified": STORED, "IsLatest": False}
            for key, version, body in self.older
        ]
        return [{"Versions": found}, {"Versions": old}, {"DeleteMarkers": [{"Key": "gone"}]}]

    def get_object(self, *, Bucket: str, Key: str, VersionId: str, Range: str = "bytes=0-") -> Any:  # noqa: N803
        self.asked.append((Key, Range))
        if Key in self.archived:
            raise client_error("InvalidObjectState")
        first = int(Range.removeprefix("bytes=").rstrip("-"))
        bodies = {version: body for _, version, body in self.older}
        if VersionId == self.ids[Key]:
            bodies[VersionId] = self.objects.get(Key, bodies.get(VersionId, b""))
        return {"Body": _Body(bodies[VersionId][first:], self.cut)}


class _Body(io.BytesIO):
    def __init__(self, content: bytes, cut: tuple[int, BaseException] | None) -> None:
        super().__init__(content)
        self.cut = cut

    def read(self, size: int | None = -1) -> bytes:
        if self.cut is None:
            return super().read(size)
        if self.tell() >= self.cut[0]:
            raise self.cut[1]
        return super().read(self.cut[0])


def made(s3: Stored, folder: Path) -> Export:
    export = Export(s3=cast("Any", s3), bucket="recordings", folder=folder, say=lambda _: None)
    export.check()
    return export


def manifest(folder: Path) -> dict[str, dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    return {line["key"]: line for line in lines}


def test_every_current_object_is_there_with_a_line_that_proves_it(tmp_path: Path) -> None:
    s3 = Stored(**{"calls/a b.mp4": b"one", "erasures/EG_1.json": b"{}", "calls/empty": b""})
    done = made(s3, tmp_path / "out").go()
    assert (done.files, done.size, done.fetched) == (3, 5, 3)
    listed = manifest(tmp_path / "out")
    assert set(listed) == set(s3.objects)
    for key, body in s3.objects.items():
        assert (tmp_path / "out" / listed[key]["file"]).read_bytes() == body
        assert listed[key] == {
            "key": key,
            "version": f"v-{key}",
            "size": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "modified": "2026-11-24T00:00:00+00:00",
            "file": f"files/{file_name(key)}",
            "current": True,
        }


def lines(folder: Path) -> dict[tuple[str, bool], tuple[str, bytes]]:
    """Key and whether it is current → its file, and what that holds; every line of the manifest is one of them."""
    read = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    found = {(one["key"], one["current"]): (one["file"], (folder / one["file"]).read_bytes()) for one in read}
    assert len(found) == len(read)
    assert {one["sha256"] for one in read} == {hashlib.sha256(body).hexdigest() for _, body in found.values()}
    return found


def test_older_versions_are_there_under_names_of_their_own(tmp_path: Path) -> None:
    s3 = Stored(**{"a.mp4": b"first", "hidden.mp4": b"under a delete marker"})
    s3.put("a.mp4", b"second")
    s3.hide("hidden.mp4")
    assert made(s3, tmp_path / "out").go().files == 3
    assert lines(tmp_path / "out") == {
        ("a.mp4", True): (f"files/{file_name('a.mp4')}", b"second"),
        ("a.mp4", False): (f"files/{file_name('a.mp4', 'v-a.mp4')}", b"first"),
        ("hidden.mp4", False): (f"files/{file_name('hidden.mp4', 'v-hidden.mp4')}", b"under a delete marker"),
    }


@pytest.mark.parametrize("same", [True, False])
def test_what_is_overwritten_after_an_export_keeps_its_bytes(tmp_path: Path, same: bool) -> None:  # noqa: FBT001
    """In one command or in two; the older version may be archived by now, so that nobody could fetch it again."""
    s3 = Stored(**{"a.mp4": b"first", "b.mp4": b"gone"})
    export = made(s3, tmp_path / "out")
    export.go()
    s3.put("a.mp4", b"second")
    s3.hide("b.mp4")
    s3.asked.clear()
    again = export if same else made(s3, tmp_path / "out")
    assert again.go().files == 3
    assert s3.asked == [("a.mp4", "bytes=0-")]
    assert lines(tmp_path / "out") == {
        ("a.mp4", True): (f"files/{file_name('a.mp4')}", b"second"),
        ("a.mp4", False): (f"files/{file_name('a.mp4', 'v-a.mp4')}", b"first"),
        ("b.mp4", False): (f"files/{file_name('b.mp4', 'v-b.mp4')}", b"gone"),
    }
    assert len(list((tmp_path / "out" / "files").iterdir())) == 3


def test_a_version_that_is_current_again_takes_the_name_back(tmp_path: Path) -> None:
    s3 = Stored(**{"a.mp4": b"first"})
    s3.put("a.mp4", b"second")
    made(s3, tmp_path / "out").go()
    [(_, s3.ids["a.mp4"], s3.objects["a.mp4"])] = s3.older
    s3.older.clear()
    assert made(s3, tmp_path / "out").go().fetched == 0
    assert lines(tmp_path / "out") == {("a.mp4", True): (f"files/{file_name('a.mp4')}", b"first")}


def test_a_manifest_of_before_older_versions_were_fetched_still_counts(tmp_path: Path) -> None:
    s3 = Stored(a=b"one")
    made(s3, tmp_path / "out").go()
    path = tmp_path / "out" / "manifest.jsonl"
    path.write_text(path.read_text().replace(', "current": true', ""))
    assert made(s3, tmp_path / "out").go().fetched == 0
    assert json.loads(path.read_text())["current"] is True


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    made(Stored(a=b"1"), tmp_path / "out").go()
    for path in [tmp_path / "out", *(tmp_path / "out").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_folder_that_others_can_read_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    with pytest.raises(UsageError, match="others can read"):
        made(Stored(), folder)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be used"):
        made(Stored(), tmp_path / "file")


def test_done_again_nothing_is_fetched_twice(tmp_path: Path) -> None:
    s3 = Stored(a=b"one", b=b"two")
    made(s3, tmp_path / "out").go()
    s3.asked.clear()
    again = made(s3, tmp_path / "out").go()
    assert (again.files, again.fetched, s3.asked) == (2, 0, [])


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"eno"),  # the same size
        lambda path: path.write_bytes(b"on"),
    ],
)
def test_a_file_that_is_not_what_the_manifest_says_is_fetched_anew(
    tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    s3 = Stored(a=b"one")
    made(s3, tmp_path / "out").go()
    path = tmp_path / "out" / "files" / file_name("a")
    harm(path)
    assert made(s3, tmp_path / "out").go().fetched == 1
    assert path.read_bytes() == b"one"


@pytest.mark.parametrize("died", [Killed(), OSError("connection reset")])
def test_cut_off_in_the_middle_it_goes_on_from_there(tmp_path: Path, died: BaseException) -> None:
    s3 = Stored(a=b"0123456789")
    s3.cut = (4, died)
    with pytest.raises((Killed, UnfinishedError)):
        made(s3, tmp_path / "out").go()
    s3.cut = None
    assert made(s3, tmp_path / "out").go().files == 1
    assert s3.asked[-1] == ("a", "bytes=4-")
    assert (tmp_path / "out" / "files" / file_name("a")).read_bytes() == b"0123456789"
    assert manifest(tmp_path / "out")["a"]["sha256"] == hashlib.sha256(b"0123456789").hexdigest()
    assert [path.name for path in (tmp_path / "out" / "files").iterdir()] == [file_name("a")]


def test_a_line_of_the_manifest_that_was_cut_off_counts_for_nothing(tmp_path: Path) -> None:
    s3 = Stored(a=b"one")
    made(s3, tmp_path / "out").go()
    path = tmp_path / "out" / "manifest.jsonl"
    path.write_text(path.read_text()[:40])
    assert made(s3, tmp_path / "out").go().fetched == 1


def test_what_is_archived_fails_the_export_and_all_else_is_there(tmp_path: Path) -> None:
    s3 = Stored(a=b"one", b=b"two")
    s3.archived = {"a"}
    with pytest.raises(
        UnfinishedError, match=r"1 are not .1 of InvalidObjectState.* restore them first.*No recording was"
    ):
        made(s3, tmp_path / "out").go()
    assert set(manifest(tmp_path / "out")) == {"b"}


def test_a_download_of_another_size_is_none(tmp_path: Path) -> None:
    s3 = Stored(a=b"one")
    pages = s3.paginate(Bucket="recordings")
    pages[0]["Versions"][0]["Size"] = 4
    s3.paginate = lambda **_: pages  # type: ignore[method-assign]
    with pytest.raises(UnfinishedError, match="1 of OSError"):
        made(s3, tmp_path / "out").go()
    assert not list((tmp_path / "out" / "files").iterdir())


def test_what_was_stored_since_is_fetched_by_the_same_export(tmp_path: Path) -> None:
    s3 = Stored(a=b"one")
    export = made(s3, tmp_path / "out")
    export.go()
    s3.put("b", b"two")
    done = export.go()
    assert (done.files, done.fetched, [key for key, _ in s3.asked]) == (2, 2, ["a", "b"])


@pytest.mark.parametrize(
    "key",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "calls/..",
        ".",
        "..",
        "a\x00b",
        "-rf",
        "C:\\x",
        "x" * 2000,
        "\n",
        "ü",
        "a/.mp4",
    ],
)
def test_no_key_leads_out_of_the_folder(key: str) -> None:
    name = file_name(key)
    assert len(name) < 160
    assert name == Path(name).name
    assert not name.startswith((".", "-"))
    assert name.isascii()
    assert name.isprintable()


def test_no_two_keys_share_a_name() -> None:
    keys = ["calls/a.mp4", "calls-a.mp4", "calls/a .mp4", "calls/A.mp4", "calls/a", "calls/a/", "calls/a.MP4"]
    assert len({file_name(key).lower() for key in keys}) == len(keys)
    assert file_name("calls/camille-1.mp4").startswith("calls-camille-1-")
    assert file_name("calls/camille-1.mp4").endswith(".mp4")


def test_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    s3, target = Stored(a=b"one"), tmp_path / "precious"
    target.write_bytes(b"precious")
    export = made(s3, tmp_path / "out")
    (tmp_path / "out" / "manifest.jsonl").symlink_to(target)
    with pytest.raises(UnfinishedError):
        export.go()
    assert target.read_bytes() == b"precious"
