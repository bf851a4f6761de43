"""The application around a client: it answers what servers ask, and remembers what they said unasked."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio

# How long anything is waited for, in seconds. Nobody waits that long in a run that goes well.
PATIENCE = 10


class Host:
    """What one connection has heard so far, and what it answers."""

    def __init__(self) -> None:
        self.logs: list[dict[str, Any]] = []
        self.updated: list[str] = []
        self.changes = 0
        # What the server asked, in order: the message of an elicitation, the text to sample from, or "roots".
        self.asked: list[str] = []
        # What the user fills into the next form.
        self.form: dict[str, Any] = {}

    def heard_log(self, level: str, data: Any) -> None:
        self.logs.append({"level": level, "data": data})

    def heard(self, notification: dict[str, Any]) -> None:
        """A notification as it was on the wire."""
        match notification.get("method"):
            case "notifications/resources/updated":
                self.updated.append(notification["params"]["uri"])
            case "notifications/tools/list_changed":
                self.changes += 1

    def elicit(self, message: str) -> dict[str, Any]:
        self.asked.append(message)
        return {"action": "accept", "content": self.form}

    def sample(self, text: str) -> dict[str, Any]:
        self.asked.append(text)
        content = {"type": "text", "text": "sampled"}
        return {"role": "assistant", "model": "e2e", "stopReason": "endTurn", "content": content}

    def roots(self) -> dict[str, Any]:
        self.asked.append("roots")
        return {"roots": [{"uri": "file:///e2e", "name": "e2e"}]}


async def until(what: str, holds: Callable[[], Awaitable[bool]]) -> None:
    """Waits until `holds` says so; gives up, with what was waited for, when nobody would wait any longer."""
    with anyio.move_on_after(PATIENCE):
        while not await holds():
            await anyio.sleep(0.02)
        return
    raise TimeoutError(f"waited {PATIENCE} s in vain for {what}")
