"""`callrec teardown`: what it does in which order, what it refuses, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
import typer
from botocore.exceptions import EndpointConnectionError
from pulumi import automation
from pulumi.automation import CommandResult
from rich.console import Console
from typer.testing import CliRunner

from scripts.context import Context
from scripts.deployment import StackHandle
from scripts.errors import NoStackError, StackError
from scripts.interruption import Interrupted
from scripts.teardown import command, egresses
from scripts.teardown.recordings import empty
from tests.unit.test_teardown_egresses import FakeLiveKit, into
from tests.unit.test_teardown_engine import FakeStack
from tests.unit.test_teardown_state import RECORDINGS, STATE
from tests.unit.verify_support import API_KEY, API_SECRET, FakeAws, FakeClient, refusal, web

KEPT = 6  # resources below the RecordingBucket, and itself
OTHERS = 2  # the stack and its provider


class FakeBuckets(FakeClient):
    """S3 with two buckets; deletions are done."""

    def __init__(self) -> None:
        self.versions: dict[str, list[dict[str, Any]]] = {
            "recordings": [
                {"Key": "calls/a.mp4", "VersionId": "1", "IsLatest": False, "Size": 100},
                {"Key": "calls/a.mp4", "VersionId": "2", "IsLatest": True, "Size": 200},
            ],
            "recordings-access-logs": [{"Key": "s3/log", "VersionId": "1", "IsLatest": True, "Size": 1}],
        }
        self.markers: list[dict[str, str]] = [{"Key": "calls/b.mp4", "VersionId": "3"}]
        super().__init__(
            list_object_versions=self._list,
            delete_objects=self._delete,
            list_multipart_uploads=lambda **call: (
                {"Uploads": [{"Key": "calls/c.mp4", "UploadId": "U"}]} if call["Bucket"] == "recordings" else {}
            ),
            abort_multipart_upload={},
            get_object_lock_configuration=refusal("ObjectLockConfigurationNotFoundError"),
            get_object_retention=refusal("NoSuchObjectLockConfiguration"),
            get_object_legal_hold=refusal("NoSuchObjectLockConfiguration"),
        )

    def _list(self, **call: Any) -> list[dict[str, Any]]:
        if call["Bucket"] not in self.versions:
            raise refusal("NoSuchBucket")
        markers = self.markers if call["Bucket"] == "recordings" else []
        return [{"Versions": [version]} for version in self.versions[call["Bucket"]]] + [{"DeleteMarkers": markers}, {}]

    def _delete(self, **call: Any) -> dict[str, Any]:
        gone = [(item["Key"], item["VersionId"]) for item in call["Delete"]["Objects"]]
        kept = [one for one in self.versions[call["Bucket"]] if (one["Key"], one["VersionId"]) not in gone]
        self.versions[call["Bucket"]] = kept
        self.markers = [one for one in self.markers if (one["Key"], one["VersionId"]) not in gone]
        return {}


class Bench:
    """A stack, its buckets, and the command as the CLI mounts it."""

    def __init__(self, stack: FakeStack | None = None) -> None:
        self.stack = stack or FakeStack()
        self.s3 = FakeBuckets()
        self.opening: Exception | None = None

    def handle(self) -> StackHandle:
        @contextmanager
        def engine() -> Generator[Any]:
            if self.opening is not None:
                raise self.opening
            yield self.stack

        aws: Any = FakeAws(clients={"s3": self.s3})
        return StackHandle(stack="unit", aws=aws, engine=engine)

    def run(self, *arguments: str, text: str | None = None) -> Any:
        app = typer.Typer()

        @app.callback()
        def common(ctx: typer.Context) -> None:
            ctx.obj = Context(stack="unit", console=Console(stderr=True), local={"unit": self.handle})

        app.command()(command.teardown)
        return CliRunner().invoke(app, ["teardown", *arguments], input=text)

    @property
    def left(self) -> int:
        return len(self.stack.exported["deployment"]["resources"])

    @property
    def untouched(self) -> bool:
        whole = FakeBuckets()
        return not self.stack.events and (self.s3.versions, self.s3.markers) == (whole.versions, whole.markers)


EVERYTHING = ("--yes", "--delete-recordings", "--confirm", "recordings")


@pytest.mark.parametrize("options", [(), ("--dry-run",), ("--delete-recordings",)])
def test_without_yes_nothing_is_touched(options: tuple[str, ...]) -> None:
    bench = Bench()
    done = bench.run(*options)
    assert done.exit_code == 0
    assert "dry run: nothing is changed" in done.stdout
    assert "callrec-unit-receive" in done.stdout
    assert "bucket recordings: 1 objects in 2 versions, 300 bytes" in done.stdout
    assert "Do it with: callrec teardown --stack unit --yes" in done.stdout
    assert bench.untouched


def test_the_stack_goes_and_the_recordings_stay() -> None:
    bench = Bench()
    done = bench.run("--yes")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == "removed"
    assert bench.left == KEPT + OTHERS
    assert bench.s3.versions == FakeBuckets().versions
    [targets] = bench.stack.destroyed
    assert targets is not None
    assert RECORDINGS not in targets
    kept = [one for one in bench.stack.exported["deployment"]["resources"] if one.get("protect")]
    assert len(kept) == 5  # still protected
    assert "remove" not in bench.stack.events


def test_a_second_time_nothing_is_left_to_do() -> None:
    bench = Bench()
    bench.run("--yes")
    before = list(bench.stack.events)
    done = bench.run("--yes")
    assert done.exit_code == 0
    assert "nothing is left to remove" in done.stdout
    assert bench.stack.events == before


def test_everything_goes_when_it_is_confirmed() -> None:
    bench = Bench()
    done = bench.run(*EVERYTHING)
    assert done.exit_code == 0, done.stderr
    assert bench.left == 0
    assert bench.s3.versions == {"recordings": [], "recordings-access-logs": []}
    assert bench.s3.markers == []
    assert bench.s3.called("abort_multipart_upload") == [
        {"Bucket": "recordings", "Key": "calls/c.mp4", "UploadId": "U"}
    ]
    # The key that uploads goes first: nothing comes into the bucket while it is emptied.
    assert bench.stack.events == ["destroy", "import", "destroy", "remove"]
    assert bench.stack.destroyed[1] is None


@pytest.mark.parametrize("done_before", [1, 2, 3])
def test_wherever_it_was_cut_off_it_goes_on_from_there(done_before: int) -> None:
    """Ends the first attempt at each operation that changes something; the second reaches the end."""
    bench = Bench()
    operations = 0

    def cut(*_: Any, **__: Any) -> None:
        nonlocal operations
        operations += 1
        if operations > done_before:
            raise Interrupted("SIGINT")

    trouble, bench.stack._trouble = bench.stack._trouble, cut  # type: ignore[method-assign]
    assert bench.run(*EVERYTHING).exit_code == 1
    bench.stack._trouble = trouble  # type: ignore[method-assign]
    assert bench.run(*EVERYTHING).exit_code == 0
    assert bench.left == 0
    assert bench.stack.events[-1] == "remove"


def test_buckets_that_are_gone_already_are_no_obstacle() -> None:
    bench = Bench()
    bench.s3.versions.clear()
    bench.s3.answers["list_multipart_uploads"] = refusal("NoSuchBucket")
    done = bench.run(*EVERYTHING)
    assert done.exit_code == 0
    assert "bucket recordings: not there any more" in done.stdout
    assert bench.left == 0


def test_an_empty_stack_is_removed_without_a_bucket_to_confirm() -> None:
    bench = Bench(FakeStack({"resources": STATE["resources"][:1]}))
    assert bench.run("--yes", "--delete-recordings").exit_code == 0
    assert bench.stack.events[-1] == "remove"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--yes", "--delete-recordings", "--confirm", "recording"), "'recording' is not the bucket"),
        (("--yes", "--delete-recordings", "--confirm", ""), "'' is not the bucket"),
        (("--yes", "--delete-recordings"), "--confirm recordings"),
        (("--yes", "--confirm", "recordings"), "--delete-recordings is not given"),
        (("--yes", "--dry-run"), "contradict"),
    ],
)
def test_what_is_not_meant_clearly_is_refused_with_nothing_touched(options: tuple[str, ...], words: str) -> None:
    bench = Bench()
    done = bench.run(*options)
    assert done.exit_code == 2
    assert words in done.stderr
    assert bench.untouched


@pytest.mark.parametrize(("typed", "code"), [("recordings\n", 0), ("recording\n", 2), ("", 2)])
def test_a_person_types_the_buckets_name(monkeypatch: pytest.MonkeyPatch, typed: str, code: int) -> None:
    bench = Bench()
    monkeypatch.setattr(command.sys, "stdin", command.sys.stdin)
    wish: list[Any] = []
    real = command.execute

    def execute(context: Context, given: Any, *, as_json: bool) -> int:
        wish.append(given)
        return real(context, command.Wish(yes=True, delete_recordings=True, ask=command._typed), as_json=as_json)

    monkeypatch.setattr(command, "execute", execute)
    done = bench.run("--yes", "--delete-recordings", text=typed)
    assert done.exit_code == code, done.output
    assert wish[0].ask is None  # no terminal here: otherwise it would have been asked by itself
    assert "deleted for ever (recordings)" in done.stderr
    assert bench.untouched is (code != 0)


def test_json_alone_is_on_stdout() -> None:
    document = json.loads(Bench().run("--json").stdout)
    assert document["dryRun"] is True
    assert document["ok"] is True
    assert {one["id"] for one in document["going"]} == {"AKIA", "callrec-unit-receive"}
    done = json.loads(Bench().run("--yes", "--json").stdout)
    assert done["dryRun"] is False
    refused = json.loads(Bench().run("--yes", "--delete-recordings", "--json").stdout)
    assert refused["ok"] is False
    assert "--confirm" in refused["error"]


@pytest.mark.parametrize("options", [("--yes",), ("--json", "--yes")])
def test_a_stack_that_is_not_there_is_removed_already(options: tuple[str, ...]) -> None:
    bench = Bench()
    bench.opening = NoStackError("there is no stack 'unit'")
    done = bench.run(*options)
    assert done.exit_code == 0
    assert "there is no stack" in done.stdout


def broken(stderr: str) -> automation.CommandError:
    return automation.CommandError(CommandResult(stdout="", stderr=stderr, code=255))


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (StackError("it has no region"), 2, "no region"),
        (broken("error: incorrect passphrase"), 2, "incorrect passphrase"),
    ],
)
def test_a_stack_that_cannot_be_opened(error: Exception, code: int, words: str) -> None:
    bench = Bench()
    bench.opening = error
    done = bench.run("--yes")
    assert (done.exit_code, bench.untouched) == (code, True)
    assert words in done.stderr


def test_what_the_engine_could_not_remove_exits_with_1() -> None:
    bench = Bench()
    bench.stack.troubles = [broken("error: DeleteQueue: AccessDenied")]
    done = bench.run("--yes")
    assert done.exit_code == 1
    assert "DeleteQueue: AccessDenied" in done.stderr


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal("AccessDenied", "DeleteObjects"), "DeleteObjects: AccessDenied"),
        (EndpointConnectionError(endpoint_url="https://x"), "EndpointConnectionError"),
        ({"Errors": [{"Code": "AccessDenied"}]}, "S3 keeps 1 versions in recordings (AccessDenied)"),
    ],
)
def test_recordings_that_s3_keeps_exit_with_1_and_the_bucket_stays(answer: Any, words: str) -> None:
    bench = Bench()
    bench.s3.answers["delete_objects"] = answer
    done = bench.run(*EVERYTHING)
    assert done.exit_code == 1
    assert words in done.stderr
    assert bench.left == KEPT + OTHERS


def test_a_refusal_to_count_is_no_empty_bucket() -> None:
    bench = Bench()
    bench.s3.answers["list_object_versions"] = refusal("AccessDenied", "ListObjectVersions")
    done = bench.run("--yes")
    assert "ListObjectVersions: AccessDenied" in done.stderr
    assert bench.stack.events == []


def test_a_refusal_to_empty_is_no_gone_bucket() -> None:
    s3: Any = FakeClient(list_multipart_uploads=refusal("AccessDenied"))
    with pytest.raises(type(refusal("x"))):
        empty(s3, "recordings", lambda _: None)


def livekit_bench(url: str) -> Bench:
    bench = Bench()
    bench.stack.config |= {
        "callrec:livekitUrl": url,
        "callrec:livekitApiKey": API_KEY,
        "callrec:livekitApiSecret": API_SECRET,
    }
    return bench


def with_livekit(livekit: FakeLiveKit, task: Callable[[Bench], None]) -> None:
    with web(livekit.respond) as url:
        task(livekit_bench(url))


def test_running_recordings_are_stopped_before_anything_goes() -> None:
    livekit = FakeLiveKit(running=[into("EG_1", "recordings"), into("EG_2", "another")])

    def task(bench: Bench) -> None:
        dry = bench.run()
        assert "recording now, stopped first: EG_1" in dry.stdout
        assert livekit.stopped == []
        assert bench.run("--yes").exit_code == 0
        assert livekit.stopped == ["EG_1"]
        assert bench.left == KEPT + OTHERS

    with_livekit(livekit, task)


@pytest.mark.parametrize("begins", [1, 2])
def test_a_recording_that_begins_after_the_plan_is_stopped_too(monkeypatch: pytest.MonkeyPatch, begins: int) -> None:
    """After the plan, or while another one is being stopped."""
    livekit = FakeLiveKit(running=[into("EG_1", "recordings")] if begins == 2 else [])
    real, looks = egresses.recording_into, 0

    def looking(*asked: Any) -> list[str]:
        nonlocal looks
        found = real(*asked)
        looks += 1
        if looks == begins:
            livekit.running.append(into("EG_LATE", "recordings"))
        return found

    monkeypatch.setattr(egresses, "recording_into", looking)

    def task(bench: Bench) -> None:
        assert bench.run("--yes").exit_code == 0
        assert livekit.stopped == ["EG_1", "EG_LATE"][2 - begins :]
        assert livekit.running == []
        assert bench.left == KEPT + OTHERS

    with_livekit(livekit, task)


def test_recordings_that_never_stop_beginning_keep_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egresses, "recording_into", lambda *_: ["EG_AGAIN"])
    monkeypatch.setattr(egresses, "stop", lambda *_: None)

    def task(bench: Bench) -> None:
        done = bench.run("--yes")
        assert done.exit_code == 1
        assert "now EG_AGAIN. Nothing was removed" in done.stderr
        assert "--ignore-livekit" in done.stderr
        assert bench.untouched

    with_livekit(FakeLiveKit(), task)


def test_a_recording_that_does_not_end_keeps_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egresses, "UPLOAD_SECONDS", -1.0)
    livekit = FakeLiveKit(running=[into("EG_1", "recordings")], lag=-1)

    def task(bench: Bench) -> None:
        done = bench.run("--yes")
        assert done.exit_code == 2
        assert "Nothing was removed" in done.stderr
        assert bench.untouched

    with_livekit(livekit, task)


def test_an_unreachable_livekit_keeps_the_stack_unless_it_is_ignored() -> None:
    bench = livekit_bench("http://127.0.0.1:9")
    done = bench.run("--yes")
    assert done.exit_code == 2
    assert "--ignore-livekit" in done.stderr
    assert bench.untouched
    assert bench.run("--yes", "--ignore-livekit").exit_code == 0
    assert bench.left == KEPT + OTHERS
    assert bench.run("--yes").exit_code == 0  # with nothing left to remove nobody is asked


def test_livekit_is_not_asked_without_a_bucket() -> None:
    going = [one for one in STATE["resources"] if "s3/" not in one["type"]]
    bench = livekit_bench("http://127.0.0.1:9")
    bench.stack.exported["deployment"]["resources"] = going
    assert bench.run("--yes").exit_code == 0


def test_an_interruption_exits_with_1_and_says_to_repeat() -> None:
    bench = Bench()
    bench.opening = Interrupted("SIGTERM")  # type: ignore[assignment]
    done = bench.run("--yes")
    assert done.exit_code == 1
    assert "run teardown again" in done.stderr


def test_a_terminal_shows_just_the_latest_line(capsys: pytest.CaptureFixture[str]) -> None:
    with command._progress(Console(force_terminal=True, width=80)) as say:
        say("[red]deleting")
    assert "removed" not in capsys.readouterr().out


def test_it_can_be_run_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["teardown", "--stack", "prod", "--yes"])
    monkeypatch.setattr(command, "execute", lambda context, wish, **_: {("prod", True): 7}[context.stack, wish.yes])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 7
