"""Drives one generation of the Python client libraries through a plan, and prints one JSON line for each step.

    python script PLAN

PLAN and lines are those of the TypeScript program beside it; `generation` is v1, v2 or fast.
A step that fails does not end the plan, except the first: without a connection there is nothing to see.
"""

import json
import sys
import urllib.request
from importlib import import_module
from typing import Any

import anyio
import verbs
from facts import Json, thrown
from host import PATIENCE, Host


def say(action: str, facts: Json) -> None:
    print(json.dumps({"action": action} | facts), flush=True)


def ledger_at(url: str) -> verbs.Ledger:
    """How often a tool began and was cancelled at the upstream, asked of it directly."""

    def fetch() -> Json:
        with urllib.request.urlopen(url, timeout=5) as response:
            return json.load(response)

    async def counts(tool: str) -> dict[str, int]:
        book = await anyio.to_thread.run_sync(fetch)
        return {"began": 0, "cancelled": 0} | book["tools"].get(tool, {})

    return counts


async def run(plan: Json) -> None:
    host = Host()
    ledger: Any = ledger_at(plan["ledger"]) if plan.get("ledger") else None
    first, *steps, last = plan["steps"]
    try:
        async with import_module(plan["generation"]).connect(plan, host) as connection:
            say(first["action"], connection.about())
            for step in steps:
                try:
                    verb = getattr(verbs, f"do_{step['verb']}")
                    with anyio.fail_after(2 * PATIENCE):
                        facts = await verb(connection, host, step, ledger)
                    say(step["action"], facts)
                except Exception as error:
                    say(step["action"], thrown(error))
            first = last
    except Exception as error:
        say(first["action"], thrown(error))
    else:
        say(last["action"], {"closed": True})


anyio.run(run, json.loads(sys.argv[1]))
