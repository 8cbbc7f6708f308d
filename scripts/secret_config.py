"""Secrets in a stack's configuration: encrypted by the stack's own key, and never on a command line."""

from __future__ import annotations

import os
import subprocess

from pulumi import automation

from scripts.errors import StackError


def set_secret(engine: automation.Stack, name: str, value: str) -> None:
    """Set one configuration key, through a pipe: the SDK would put the value on a command line.

    Raises StackError in the engine's words when it refuses.
    """
    workspace = engine.workspace
    home = {} if workspace.pulumi_home is None else {"PULUMI_HOME": str(workspace.pulumi_home)}
    done = subprocess.run(  # noqa: S603 -- the engine and our own words
        [workspace.pulumi_command.command, "config", "set", "--secret", name, "--stack", engine.name],
        input=value,
        cwd=workspace.work_dir,
        env={**os.environ, **workspace.env_vars, **home},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StackError(f"the engine refused the configuration key {name}: {done.stderr.strip()}")
