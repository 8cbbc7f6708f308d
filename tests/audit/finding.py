"""What a tool has to say against something of ours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """`tool`'s check that `where` fails: a policy by its name, a resource by its ARN; `detail` in the tool's words."""

    tool: str
    check: str
    where: str
    detail: str

    def __str__(self) -> str:
        return f"{self.tool} {self.check}: {self.where}: {self.detail}"
