"""Building the Pulumi CLI from its Go module, for machines that reach package registries only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from scripts.errors import EngineError
from scripts.local.go_program import GoProgram, Report

MODULE = Path(__file__).resolve().parent


def program() -> GoProgram:
    """The CLI of the version that go.mod pins: about 5 minutes on 2 cores, 110 MB."""
    unstamped = GoProgram(
        folder=MODULE,
        module="github.com/pulumi/pulumi/pkg/v3",
        package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        name="the Pulumi engine",
        without_go="no Pulumi CLI on PATH, none could be downloaded, and Go is not installed to build it: "
        "install either one (https://www.pulumi.com/docs/install/ or https://go.dev/doc/install)",
        error=EngineError,
    )
    return replace(
        unstamped, stamp=f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={unstamped.version()}"
    )


def pinned_version() -> str:
    """Version of the engine that `go.mod` pins, without its leading v. Raises EngineError."""
    return program().version()


def build(binary: Path, report: Report) -> None:
    """Compile the pinned engine to `binary`. Raises EngineError when Go is missing or the build fails."""
    program().build(binary, report)
