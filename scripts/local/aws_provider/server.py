"""Starts the stand-in in this process."""

from __future__ import annotations

import contextlib
from concurrent import futures
from typing import TYPE_CHECKING, Any

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from .aws import Aws
from .servicer import AwsServicer

if TYPE_CHECKING:
    from collections.abc import Generator

    from .target import AwsTarget

_THREADS = 16
_LARGEST_MESSAGE = 400 * 1024 * 1024  # what the Pulumi SDKs allow


@contextlib.contextmanager
def serve(target: AwsTarget) -> Generator[int]:
    """Serves the stand-in for `target` on loopback and yields its port, for `PULUMI_DEBUG_PROVIDERS=aws:PORT`."""
    server: Any = grpc.server(
        futures.ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="aws-provider"),
        options=[
            ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
            ("grpc.max_send_message_length", _LARGEST_MESSAGE),
            ("grpc.so_reuseport", 0),
        ],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(AwsServicer(Aws(target)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=None).wait()
