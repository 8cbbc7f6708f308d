"""`play`: a good link leads to S3 for minutes, every other one to a plain page."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.functions import play
from infra.functions.errors import LinkError
from infra.functions.links import Links
from infra.functions.networks import parse
from infra.functions.pages import NAMES, page
from infra.functions.secret import SecretCache
from infra.functions.settings import PlaySettings
from tests.unit.functions_support import LINK_KEY, NOW, SECRET, SECRET_JSON, Clock, client_error, recording, url_event

DAY = 86_400
SOURCE = "198.51.100.7"
FUNCTION = SimpleNamespace(function_name="callrec-x-play")
ROOT = Path(__file__).parents[2]


class FakeS3:
    """One object version; the presigned links are botocore's own."""

    def __init__(self) -> None:
        self.head: dict[str, Any] | Exception = {"ContentLength": 5}
        self.erasure: dict[str, Any] | Exception = client_error("403")  # as S3 says to who may not list
        self.tags: list[dict[str, str]] | Exception = []
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.signer: Any = play.presigning_client(custom_endpoint=False)

    def head_object(self, **request: Any) -> dict[str, Any]:
        self.asked.append(("head_object", request))
        answer = self.head if "VersionId" in request else self.erasure
        if isinstance(answer, Exception):
            raise answer
        return answer

    def get_object_tagging(self, **request: Any) -> dict[str, Any]:
        self.asked.append(("get_object_tagging", request))
        if isinstance(self.tags, Exception):
            raise self.tags
        return {"TagSet": self.tags}

    def generate_presigned_url(self, method: str, **request: Any) -> str:
        return self.signer.generate_presigned_url(method, **request)


