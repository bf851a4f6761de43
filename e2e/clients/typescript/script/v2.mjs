// @modelcontextprotocol/client, the 2.x line: handlers are registered by method, and it speaks both eras.

import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const logLevel = "io.modelcontextprotocol/logLevel";

/** A client for Streamable HTTP, HTTP+SSE or stdio; `negotiation` is auto, legacy or {pin: REVISION}. */
export async function open({ transport, url, command, negotiation }, host) {
  const capabilities = { roots: { listChanged: true }, sampling: {}, elicitation: { form: {} } };
  const versionNegotiation = { mode: negotiation };
  const client = new Client({ name: "mcpfleet-e2e", version: "1.0.0" }, { capabilities, versionNegotiation });
  client.setRequestHandler("sampling/createMessage", ({ params }) => host.sample(params));
  client.setRequestHandler("roots/list", () => host.roots());
  client.setRequestHandler("elicitation/create", ({ params }) => host.elicit(params));
  client.setNotificationHandler("notifications/message", ({ params }) => host.heardLog(params));
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => {
    host.updated.push(params.uri);
  });
  client.setNotificationHandler("notifications/tools/list_changed", () => {
    host.changes += 1;
  });
  return new Connection(client, openTransport(transport, url, command));
}

function openTransport(transport, url, command) {
  switch (transport) {
    case "http": return new StreamableHTTPClientTransport(new URL(url));
    case "sse": return new SSEClientTransport(new URL(url));
    default: return new StdioClientTransport({ command: command[0], args: command.slice(1), stderr: "inherit" });
  }
}

class Connection {
  constructor(client, transport) {
    this.client = client;
    this.transport = transport;
  }

  get modern() {
    return this.client.getProtocolEra() === "modern";
  }

  connect = () => this.client.connect(this.transport);

  about() {
    return {
      revision: this.client.getNegotiatedProtocolVersion() ?? null,
      server: this.client.getServerVersion()?.name ?? null,
      capabilities: Object.keys(this.client.getServerCapabilities() ?? {}).sort(),
      instructions: this.client.getInstructions() ?? null,
    };
  }

  list(kind, cursor) {
    const params = cursor ? { cursor } : {};
    switch (kind) {
      case "tools": return this.client.listTools(params);
      case "resources": return this.client.listResources(params);
      case "templates": return this.client.listResourceTemplates(params);
      default: return this.client.listPrompts(params);
    }
  }

  call = (params, options = {}) => this.client.callTool(params, options);
  read = (uri) => this.client.readResource({ uri });
  prompt = (params) => this.client.getPrompt(params);
  complete = (params) => this.client.complete(params);
  ping = () => this.client.ping();

  /** Asks for log messages of the level and above; returns what calls must carry for that. */
  async logAt(level) {
    if (this.modern) return { _meta: { [logLevel]: level } };
    await this.client.setLoggingLevel(level);
    return {};
  }

  /** Subscribes to a resource; returns how to end that. */
  async watch(uri) {
    if (this.modern) return this.listen({ resourceSubscriptions: [uri] });
    await this.client.subscribeResource({ uri });
    return () => this.client.unsubscribeResource({ uri });
  }

  /** Asks to be told of changes of the list of tools; returns how to end that. */
  async watchTools() {
    return this.modern ? this.listen({ toolsListChanged: true }) : async () => {};
  }

  async listen(filter) {
    const subscription = await this.client.listen(filter);
    for (const kind of Object.keys(filter)) {
      if (!subscription.honoredFilter[kind]) throw new Error(`the server does not honour ${kind}`);
    }
    return () => subscription.close();
  }

  async close() {
    if (!this.modern) await this.transport.terminateSession?.();
    await this.client.close();
  }
}
