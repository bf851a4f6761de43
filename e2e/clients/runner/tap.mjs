// A dumb streaming proxy that writes down every exchange: the evidence for whose fault a deviation is.

import { createServer, request } from "node:http";

/** Characters of a body that are kept. */
const kept = 20_000;

/** Listens on a free port and hands everything on to `target`, an URL. */
export async function tap(target) {
  const { origin, hostname, port } = new URL(target);
  const exchanges = [];
  const begun = Date.now();
  const server = createServer((incoming, outgoing) => {
    const exchange = { at: Date.now() - begun, asked: heading(incoming), body: "", status: null, answer: "" };
    exchanges.push(exchange);
    const { method, url, headers } = incoming;
    const onward = request({ hostname, port, method, path: url, headers, agent: false });
    onward.on("response", (response) => {
      exchange.status = response.statusCode;
      exchange.told = picked(response.headers);
      outgoing.writeHead(response.statusCode, response.headers);
      outgoing.flushHeaders();
      note(response, exchange, "answer");
      // When each piece came, in ms: two streams have no other order.
      response.on("data", (piece) => (exchange.pieces ??= []).push([Date.now() - begun, piece.length]));
      response.pipe(outgoing);
      response.on("error", () => outgoing.destroy());
    });
    onward.on("error", (error) => {
      exchange.broke ??= error.code;
      outgoing.destroy();
    });
    // A client that goes away is gone for the server, too: closing a stream can be how a call is cancelled.
    outgoing.on("close", () => {
      if (!outgoing.writableFinished) exchange.broke ??= "the client closed it";
      onward.destroy();
    });
    note(incoming, exchange, "body");
    incoming.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const here = `http://127.0.0.1:${server.address().port}`;
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: target.replace(origin, here), exchanges, mark: (name) => exchanges.push({ at: Date.now() - begun, mark: name }), stop };
}

/** The exchanges between the mark before `name` and `name` itself. */
export function between(exchanges, name) {
  const end = exchanges.findIndex((exchange) => exchange.mark === name);
  const begin = exchanges.slice(0, Math.max(end, 0)).findLastIndex((exchange) => exchange.mark);
  return end < 0 ? [] : exchanges.slice(begin + 1, end);
}

function note(stream, exchange, part) {
  stream.setEncoding("utf8");
  stream.on("data", (text) => {
    if (exchange[part].length < kept) exchange[part] += text;
  });
}

function heading({ method, url, headers }) {
  return { method, url, ...picked(headers) };
}

function picked(headers) {
  const told = ["accept", "content-type", "last-event-id", "location", "www-authenticate"];
  const interesting = Object.entries(headers).filter(([name]) => name.startsWith("mcp-") || told.includes(name));
  return Object.fromEntries(interesting);
}
