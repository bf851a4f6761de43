// @modelcontextprotocol/sdk, the 1.x line: handlers are registered by schema, and every connection is a legacy one.

/** A client of the package, which is installed under the name `alias`, for Streamable HTTP, HTTP+SSE or stdio. */
export async function open({ alias, transport, url, command }, host) {
  const [{ Client }, types, wire] = await Promise.all([
    import(`${alias}/client/index.js`),
    import(`${alias}/types.js`),
    openTransport(alias, transport, url, command),
  ]);
  const capabilities = { roots: { listChanged: true }, sampling: {} };
  if (types.ElicitRequestSchema) capabilities.elicitation = {};
  const client = new Client({ name: "mcpfleet-e2e", version: "1.0.0" }, { capabilities });
  listen(client, types, host);
  return new Connection(client, wire);
}

async function openTransport(alias, transport, url, command) {
  switch (transport) {
    case "http": {
      const { StreamableHTTPClientTransport } = await import(`${alias}/client/streamableHttp.js`);
      return new StreamableHTTPClientTransport(new URL(url));
    }
    case "sse": {
      const { SSEClientTransport } = await import(`${alias}/client/sse.js`);
      return new SSEClientTransport(new URL(url));
    }
    default: {
      const { StdioClientTransport } = await import(`${alias}/client/stdio.js`);
      return new StdioClientTransport({ command: command[0], args: command.slice(1), stderr: "inherit" });
    }
  }
}

function listen(client, types, host) {
  client.setRequestHandler(types.CreateMessageRequestSchema, ({ params }) => host.sample(params));
  client.setRequestHandler(types.ListRootsRequestSchema, () => host.roots());
  if (types.ElicitRequestSchema) client.setRequestHandler(types.ElicitRequestSchema, ({ params }) => host.elicit(params));
  client.setNotificationHandler(types.LoggingMessageNotificationSchema, ({ params }) => host.heardLog(params));
  client.setNotificationHandler(types.ResourceUpdatedNotificationSchema, ({ params }) => {
    host.updated.push(params.uri);
  });
  client.setNotificationHandler(types.ToolListChangedNotificationSchema, () => {
    host.changes += 1;
  });
}

class Connection {
  constructor(client, transport) {
    this.client = client;
    this.transport = transport;
    this.revision = null;
  }

  async connect() {
    overhear(this.transport, (message) => {
      this.revision ??= message.result?.protocolVersion ?? null;
    });
    await this.client.connect(this.transport);
  }

  about() {
    return {
      revision: this.revision,
      server: this.client.getServerVersion()?.name ?? null,
      capabilities: Object.keys(this.client.getServerCapabilities() ?? {}).sort(),
      instructions: this.client.getInstructions?.() ?? null,
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

  call(params, options = {}) {
    return this.client.callTool(params, undefined, options);
  }

  read = (uri) => this.client.readResource({ uri });
  prompt = (params) => this.client.getPrompt(params);
  complete = (params) => this.client.complete(params);
  ping = () => this.client.ping();

  /** Asks for log messages of the level and above; returns what calls must carry for that. */
  async logAt(level) {
    await this.client.setLoggingLevel(level);
    return {};
  }

  /** Subscribes to a resource; returns how to end that. */
  async watch(uri) {
    await this.client.subscribeResource({ uri });
    return () => this.client.unsubscribeResource({ uri });
  }

  /** Servers of a legacy revision announce changes of lists unasked. */
  async watchTools() {
    return async () => {};
  }

  async close() {
    await this.transport.terminateSession?.();
    await this.client.close();
  }
}

/** Older libraries do not tell which revision they agreed on: hears the answer to `initialize` on its way. */
function overhear(transport, hear) {
  let deliver;
  Object.defineProperty(transport, "onmessage", {
    get: () => deliver && ((message, extra) => (hear(message), deliver(message, extra))),
    set: (handler) => {
      deliver = handler;
    },
  });
}
