"""The handler of the module that BENCH_HANDLER names, with the processor time it takes added up: `"spent"` asks for it.

Inside the runtime client and without its share: what two whole invocations differ by is less than what they vary by.
"""

import importlib
import os
import time
from typing import Any

inner: Any = importlib.import_module(os.environ["BENCH_HANDLER"]).handler
spent = 0


def handler(event: Any, context: object) -> Any:
    global spent  # noqa: PLW0603  # one process, one event at a time
    if event == "spent":
        return spent
    began = time.process_time_ns()
    answer = inner(event, context)
    spent += time.process_time_ns() - began
    return answer
