"""A real livekit-server, built from its Go module: rooms, participants and their sound; without egress and SIP.

Those two need Redis and services of their own; the stand-in, `scripts.local.livekit_server`, answers their calls.
1.13.5 is the newest version that can be built from the module proxy alone: later ones replace modules by forks that
the proxy does not carry.
"""

from __future__ import annotations

from pathlib import Path

from scripts.local import cache
from scripts.local.go_program import GoProgram, Report, alone

PROGRAM = GoProgram(
    folder=Path(__file__).resolve().parent,
    module="github.com/livekit/livekit-server",
    package="github.com/livekit/livekit-server/cmd/server",
    name="livekit-server",
    without_go="Go is not installed to build livekit-server: https://go.dev/doc/install",
)


def find(report: Report) -> Path:
    """The cached binary, built if need be: about 3 minutes on 2 cores, 50 MB.

    Raises LocalStackError when Go is missing or the build fails.
    """
    binary = cache.folder() / "livekit" / PROGRAM.version() / "livekit-server"
    if not binary.exists():
        with alone(binary.parent):
            if not binary.exists():
                report("building livekit-server from source, once: this takes minutes")
                PROGRAM.build(binary, report)
    return binary
