"""Values of the AWS stand-in between protobuf and Python."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime import rpc

from scripts.local.aws_provider.values import SIGNATURE, UNKNOWN, Archive, Asset, decode, encode, holds_unknown

SECRET_MARK = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT_MARK = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
ARCHIVE_MARK = "0def7320c3a5731c473e5ecbe6d01bc7"
ASSET_MARK = "c44067f5952c0a294b673a41bacd8c17"

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.one_of(
    st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), names
)
plain = st.recursive(
    scalars | st.just(UNKNOWN),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


def struct(props: dict[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(props)
    return made


@given(st.dictionaries(names, plain, max_size=5))
def test_what_goes_out_comes_back_the_same(props: dict[str, Any]) -> None:
    assert decode(encode(props)) == props


def test_the_marks_are_the_sdks() -> None:
    assert rpc._special_sig_key == SIGNATURE
    assert rpc._special_secret_sig == SECRET_MARK
    assert rpc._special_archive_sig == ARCHIVE_MARK
    assert rpc._special_asset_sig == ASSET_MARK
    assert rpc._special_output_value_sig == OUTPUT_MARK


def test_integral_numbers_are_integers_and_others_are_not() -> None:
    decoded = decode(struct({"count": 3, "share": 0.5}))
    assert decoded == {"count": 3, "share": 0.5}
    assert type(decoded["count"]) is int


def test_nulls_are_absent_properties() -> None:
    assert decode(struct({"gone": None, "inside": {"gone": None, "here": 1}})) == {"inside": {"here": 1}}
    assert json_format.MessageToDict(encode({"gone": None, "here": 1})) == {"here": 1}


@pytest.mark.parametrize("value", ["text", {"deep": ["text"]}, rpc.UNKNOWN])
def test_secrets_arrive_unwrapped(value: Any) -> None:
    inside = {"list": [{SIGNATURE: SECRET_MARK, "value": value}]}
    assert decode(struct(inside)) == decode(struct({"list": [value]}))


def test_outputs_arrive_as_their_value_or_unknown() -> None:
    props = {"known": {SIGNATURE: OUTPUT_MARK, "value": 5}, "unknown": {SIGNATURE: OUTPUT_MARK}}
    assert decode(struct(props)) == {"known": 5, "unknown": UNKNOWN}


def test_named_secrets_go_out_wrapped() -> None:
    sent = json_format.MessageToDict(encode({"key": "hush", "user": "office"}, {"key", "absent"}))
    assert sent == {"key": {SIGNATURE: SECRET_MARK, "value": "hush"}, "user": "office"}


def test_archives_are_the_same_when_their_hash_is() -> None:
    raw = {SIGNATURE: ARCHIVE_MARK, "hash": "h1", "path": "one.zip"}
    moved = raw | {"path": "two.zip"}
    first, second = decode(struct({"code": raw}))["code"], decode(struct({"code": moved}))["code"]
    assert first == second
    assert (first.path, second.path) == ("one.zip", "two.zip")
    assert first != Archive(hash="h2", raw=raw)
    assert Archive(hash="", raw={"assets": {}}).path is None
    assert json_format.MessageToDict(encode({"code": first})) == {"code": raw}


def test_single_assets_are_told_apart_from_archives() -> None:
    raw = {SIGNATURE: ASSET_MARK, "text": "x"}
    assert isinstance(decode(struct({"file": raw}))["file"], Asset)


def test_unknown_is_found_however_deep() -> None:
    assert holds_unknown({"a": [{"b": UNKNOWN}]})
    assert not holds_unknown({"a": [{"b": "known"}], "c": 1})
