"""The stand-in's gRPC answers without an engine between: nothing there, ids of no form, secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import json_format
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from scripts.local.aws_provider.registry import KINDS
from scripts.local.aws_provider.values import SIGNATURE, encode

from .bench import Bench, client_of

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def provider(bench: Bench) -> Generator[Any]:
    with grpc.insecure_channel(f"127.0.0.1:{bench.port}") as channel:
        yield provider_pb2_grpc.ResourceProviderStub(channel)


WELL_FORMED = {
    "aws:cloudwatch/eventTarget:EventTarget": "nothing/nowhere",
    "aws:iam/accessKey:AccessKey": "AKIA0000000000000000",
    "aws:lambda/eventSourceMapping:EventSourceMapping": "00000000-0000-0000-0000-000000000000",
    "aws:iam/groupPolicy:GroupPolicy": "nobody:nothing",
    "aws:iam/rolePolicy:RolePolicy": "nobody:nothing",
    "aws:iam/userGroupMembership:UserGroupMembership": "nobody/nothing",
    "aws:lambda/permission:Permission": "nothing/nowhere",
    "aws:secretsmanager/secretVersion:SecretVersion": "arn:aws:secretsmanager:eu-central-1:000000000000:secret:no-1|"
    "00000000-0000-0000-0000-000000000000",
}
MADE_OF_PARTS = sorted(kind for kind, identity in WELL_FORMED.items() if set(identity) & set(":/|"))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_reading_what_is_not_there_answers_nothing(provider: Any, kind: str) -> None:
    answer = provider.Read(provider_pb2.ReadRequest(id=WELL_FORMED.get(kind, "no-such-thing"), type=kind, name="it"))
    assert answer.id == ""
    assert not answer.properties


@pytest.mark.parametrize("kind", MADE_OF_PARTS)
def test_an_id_of_the_wrong_form_is_refused(provider: Any, kind: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        provider.Read(provider_pb2.ReadRequest(id="no-such-thing", type=kind, name="it"))
    assert "no-such-thing" in (caught.value.details() or "")


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"aws:iam/userGroupMembership:UserGroupMembership"}))
def test_deleting_what_is_not_there_is_no_failure(provider: Any, kind: str) -> None:
    state = {
        "user": "nobody",
        "function": "nothing",
        "statementId": "nowhere",
        "rule": "nothing",
        "targetId": "nowhere",
    }
    request = provider_pb2.DeleteRequest(
        id=WELL_FORMED.get(kind, "no-such-thing"), type=kind, name="it", properties=encode(state)
    )
    provider.Delete(request)


def test_what_no_test_needs_is_not_implemented(provider: Any) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        provider.GetSchema(provider_pb2.GetSchemaRequest())
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.fixture
def user(bench: Bench) -> Generator[str]:
    iam = client_of(bench.target, "iam")
    iam.create_user(UserName="protocol")
    yield "protocol"
    for key in iam.list_access_keys(UserName="protocol")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="protocol", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="protocol")


def test_what_is_secret_goes_out_as_a_secret(provider: Any, user: str) -> None:
    kind, inputs = "aws:iam/accessKey:AccessKey", encode({"user": user})
    made = provider.Create(provider_pb2.CreateRequest(type=kind, name="it", properties=inputs))
    secret = json_format.MessageToDict(made.properties)["secret"]
    assert secret[SIGNATURE] == "1b47061264138c4ac30d75fd1eb44270"
    state = encode({"user": user, "secret": secret["value"]})
    read = provider.Read(provider_pb2.ReadRequest(id=made.id, type=kind, name="it", properties=state, inputs=inputs))
    assert json_format.MessageToDict(read.properties)["secret"] == secret
    assert json_format.MessageToDict(read.inputs) == {"user": user}


def test_whose_an_imported_access_key_is_aws_tells(provider: Any, user: str) -> None:
    kind, inputs = "aws:iam/accessKey:AccessKey", encode({"user": user})
    made = provider.Create(provider_pb2.CreateRequest(type=kind, name="it", properties=inputs))
    read = provider.Read(provider_pb2.ReadRequest(id=made.id, type=kind, name="it"))
    assert json_format.MessageToDict(read.inputs) == {"user": user}
    assert "secret" not in read.properties
