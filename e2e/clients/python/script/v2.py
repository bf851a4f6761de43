"""The package `mcp`, the 2.x line, and `fastmcp`, which is built on it: one client, both eras."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import mcp_types as types
from facts import Json, wire
from host import Host
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.subscriptions import ResourceUpdated, ToolsListChanged, listen
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

LOG_LEVEL = "io.modelcontextprotocol/logLevel"


@asynccontextmanager
async def connect(plan: Json, host: Host) -> AsyncIterator["Connection"]:
    """A client over Streamable HTTP, HTTP+SSE or stdio; it ends with the context."""
    async with Client(_server(plan), mode=plan["negotiation"], **_callbacks(host)) as client:
        yield Connection(client.session, client.protocol_version, client)


def _server(plan: Json) -> Any:
    match plan["transport"]:
        case "http":
            return plan["url"]
        case "sse":
            return sse_client(plan["url"])
        case _:
            return StdioServerParameters(command=plan["command"][0], args=plan["command"][1:])


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
        if not isinstance(message, Exception):
            host.heard(wire(message))

    return {
        "sampling_callback": sample,
        "list_roots_callback": roots,
        "elicitation_callback": elicit,
        "logging_callback": log,
        "message_handler": heard,
    }


class Connection:
    """What the verbs need, in the words of this generation. `client` is the library's, `session` what it is built on."""

    def __init__(self, session: Any, revision: str, client: Any) -> None:
        self.session = session
        self.client = client
        self.revision = revision
        self.modern = revision in MODERN_PROTOCOL_VERSIONS
        self.meta: Json | None = None

    def about(self) -> Json:
        server, capabilities = self.client.server_info, self.client.server_capabilities
        return {
            "revision": self.revision,
            "server": server.name if server else None,
            "capabilities": sorted(wire(capabilities)) if capabilities else [],
            "instructions": self.client.instructions,
        }

    async def list(self, kind: str, cursor: str | None) -> Json:
        methods = {
            "tools": self.client.list_tools,
            "resources": self.client.list_resources,
            "templates": self.client.list_resource_templates,
            "prompts": self.client.list_prompts,
        }
        return wire(await methods[kind](cursor=cursor))

    async def call(self, name: str, arguments: Json, on_progress: Any = None) -> Json:
        return wire(await self.client.call_tool(name, arguments, progress_callback=_each(on_progress), meta=self.meta))

    async def call_and_cancel(self, name: str, arguments: Json, begun: anyio.Event) -> None:
        async def cancel() -> None:
            await begun.wait()
            tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.call, name, arguments)
            tasks.start_soon(cancel)

    async def read(self, uri: str) -> Json:
        return wire(await self.client.read_resource(uri))

    async def prompt(self, name: str, arguments: dict[str, str] | None) -> Json:
        return wire(await self.client.get_prompt(name, arguments))

    async def complete(self, ref: Json, argument: dict[str, str]) -> Json:
        kind = types.PromptReference if ref["type"] == "ref/prompt" else types.ResourceTemplateReference
        return wire(await self.session.complete(ref=kind.model_validate(ref), argument=argument))

    async def ping(self) -> None:
        await self.session.send_ping()

    async def log_at(self, level: Any) -> None:
        if self.modern:
            self.meta = {LOG_LEVEL: level}
        else:
            await self.session.set_logging_level(level)

    @asynccontextmanager
    async def watch(self, uri: str, host: Host) -> AsyncIterator[None]:
        if self.modern:
            async with self._listening(host, resource_subscriptions=[uri]):
                yield
            return
        await self.session.subscribe_resource(uri)
        yield
        await self.session.unsubscribe_resource(uri)

    @asynccontextmanager
    async def watch_tools(self, host: Host) -> AsyncIterator[None]:
        if self.modern:
            async with self._listening(host, tools_list_changed=True):
                yield
            return
        yield

    @asynccontextmanager
    async def _listening(self, host: Host, **wanted: Any) -> AsyncIterator[None]:
        async def follow(subscription: Any) -> None:
            async for event in subscription:
                match event:
                    case ToolsListChanged():
                        host.changes += 1
                    case ResourceUpdated(uri=uri):
                        host.updated.append(uri)

        async with listen(self.session, **wanted) as subscription, anyio.create_task_group() as tasks:
            tasks.start_soon(follow, subscription)
            yield
            tasks.cancel_scope.cancel()


def _each(on_progress: Any) -> Any:
    if on_progress is None:
        return None

    async def progressed(progress: float, *_: Any) -> None:
        on_progress(progress)

    return progressed
