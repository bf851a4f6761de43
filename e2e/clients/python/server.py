"""An MCP server built on FastMCP, as users build them, for the client matrix: an upstream that is not ours.

    python server.py PORT

MCP at /mcp in every revision that FastMCP speaks; at /ledger how often tools began, finished and were cancelled.
"""

import asyncio
import sys
from collections import Counter, defaultdict
from typing import Any

import mcp_types as types
from fastmcp import Context, FastMCP
from fastmcp.exceptions import NotFoundError
from starlette.requests import Request
from starlette.responses import JSONResponse

server = FastMCP("fastmcp-for-tests", instructions="Everything that FastMCP offers.")
ledger: defaultdict[str, Counter[str]] = defaultdict(Counter)

NAME = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
MODERN = "2026-07-28"


@server.custom_route("/ledger", methods=["GET"])
async def read_ledger(_: Request) -> JSONResponse:
    return JSONResponse({"tools": {tool: dict(counts) for tool, counts in ledger.items()}})


@server.tool
def echo(message: str) -> types.TextContent:
    """Says it again."""
    return types.TextContent(type="text", text=f"Echo: {message}")


@server.tool
def structured() -> dict[str, Any]:
    """Returns a structured object."""
    return {"answer": 42, "list": [1, 2, 3]}


@server.tool
async def count(n: int, ctx: Context) -> str:
    """Reports progress n times."""
    for step in range(1, n + 1):
        await ctx.report_progress(step, n)
        # Notifications that come in one piece with the result are lost in some clients.
        await asyncio.sleep(0.05)
    return f"Counted to {n}"


@server.tool
async def talk(ctx: Context) -> str:
    """Logs three messages."""
    await ctx.debug("one")
    await ctx.info("two")
    await ctx.warning("three")
    return "Talked"


@server.tool
async def slow(ms: int) -> str:
    """Takes its time, unless it is cancelled."""
    ledger["slow"]["began"] += 1
    try:
        await asyncio.sleep(ms / 1000)
    except asyncio.CancelledError:
        ledger["slow"]["cancelled"] += 1
        raise
    ledger["slow"]["finished"] += 1
    return f"Slept {ms} ms"


@server.tool
async def ask_name(ctx: Context) -> str | types.InputRequiredResult:
    """Asks the user for a name."""
    params = types.ElicitRequestFormParams(message="What is your name?", requested_schema=NAME)
    answer = await _ask(ctx, types.ElicitRequest(params=params), types.ElicitResult)
    return answer if isinstance(answer, types.InputRequiredResult) else f"{answer.action}: {answer.content['name']}"


@server.tool
async def ask_model(ctx: Context) -> str | types.InputRequiredResult:
    """Asks the client's model."""
    message = types.SamplingMessage(role="user", content=types.TextContent(type="text", text="Say anything"))
    params = types.CreateMessageRequestParams(messages=[message], max_tokens=10)
    answer = await _ask(ctx, types.CreateMessageRequest(params=params), types.CreateMessageResult)
    return answer if isinstance(answer, types.InputRequiredResult) else f"{answer.model}: {answer.content.text}"


@server.tool
async def ask_roots(ctx: Context) -> str | types.InputRequiredResult:
    """Asks for the client's roots."""
    answer = await _ask(ctx, types.ListRootsRequest(), types.ListRootsResult)
    return answer if isinstance(answer, types.InputRequiredResult) else ", ".join(str(root.uri) for root in answer.roots)


@server.tool
async def add_tool(name: str, ctx: Context) -> str:
    """Adds a tool of this name."""
    server.tool(lambda: name, name=name)
    await ctx.session.send_tool_list_changed()
    return f"Added {name}"


@server.tool
async def remove_tool(name: str, ctx: Context) -> str:
    """Removes a tool that was added."""
    server.local_provider.remove_tool(name)
    await ctx.session.send_tool_list_changed()
    return f"Removed {name}"


@server.resource("test://text", mime_type="text/plain")
def text() -> str:
    """A text."""
    return "This is a text."


@server.resource("test://blob", mime_type="image/png")
def blob() -> bytes:
    """Some bytes."""
    return b"\x89PNG"


@server.resource("test://item/{id}", mime_type="text/plain")
def item(id: str) -> str:
    """An item."""
    if id == "nonesuch":
        raise NotFoundError(f"There is no item {id}")
    return f"Item {id}"


@server.prompt
def greet(name: str) -> str:
    """Greets somebody."""
    return f"Please greet {name}."


@server.completion
def complete(_: Any, argument: types.CompletionArgument, __: Any) -> list[str]:
    return [name for name in ("ada", "alan", "grace") if name.startswith(argument.value)]


async def _ask(ctx: Context, request: Any, result: Any) -> Any:
    """The client's answer; in the modern era first the result that asks for it."""
    if ctx.request_context.protocol_version != MODERN:
        return await ctx.session.send_request(request, result)
    if ctx.input_responses:
        return result.model_validate(ctx.input_responses["question"].model_dump(by_alias=True))
    return types.InputRequiredResult(input_requests={"question": request})


if __name__ == "__main__":
    server.run(transport="http", host="127.0.0.1", port=int(sys.argv[1]), show_banner=False, log_level="warning")