class Rig:
    """`play` with fakes around it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.s3 = FakeS3()
        self.secret: str | Exception = SECRET_JSON
        self.app = play.App(
            settings=PlaySettings(secret_arn="arn", bucket="recordings-x", prefix="calls/"),
            secrets=SecretCache(self.read, self.clock),
            s3=cast("Any", self.s3),
            clock=self.clock,
        )

    def read(self) -> str:
        if isinstance(self.secret, Exception):
            raise self.secret
        return self.secret

    def allow(self, *networks: str) -> None:
        self.app = replace(self.app, settings=replace(self.app.settings, networks=parse(",".join(networks))))

    def get(self, path: str, method: str = "GET", source: str | None = SOURCE) -> dict[str, Any]:
        event = url_event(method=method, path=path)
        if source is not None:
            event["requestContext"]["http"]["sourceIp"] = source
        return play.handler(event, FUNCTION)


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one audit line of what was asked since the last time."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [line] = [line for line in lines if line.get("event") == "play"]
    return line


def token(now: float = NOW, **changes: Any) -> str:
    return Links((LINK_KEY,), Clock(now)).issue(recording(**changes), "v1", lifetime_s=DAY)


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    made = Rig()
    monkeypatch.setattr(play, "app", lambda: made.app)
    return made


@pytest.mark.parametrize(("length", "seconds"), [(None, 300), (1800.5, 2100), (1e300, 10_800), (-1.0, 300)])
def test_an_s3_link_lives_as_long_as_listening_takes_and_five_minutes(length: float | None, seconds: int) -> None:
    link = Links([LINK_KEY]).read(token(duration_s=length))
    assert play.presigned_seconds(link) == seconds


@pytest.mark.parametrize("prefix", ["", "/_aws/lambda-url/abc", "/r/x"])
def test_a_good_link_leads_to_this_version_for_its_length_and_five_minutes(rig: Rig, prefix: str) -> None:
    answer = rig.get(f"{prefix}/r/{token()}")
    assert (answer["statusCode"], answer["body"]) == (302, "")
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert answer["headers"]["Referrer-Policy"] == "no-referrer"
    parts = urlsplit(answer["headers"]["Location"])
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert parts.scheme == "https"
    assert parts.netloc == "recordings-x.s3.us-east-1.amazonaws.com"
    assert parts.path == "/calls/camille/1.mp4"
    assert query["versionId"] == "v1"
    assert query["X-Amz-Expires"] == "312"
    assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert query["response-content-type"] == "audio/mp4"
    assert query["response-content-disposition"] == 'inline; filename="call-camille-2026-11-24-0000UTC.mp4"'
    where = {"Bucket": "recordings-x", "Key": "calls/camille/1.mp4", "VersionId": "v1"}
    record = {"Bucket": "recordings-x", "Key": "erasures/EG_1.json"}
    assert rig.s3.asked == [("head_object", record), ("head_object", where), ("get_object_tagging", where)]


def test_head_is_answered_with_a_link_that_head_may_follow(rig: Rig) -> None:
    locations = [rig.get(f"/r/{token()}", method)["headers"]["Location"] for method in ("GET", "HEAD")]
    signatures = [parse_qs(urlsplit(location).query)["X-Amz-Signature"][0] for location in locations]
    assert signatures[0] != signatures[1]


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("calls/a.mp4", "audio/mp4"),
        ("calls/a.MP4", "audio/mp4"),
        ("calls/a.m4a", "audio/mp4"),
        ("calls/a.ogg", "audio/ogg"),
        ("calls/a.html", "application/octet-stream"),
        ("calls/a", "application/octet-stream"),
    ],
)
def test_what_the_browser_is_told_it_is(rig: Rig, key: str, kind: str) -> None:
    location = rig.get(f"/r/{token(key=key)}")["headers"]["Location"]
    assert parse_qs(urlsplit(location).query)["response-content-type"] == [kind]


@pytest.mark.parametrize(
    ("region", "endpoint", "start"),
    [
        ("us-east-1", None, "https://recordings-x.s3.us-east-1.amazonaws.com/calls/"),
        ("ca-central-1", None, "https://recordings-x.s3.ca-central-1.amazonaws.com/calls/"),
        ("us-east-1", "https://127.0.0.1:4566", "https://127.0.0.1:4566/recordings-x/calls/"),
        ("us-east-1", "https://localhost:4566", "https://localhost:4566/recordings-x/calls/"),
    ],
)
def test_links_name_the_region_and_a_path_only_on_another_endpoint(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, region: str, endpoint: str | None, start: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    play.aws.default_session.cache_clear()
    rig.s3.signer = play.presigning_client(custom_endpoint=bool(endpoint))
    assert rig.get(f"/r/{token()}")["headers"]["Location"].startswith(start)


def assert_page(answer: dict[str, Any], status: int) -> None:
    assert answer["statusCode"] == status
    assert "Location" not in answer["headers"]
    assert answer["headers"]["Content-Type"].startswith("text/html")
    assert answer["headers"]["Cache-Control"] == "no-store"
    body = answer["body"]
    assert '<html lang="en">' in body
    assert 'name="viewport"' in body
    assert "<main>" in body
    assert len(body) < 1400
    assert not re.search(r"calls/|camille|recordings-x|EG_1|Traceback|Error", body)


@pytest.mark.parametrize("path", ["/", "/r", "/r/", "/robots.txt", "/x/y", "/r/a/b", "", "/R/abc", "/r/x/"])
def test_other_paths(rig: Rig, path: str) -> None:
    assert_page(rig.get(path), 404)
    assert rig.s3.asked == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get", ""])
def test_other_methods(rig: Rig, method: str) -> None:
    answer = rig.get(f"/r/{token()}", method)
    assert_page(answer, 405)
    assert answer["headers"]["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("bad", ["x", token()[:-2], token() + "x", "a.b.c", "%00", "é"])
def test_bad_links(rig: Rig, bad: str) -> None:
    assert_page(rig.get(f"/r/{bad}"), 403)
    assert rig.s3.asked == []


def test_a_link_signed_with_another_key(rig: Rig) -> None:
    other = Links(("x" * 40,), Clock()).issue(recording(), "v1", lifetime_s=DAY)
    assert_page(rig.get(f"/r/{other}"), 403)


def test_a_link_of_ours_to_another_place(rig: Rig) -> None:
    assert_page(rig.get(f"/r/{token(key='other/a.mp4')}"), 403)
    assert rig.s3.asked == []


def test_an_expired_link(rig: Rig) -> None:
    rig.clock.now = NOW + DAY + 1
    assert_page(rig.get(f"/r/{token()}"), 410)
    assert rig.s3.asked == []


@pytest.mark.parametrize(
    ("before", "status"),
    [
        (int(NOW) - 1, 302),
        (int(NOW), 410),
        (int(NOW) + 1, 410),
        ("soon", 410),
        ("", 410),
        ("-5", 410),
        ("٣", 410),
        ("9" * 200, 410),
    ],
)
def test_withdrawn_links(rig: Rig, before: Any, status: int) -> None:
    rig.s3.tags = [{"Key": "other", "Value": "1"}, {"Key": "callrec-revoked-before", "Value": str(before)}]
    assert rig.get(f"/r/{token()}")["statusCode"] == status


@pytest.mark.parametrize(
    "code", ["404", "NoSuchKey", "NoSuchVersion", "405", "MethodNotAllowed", "403", "AccessDenied"]
)
@pytest.mark.parametrize("call", ["head", "tags"])
def test_a_recording_that_is_gone(rig: Rig, code: str, call: str, capsys: pytest.CaptureFixture[str]) -> None:
    setattr(rig.s3, call, client_error(code))
    assert_page(rig.get(f"/r/{token()}"), 410)
    assert ("object_forbidden" in capsys.readouterr().out) is (code in {"403", "AccessDenied"})


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ({"StorageClass": "GLACIER"}, 409),
        ({"StorageClass": "DEEP_ARCHIVE"}, 409),
        ({"StorageClass": "GLACIER", "Restore": 'ongoing-request="true"'}, 409),
        ({"StorageClass": "GLACIER", "Restore": 'ongoing-request="false", expiry-date="Fri"'}, 302),
        ({"StorageClass": "GLACIER_IR"}, 302),
        ({"StorageClass": "STANDARD_IA"}, 302),
        ({"StorageClass": "INTELLIGENT_TIERING"}, 302),
        ({"StorageClass": "INTELLIGENT_TIERING", "ArchiveStatus": "ARCHIVE_ACCESS"}, 409),
    ],
)
def test_an_archived_recording_says_so(rig: Rig, head: dict[str, Any], status: int) -> None:
    rig.s3.head = head
    answer = rig.get(f"/r/{token()}")
    assert answer["statusCode"] == status
    assert ("restored" in answer["body"]) is (status == 409)


@pytest.mark.parametrize("error", [client_error("SlowDown"), client_error("InternalError"), RuntimeError(SECRET)])
def test_a_fault_of_s3_is_a_page_too(rig: Rig, error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    rig.s3.head = error
    assert_page(rig.get(f"/r/{token()}"), 503)
    assert SECRET not in capsys.readouterr().out


def test_a_secret_that_fails_is_a_page_too(rig: Rig) -> None:
    rig.secret = RuntimeError()
    assert_page(rig.get(f"/r/{token()}"), 503)


def test_nothing_of_a_link_is_logged(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    good = token()
    for path in (f"/r/{good}", f"/r/{good}x"):
        rig.get(path)
        logged = capsys.readouterr().out
        assert logged.count("\n") == 2  # who asked, and the count
        assert good[:40] not in logged
        assert SOURCE not in logged
        assert "camille" not in logged
        assert "X-Amz" not in logged


@settings(max_examples=200)
@given(st.text(max_size=40), st.sampled_from(["GET", "HEAD"]))
def test_no_path_gets_through(path: str, method: str) -> None:
    s3: Any = None
    app = play.App(
        settings=PlaySettings(secret_arn="arn", bucket="b", prefix="calls/"),
        secrets=SecretCache(lambda: SECRET_JSON, Clock()),
        s3=s3,
        clock=Clock(),
    )
    for route in (path, f"/r/{path}"):
        request = play.Request.from_event(url_event(method=method, path=route))
        assert play.play(request, app)["statusCode"] in (403, 404)


def test_importing_it_loads_nothing_that_only_others_need() -> None:
    code = (
        "import sys, infra.functions.play\n"
        "print({'jwt', 'pyairtable', 'pydantic', 'requests', 'livekit', 'boto3'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "set()\n"


STATUS = {"bad": 403, "network": 403, "nothing": 404, "method": 405, "archived": 409, "failed": 503}


def test_every_page_is_plain_and_none_says_what_another_says() -> None:
    for name in NAMES:
        assert_page(page(name), STATUS.get(name, 410))
    assert len({page(name)["body"] for name in NAMES}) == len(NAMES) == 10
    assert {error.outcome for error in LinkError.__subclasses__()} <= set(NAMES)


def test_a_page_may_load_nothing_and_its_own_style_is_the_only_one() -> None:
    answer = page("expired")
    [style] = re.findall(r"<style>(.*)</style>", answer["body"])
    policy = answer["headers"]["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


OUTCOMES: dict[str, Callable[[Rig], str]] = {}


def outcome(name: str) -> Callable[[Callable[[Rig], str]], None]:
    return lambda arrange: OUTCOMES.__setitem__(name, arrange)


@outcome("played")
def _played(_rig: Rig) -> str:
    return token()


@outcome("expired")
def _expired(rig: Rig) -> str:
    made = token()
    rig.clock.now = NOW + DAY + 1
    return made


@outcome("revoked")
def _revoked(rig: Rig) -> str:
    rig.s3.tags = [{"Key": "callrec-revoked-before", "Value": str(int(NOW))}]
    return token()


@outcome("erased")
def _erased(rig: Rig) -> str:
    rig.s3.head, rig.s3.erasure = client_error("403"), {}
    return token()


@outcome("archived")
def _archived(rig: Rig) -> str:
    rig.s3.head = {"StorageClass": "GLACIER"}
    return token()


@outcome("gone")
def _gone(rig: Rig) -> str:
    rig.s3.head = client_error("404")
    return token()


@outcome("network")
def _network(rig: Rig) -> str:
    rig.allow("203.0.113.0/24")
    return token()


@outcome("failed")
def _failed(rig: Rig) -> str:
    rig.s3.tags = client_error("SlowDown")
    return token()


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_request_leaves_a_line_that_says_what_became_of_it(
    rig: Rig, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = OUTCOMES[name](rig)
    capsys.readouterr()
    answer = rig.get(f"/r/{made}")
    if name != "played":
        assert answer["body"] == page(name)["body"]
    out = capsys.readouterr().out
    lines = [json.loads(line) for line in out.splitlines()]
    [line] = [line for line in lines if line.get("event") == "play"]
    assert line == {
        "level": "info",
        "event": "play",
        "at": datetime.fromtimestamp(int(rig.clock.now), UTC).isoformat().replace("+00:00", "Z"),
        "egress": "EG_1",
        "outcome": name,
        "issued": int(NOW),
        "source": line["source"],
    }
    assert re.fullmatch(r"[0-9a-f]{16}", line["source"])
    [counted] = [line for line in lines if "_aws" in line]
    assert counted["function"] == "callrec-x-play"
    assert (counted["played"] if name == "played" else counted["not_played"]) == 1
    assert counted.get("reason") == (None if name == "played" else name)
    for secret in (made[:40], SOURCE, "camille"):
        assert secret not in out


def test_a_strange_token_names_no_egress(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    assert_page(rig.get("/r/abc"), 403)
    line = told(capsys)
    assert (line["outcome"], line["egress"], line["issued"]) == ("bad", None, None)


def test_an_address_has_one_pseudonym_and_only_the_stacks_key_makes_it(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    def source(address: str | None, **secret: str) -> str | None:
        rig.secret = json.dumps(json.loads(SECRET_JSON) | secret)
        rig.app = replace(rig.app, secrets=SecretCache(rig.read, rig.clock))
        rig.get(f"/r/{token()}", source=address)
        return told(capsys)["source"]

    assert source("198.51.100.7") == source("::ffff:198.51.100.7") == source("198.51.100.7", audit_key="short")
    assert source("2001:db8::1") == source("2001:DB8:0::1")
    others = {source("198.51.100.8"), source("198.51.100.7"), source("198.51.100.7", audit_key="a" * 40)}
    assert len(others) == 3
    key = "a" * 40
    assert source("198.51.100.7", audit_key=key) == hmac.new(key.encode(), b"198.51.100.7", "sha256").hexdigest()[:16]
    assert source(None) is None
    assert source("here") is None


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("203.0.113.9", 302),
        ("::ffff:203.0.113.9", 302),
        ("2001:db8:1::9", 302),
        ("192.0.2.7", 302),
        ("192.0.2.8", 403),
        ("203.0.114.1", 403),
        ("2001:db9::1", 403),
        ("", 403),
        ("203.0.113.9, 1.2.3.4", 403),
        (None, 403),
    ],
)
def test_only_from_the_practices_networks(rig: Rig, source: str | None, status: int) -> None:
    rig.allow("203.0.113.0/24", "2001:db8::/32", "192.0.2.7")
    answer = rig.get(f"/r/{token()}", source=source)
    assert answer["statusCode"] == status
    if status == 403:
        assert answer["body"] == page("network")["body"]
        assert rig.s3.asked == []
        # A stranger learns nothing of a token: good or bad, the answer is the same.
        assert rig.get("/r/abc", source=source)["body"] == answer["body"]


def test_a_recording_whose_erasure_has_begun_plays_no_more_though_it_is_still_there(rig: Rig) -> None:
    rig.s3.erasure = {}
    answer = rig.get(f"/r/{token()}")
    assert (answer["statusCode"], answer["body"]) == (410, page("erased")["body"])
    assert rig.s3.asked == [("head_object", {"Bucket": "recordings-x", "Key": "erasures/EG_1.json"})]


def test_an_egress_id_that_is_none_was_never_erased(rig: Rig) -> None:
    rig.s3.head, rig.s3.erasure = client_error("404"), {}
    answer = rig.get(f"/r/{token(egress_id='../x')}")
    assert answer["body"] == page("gone")["body"]


def test_a_fault_while_asking_for_the_erasure_record_is_told_as_one(rig: Rig) -> None:
    rig.s3.erasure = client_error("SlowDown")
    assert_page(rig.get(f"/r/{token()}"), 503)


@pytest.mark.parametrize(("until", "status"), [(None, 302), (NOW + 1, 302), (NOW, 410), (0, 410), ("soon", 410)])
def test_links_of_an_old_key_play_until_its_end(rig: Rig, until: Any, status: int) -> None:
    secret = json.loads(SECRET_JSON) | {"link_keys": [LINK_KEY, "n" * 40], "link_keys_until": until}
    rig.secret = json.dumps(secret)
    answer = rig.get(f"/r/{token()}")
    assert answer["statusCode"] == status
    if status == 410:
        assert answer["body"] == page("revoked")["body"]
    by_newest = Links(("n" * 40,), Clock()).issue(recording(), "v1", lifetime_s=DAY)
    assert rig.get(f"/r/{by_newest}")["statusCode"] == 302


def test_the_app_of_a_process_is_made_of_its_environment(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    values = {"CALLREC_SECRET_ARN": "arn:x", "CALLREC_BUCKET": "b", "CALLREC_PREFIX": "calls/"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)

    class Client:
        def get_secret_value(self, **_: Any) -> dict[str, str]:
            return {"SecretString": SECRET_JSON}

    monkeypatch.setattr(play.aws, "client", lambda *_: Client())
    play.app.cache_clear()
    assert play.app().secrets.get().link_keys == (LINK_KEY,)
    assert play.app().settings.prefix == "calls/"
    play.app.cache_clear()
