"""The client of `fastmcp` 4, which is built on the package `mcp` 2."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import mcp_types as types
from facts import Json, wire
from fastmcp import Client
from fastmcp.client.transports import SSETransport, StdioTransport, StreamableHttpTransport
from host import Host
from v2 import Connection as Base


@asynccontextmanager
async def connect(plan: Json, host: Host) -> AsyncIterator["Connection"]:
    """A client over Streamable HTTP, HTTP+SSE or stdio; it ends with the context."""
    async with Client(_transport(plan), mode=plan["negotiation"], **_handlers(host)) as client:
        yield Connection(client.session, client.protocol_version, client)


def _transport(plan: Json) -> Any:
    match plan["transport"]:
        case "http":
            return StreamableHttpTransport(plan["url"])
        case "sse":
            return SSETransport(plan["url"])
        case _:
            return StdioTransport(command=plan["command"][0], args=plan["command"][1:], keep_alive=False)


def _handlers(host: Host) -> Json:
    async def sample(messages: Any, _: Any, __: Any) -> Any:
        return types.CreateMessageResult.model_validate(host.sample(messages[0].content.text))

    async def elicit(message: str, _: Any, __: Any, ___: Any) -> Any:
        return host.elicit(message)["content"]

    async def roots(_: Any) -> Any:
        return [types.Root.model_validate(root) for root in host.roots()["roots"]]

    async def log(message: Any) -> None:
        host.heard_log(message.level, message.data)

    async def heard(message: Any) -> None:
        if not isinstance(message, Exception):
            host.heard(wire(message))

    return {
        "sampling_handler": sample,
        "elicitation_handler": elicit,
        "roots": roots,
        "log_handler": log,
        "message_handler": heard,
    }


class Connection(Base):
    """As `mcp` 2 has it; only calls and lists have other names here."""

    async def list(self, kind: str, cursor: str | None) -> Json:
        methods = {
            "tools": self.client.list_tools_mcp,
            "resources": self.client.list_resources_mcp,
            "templates": self.client.list_resource_templates_mcp,
            "prompts": self.client.list_prompts_mcp,
        }
        return wire(await methods[kind](cursor=cursor))

    async def call(self, name: str, arguments: Json, on_progress: Any = None) -> Json:
        async def progressed(progress: float, *_: Any) -> None:
            if on_progress:
                on_progress(progress)

        # The client gives no way to a request's own `_meta` log level: it asks for all messages on every request.
        return wire(await self.client.call_tool_mcp(name, arguments, progress_handler=progressed))

    async def read(self, uri: str) -> Json:
        return wire(await self.client.read_resource_mcp(uri))

    async def prompt(self, name: str, arguments: dict[str, str] | None) -> Json:
        return wire(await self.client.get_prompt_mcp(name, arguments))
