"""Where a function's start goes: `python import_profile.py MODULE`, milliseconds of CPU by package as JSON on stdout.

Each module's own time, those it imports left out: reading, compiling and running it. `(clients and the secret)` is what
the function does besides importing.
"""

import importlib
import importlib.machinery
import json
import sys
import time
from types import ModuleType
from typing import Any

own: dict[str, int] = {}
stack: list[int] = []


def watch(loader: Any) -> None:
    original = loader.exec_module

    def exec_module(self: Any, module: ModuleType) -> None:
        began, stack_before = time.process_time_ns(), len(stack)
        stack.append(0)
        try:
            original(self, module)
        finally:
            spent = time.process_time_ns() - began
            inner = stack.pop()
            package = module.__name__.partition(".")[0]
            own[package] = own.get(package, 0) + spent - inner
            if stack_before:
                stack[-1] += spent

    loader.exec_module = exec_module


def main() -> None:
    for loader in (importlib.machinery.SourceFileLoader, importlib.machinery.ExtensionFileLoader):
        watch(loader)
    module = importlib.import_module(sys.argv[1])
    began, before = time.process_time_ns(), sum(own.values())
    module.app()
    imported = sum(own.values()) - before
    own["(clients and the secret)"] = time.process_time_ns() - began - imported
    json.dump({package: nanoseconds / 1e6 for package, nanoseconds in own.items()}, sys.stdout)


main()
