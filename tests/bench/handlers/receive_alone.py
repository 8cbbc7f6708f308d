"""`receive` as it ships, its queue replaced by one that takes everything at once."""

from dataclasses import replace
from typing import Any

from functions import receive  # pyright: ignore[reportMissingImports]  # from the unpacked zip


class Nowhere:
    def send_message(self, **request: Any) -> dict[str, str]:
        return {"MessageId": "m"}


app = replace(receive.app(), sqs=Nowhere())
receive.app = lambda: app
handler = receive.handler
