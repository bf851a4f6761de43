"""The package `mcp`, the 1.x line: a session over two streams; every connection is a legacy one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from inspect import signature
from typing import Any

import anyio
from facts import Json, wire
from host import Host
from mcp import ClientSession, StdioServerParameters, types
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from pydantic import AnyUrl

# Answers are validated as whichever type the library's generation has for them.
_OPTIONAL_CALLBACKS = {"elicitation_callback"}


@asynccontextmanager
async def connect(plan: Json, host: Host) -> AsyncIterator["Connection"]:
    """A session over Streamable HTTP, HTTP+SSE or stdio; it ends with the context."""
    async with _streams(plan) as (reader, writer, *_):
        async with ClientSession(reader, writer, **_callbacks(host)) as session:
            yield Connection(session, await session.initialize())


def _streams(plan: Json) -> Any:
    match plan["transport"]:
        case "http":
            from mcp.client.streamable_http import streamablehttp_client

            return streamablehttp_client(plan["url"])
        case "sse":
            return sse_client(plan["url"])
        case _:
            return stdio_client(StdioServerParameters(command=plan["command"][0], args=plan["command"][1:]))


def _callbacks(host: Host) -> Json:
    async def sample(_: Any, params: Any) -> Any:
        return types.CreateMessageResult.model_validate(host.sample(params.messages[0].content.text))

    async def roots(_: Any) -> Any:
        return types.ListRootsResult.model_validate(host.roots())

    async def elicit(_: Any, params: Any) -> Any:
        return types.ElicitResult.model_validate(host.elicit(params.message))

    async def log(params: Any) -> None:
        host.heard_log(params.level, params.data)

    async def heard(message: Any) -> None:
        if isinstance(message, types.ServerNotification):
            host.heard(wire(message))

    callbacks = {
        "sampling_callback": sample,
        "list_roots_callback": roots,
        "elicitation_callback": elicit,
        "logging_callback": log,
        "message_handler": heard,
    }
    known = signature(ClientSession.__init__).parameters
    return {name: callback for name, callback in callbacks.items() if name in known or name not in _OPTIONAL_CALLBACKS}


class Connection:
    """What the verbs need, in the words of this generation."""

    def __init__(self, session: ClientSession, initialized: types.InitializeResult) -> None:
        self.session = session
        self.initialized = wire(initialized)

    def about(self) -> Json:
        return {
            "revision": self.initialized["protocolVersion"],
            "server": self.initialized["serverInfo"]["name"],
            "capabilities": sorted(self.initialized["capabilities"]),
            "instructions": self.initialized.get("instructions"),
        }

    async def list(self, kind: str, cursor: str | None) -> Json:
        methods = {
            "tools": self.session.list_tools,
            "resources": self.session.list_resources,
            "templates": self.session.list_resource_templates,
            "prompts": self.session.list_prompts,
        }
        # 1.6.0 knows no cursors at all, and stops after the first page.
        return wire(await (methods[kind](cursor) if cursor else methods[kind]()))

    async def call(self, name: str, arguments: Json, on_progress: Any = None) -> Json:
        if on_progress is None:
            return wire(await self.session.call_tool(name, arguments))

        async def progressed(progress: float, total: float | None, *_: Any) -> None:
            on_progress(progress)

        return wire(await self.session.call_tool(name, arguments, progress_callback=progressed))

    async def call_and_cancel(self, name: str, arguments: Json, begun: anyio.Event) -> None:
        # This generation has no way to cancel a call: abandoning it tells the server nothing. Its application has to
        # know the request's id and to send the notification itself.
        request = self.session._request_id

        async def cancel() -> None:
            await begun.wait()
            params = types.CancelledNotificationParams(requestId=request, reason="no more of it")
            notification = types.CancelledNotification(method="notifications/cancelled", params=params)
            await self.session.send_notification(types.ClientNotification(notification))
            tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.session.call_tool, name, arguments)
            tasks.start_soon(cancel)

    async def read(self, uri: str) -> Json:
        return wire(await self.session.read_resource(AnyUrl(uri)))

    async def prompt(self, name: str, arguments: dict[str, str] | None) -> Json:
        return wire(await self.session.get_prompt(name, arguments))

    async def complete(self, ref: Json, argument: dict[str, str]) -> Json:
        kind = types.PromptReference if ref["type"] == "ref/prompt" else types.ResourceReference
        return wire(await self.session.complete(kind.model_validate(ref), argument))

    async def ping(self) -> None:
        await self.session.send_ping()

    async def log_at(self, level: Any) -> None:
        await self.session.set_logging_level(level)

    @asynccontextmanager
    async def watch(self, uri: str, _: Host) -> AsyncIterator[None]:
        await self.session.subscribe_resource(AnyUrl(uri))
        yield
        await self.session.unsubscribe_resource(AnyUrl(uri))

    @asynccontextmanager
    async def watch_tools(self, _: Host) -> AsyncIterator[None]:
        yield
