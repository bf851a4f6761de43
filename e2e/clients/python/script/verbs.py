"""What a client can be told to do. The TypeScript program has the same verbs.

Each takes a connection, its host, one step of the plan and the ledger of the upstream, and returns what was seen.
`connect` and `close` are not here: they are the two ends of a context.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from facts import Json, called, names, prompted, read
from host import Host, until

Ledger = Callable[[str], Awaitable[dict[str, int]]]


async def do_list(connection: Any, _: Host, step: Json, __: Ledger) -> Json:
    return {"names": await _list_all(connection, step["kind"])}


async def do_call(connection: Any, host: Host, step: Json, _: Ledger) -> Json:
    before = len(host.asked)
    host.form = step.get("form", {})
    facts = called(await connection.call(step["name"], step.get("arguments", {})))
    return facts | {"asked": host.asked[before:]}


async def do_progress(connection: Any, _: Host, step: Json, __: Ledger) -> Json:
    progress: list[float] = []
    facts = called(await connection.call(step["name"], step.get("arguments", {}), progress.append))
    return facts | {"progress": progress}


async def do_log(connection: Any, host: Host, step: Json, _: Ledger) -> Json:
    await connection.log_at(step["level"])
    before, count = len(host.logs), step["count"]
    await connection.call(step["name"], step.get("arguments", {}))

    async def all_heard() -> bool:
        return len(host.logs) >= before + count

    # A server may send them on a stream of their own, so that they come after the result.
    await until(f"{count} log messages", all_heard)
    await _then(connection, step)
    return {"logs": host.logs[before:]}


async def do_read(connection: Any, _: Host, step: Json, __: Ledger) -> Json:
    return read(await connection.read(step["uri"]))


async def do_prompt(connection: Any, _: Host, step: Json, __: Ledger) -> Json:
    return prompted(await connection.prompt(step["name"], step.get("arguments")))


async def do_complete(connection: Any, _: Host, step: Json, __: Ledger) -> Json:
    result = await connection.complete(step["ref"], step["argument"])
    return {"values": result["completion"]["values"]}


async def do_cancel(connection: Any, _: Host, step: Json, ledger: Ledger) -> Json:
    name = step["name"]
    before = await ledger(name)
    begun = anyio.Event()

    async def began() -> bool:
        return (await ledger(name))["began"] > before["began"]

    async def cancelled() -> bool:
        return (await ledger(name))["cancelled"] > before["cancelled"]

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(connection.call_and_cancel, name, step["arguments"], begun)
        await until(f"{name} to begin upstream", began)
        begun.set()
    await until(f"{name} to be cancelled upstream", cancelled)
    return {"ended": "error", "upstream": "cancelled"}


async def do_subscribe(connection: Any, host: Host, step: Json, _: Ledger) -> Json:
    uri = step["uri"]

    async def updated() -> bool:
        return uri in host.updated

    async with connection.watch(uri, host):
        await connection.call(step["name"], step.get("arguments", {}))
        await until(f"an update of {uri}", updated)
        await _then(connection, step)
    return {"updated": sorted(set(host.updated))}


async def do_tools_changed(connection: Any, host: Host, step: Json, _: Ledger) -> Json:
    seen = []
    async with connection.watch_tools(host):
        for change in (step["add"], step["remove"]):
            before = host.changes
            await connection.call(change["name"], change["arguments"])

            async def heard(before: int = before) -> bool:
                return host.changes > before

            await until(f"list_changed after {change['name']}", heard)
            seen.append("listed" if step["tool"] in await _list_all(connection, "tools") else "gone")
    return {"seen": seen}


async def do_ping(connection: Any, _: Host, __: Json, ___: Ledger) -> Json:
    await connection.ping()
    return {"answered": True}


async def _then(connection: Any, step: Json) -> None:
    if then := step.get("then"):
        await connection.call(then["name"], then.get("arguments", {}))


async def _list_all(connection: Any, kind: str) -> list[str]:
    everything: list[str] = []
    cursor = None
    while True:
        page = await connection.list(kind, cursor)
        everything += names(kind, page)
        cursor = page.get("nextCursor")
        if not cursor:
            return everything
