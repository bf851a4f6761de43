// Uses an MCP server as an agent does, through an official client library, and prints what it saw as JSON.
//
//   node client.mjs legacy|modern URL [TOOL ARGUMENTS]...
//
// legacy: @modelcontextprotocol/sdk, revision 2025-11-25. modern: @modelcontextprotocol/client pinned to 2026-07-28.

import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const [era, url, ...calls] = process.argv.slice(2);
const who = { name: "mcpfleet-e2e", version: "1.0.0" };

const [client, transport] =
  era === "legacy"
    ? [new LegacyClient(who), new LegacyTransport(new URL(url))]
    : [
        new Client(who, { versionNegotiation: { mode: { pin: "2026-07-28" } } }),
        new StreamableHTTPClientTransport(new URL(url)),
      ];

await client.connect(transport);
const seen = { server: client.getServerVersion() ?? null, tools: [], calls: [] };
let cursor;
do {
  const page = await client.listTools(cursor ? { cursor } : {});
  seen.tools.push(...page.tools);
  cursor = page.nextCursor;
} while (cursor);

for (let i = 0; i < calls.length; i += 2) {
  const request = { name: calls[i], arguments: JSON.parse(calls[i + 1] ?? "{}") };
  try {
    const result = await client.callTool(request);
    seen.calls.push({ tool: request.name, ...result });
  } catch (error) {
    seen.calls.push({ tool: request.name, threw: { code: error.code ?? null, message: error.message } });
  }
}
// The modern revision has no ping; the legacy one must answer it.
if (era === "legacy") await client.ping();
await client.close();
console.log(JSON.stringify(seen));
