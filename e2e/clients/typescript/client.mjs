// Uses an MCP server as an agent does, through an official client library, and prints what it saw as JSON.
//
//   node client.mjs legacy|modern URL [TOOL ARGUMENTS]...
//   node client.mjs listen legacy|modern URL [CHANGES]
//
// legacy: @modelcontextprotocol/sdk, revision 2025-11-25. modern: @modelcontextprotocol/client pinned to 2026-07-28.
//
// The first form prints one document. The second prints a line for each thing that happens, and ends by itself after
// CHANGES changes or when the server ends the subscription; without CHANGES it listens until it is killed:
//   {"event":"listening","tools":[NAME]}      the notification stream is open
//   {"event":"list_changed","tools":[NAME]}   the server said so, and lists these now
//   {"event":"ended","how":"graceful"}        the server ended it by its protocol's goodbye; modern only: a legacy
//                                             client opens its stream again by itself, then "listening" comes again
//   {"event":"error","message":TEXT}          the library is not content

import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const who = { name: "mcpfleet-e2e", version: "1.0.0" };
const say = (line) => console.log(JSON.stringify(line));

/** A client and its transport, not connected yet. */
function open(era, url, clientOptions = {}, transportOptions = {}) {
  if (era === "legacy") {
    return [new LegacyClient(who, clientOptions), new LegacyTransport(new URL(url), transportOptions)];
  }
  const versionNegotiation = { mode: { pin: "2026-07-28" } };
  return [
    new Client(who, { ...clientOptions, versionNegotiation }),
    new StreamableHTTPClientTransport(new URL(url), transportOptions),
  ];
}

async function listTools(client) {
  const tools = [];
  let cursor;
  do {
    const page = await client.listTools(cursor ? { cursor } : {});
    tools.push(...page.tools);
    cursor = page.nextCursor;
  } while (cursor);
  return tools;
}

async function callTools(client, calls) {
  const seen = [];
  for (let i = 0; i < calls.length; i += 2) {
    const request = { name: calls[i], arguments: JSON.parse(calls[i + 1] ?? "{}") };
    try {
      const result = await client.callTool(request);
      seen.push({ tool: request.name, ...result });
    } catch (error) {
      seen.push({ tool: request.name, threw: { code: error.code ?? null, message: error.message } });
    }
  }
  return seen;
}

async function use(era, url, ...calls) {
  const [client, transport] = open(era, url);
  await client.connect(transport);
  const server = client.getServerVersion() ?? null;
  const seen = { server, tools: await listTools(client), calls: await callTools(client, calls) };
  // The modern revision has no ping; the legacy one must answer it.
  if (era === "legacy") await client.ping();
  await client.close();
  say(seen);
}

async function listen(era, url, changes = "Infinity") {
  let left = Number(changes);
  let finished = false;
  const names = (tools) => tools.map((tool) => tool.name);
  const finish = async () => {
    finished = true;
    await client.close();
    process.exit(0);
  };
  const onChanged = async (error, tools) => {
    if (error) return say({ event: "error", message: error.message });
    say({ event: "list_changed", tools: names(tools) });
    left -= 1;
    if (left === 0) await finish();
  };
  const listening = async () => say({ event: "listening", tools: names(await listTools(client)) });
  // The legacy library opens its stream behind our back; only its request shows when.
  const watched = async (input, init) => {
    const response = await fetch(input, init);
    if (init?.method === "GET" && response.ok) setImmediate(listening);
    return response;
  };
  const options = { listChanged: { tools: { onChanged, debounceMs: 0 } } };
  const [client, transport] = open(era, url, options, era === "legacy" ? { fetch: watched } : {});
  client.onerror = (error) => say({ event: "error", message: error.message });
  await client.connect(transport);
  if (era === "modern") {
    const subscription = client.autoOpenedSubscription;
    if (!subscription?.honoredFilter.toolsListChanged) throw new Error("the server honours no toolsListChanged");
    await listening();
    const how = await subscription.closed;
    if (!finished) {
      say({ event: "ended", how });
      await finish();
    }
  }
}

const [first, ...rest] = process.argv.slice(2);
await (first === "listen" ? listen(...rest) : use(first, ...rest));
