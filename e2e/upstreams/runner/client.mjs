// A client of 2026-07-28 over Streamable HTTP, bare: no library stands between a test and the wire.

const revision = "2026-07-28";
let lastId = 0;

/** Sends one request; resolves with its result or error. `onNotification` gets what comes before the answer. */
export async function ask(url, method, params = {}, { onNotification = () => {}, token, signal } = {}) {
  const id = ++lastId;
  const meta = {
    "io.modelcontextprotocol/protocolVersion": revision,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": { name: "upstreams", version: "1" },
    ...(token === undefined ? {} : { progressToken: token }),
  };
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": revision,
    "mcp-method": method,
    ...(params.name ? { "mcp-name": params.name } : {}),
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id, method, params: { ...params, _meta: meta } });
  const response = await fetch(url, { method: "POST", headers, body, signal });
  for await (const message of messages(response)) {
    if (message.id === id) return message;
    onNotification(message);
  }
  throw new Error(`${method}: the answer ended without a response (${response.status})`);
}

/** Calls a tool; resolves with its text, or throws what went wrong. */
export async function call(url, name, args = {}, options = {}) {
  const answer = await ask(url, "tools/call", { name, arguments: args }, options);
  if (answer.error) throw new CallFailed(answer.error.message);
  const text = answer.result.content.map((part) => part.text ?? "").join("");
  if (answer.result.isError) throw new CallFailed(text);
  return text;
}

/** The call was answered, and the answer is an error. */
export class CallFailed extends Error {}

/** All names of the tools that are listed. */
export async function tools(url) {
  const names = [];
  let cursor;
  do {
    const answer = await ask(url, "tools/list", cursor ? { cursor } : {});
    if (answer.error) throw new Error(answer.error.message);
    names.push(...answer.result.tools.map((tool) => tool.name));
    cursor = answer.result.nextCursor;
  } while (cursor);
  return names;
}

/** Listens for changed tools; resolves once that is acknowledged. `count()` says how often it was told since. */
export async function listen(url) {
  const stop = new AbortController();
  let told = 0;
  const acknowledged = new Promise((resolve, reject) => {
    const onNotification = ({ method }) => {
      if (method === "notifications/subscriptions/acknowledged") resolve();
      if (method === "notifications/tools/list_changed") told += 1;
    };
    const params = { notifications: { toolsListChanged: true } };
    ask(url, "subscriptions/listen", params, { onNotification, signal: stop.signal }).then(
      (answer) => reject(new Error(JSON.stringify(answer))),
      reject,
    );
  });
  await acknowledged;
  return { count: () => told, stop: () => stop.abort() };
}

async function* messages(response) {
  const type = response.headers.get("content-type") ?? "";
  if (!type.startsWith("text/event-stream")) {
    const text = await response.text();
    if (text) yield JSON.parse(text);
    return;
  }
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    rest += decoder.decode(chunk, { stream: true });
    const events = rest.split(/\r?\n\r?\n/);
    rest = events.pop();
    for (const event of events) {
      const data = event.split(/\r?\n/).filter((line) => line.startsWith("data:"));
      if (data.length) yield JSON.parse(data.map((line) => line.slice(5).trimStart()).join("\n"));
    }
  }
}
