"""What a result of the protocol says, in the few words that the expectations speak of.

The TypeScript program has the same. Results come as the JSON of the wire, so that no generation's models matter.
"""

from typing import Any

Json = dict[str, Any]

_KEYS = {
    "tools": ("tools", "name"),
    "resources": ("resources", "uri"),
    "templates": ("resourceTemplates", "uriTemplate"),
    "prompts": ("prompts", "name"),
}


def wire(model: Any) -> Json:
    """A result as it was on the wire."""
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)


def names(kind: str, page: Json) -> list[str]:
    """The names, or URIs, in one page of a list."""
    member, key = _KEYS[kind]
    return [entry[key] for entry in page[member]]


def called(result: Json) -> Json:
    """What a tool returned; `structured` only if there is any."""
    content = result.get("content", [])
    facts = {
        "kinds": [block["type"] for block in content],
        "text": _texts(content),
        "isError": result.get("isError", False),
    }
    if "structuredContent" in result:
        facts["structured"] = result["structuredContent"]
    return facts


def read(result: Json) -> Json:
    """What a resource holds."""
    content = result["contents"][0]
    facts = {"mime": content.get("mimeType")}
    return facts | {member: content[member] for member in ("text", "blob") if member in content}


def prompted(result: Json) -> Json:
    """What a prompt says."""
    messages = result["messages"]
    return {
        "roles": [message["role"] for message in messages],
        "text": _texts([message["content"] for message in messages]),
    }


def thrown(error: BaseException) -> Json:
    """Why the library threw; the code is the one of JSON-RPC, if it was such an error."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    code = getattr(getattr(error, "error", None), "code", None)
    return {"error": {"code": code, "message": f"{type(error).__name__}: {error}"}}


def _texts(blocks: list[Json]) -> str:
    return "\n".join(block["text"] for block in blocks if block["type"] == "text")
