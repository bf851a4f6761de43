// The servers behind: our fixture in either era, the reference server over both transports, and one built on FastMCP.

import { join } from "node:path";
import { answers, freePort, start, waitFor } from "./child.mjs";

/** How each is started, and what it is: era is what a gateway will find, revision its latest, transports a client's. */
export const upstreams = {
  "everything-legacy": fixture("legacy", "2025-11-25"),
  "everything-modern": fixture("modern", "2026-07-28"),
  "npm-http": reference("streamableHttp", "http", "/mcp"),
  "npm-sse": reference("sse", "sse", "/sse"),
  "npm-stdio": program("stdio"),
  fastmcp: {
    server: "fastmcp",
    eras: ["legacy", "modern"],
    revision: "2026-07-28",
    transport: "http",
    async start({ here, python }) {
      const port = await freePort();
      const child = start(python("fastmcp-4.1.2"), ["-W", "ignore", join(here, "python/server.py"), String(port)]);
      const ledger = `http://127.0.0.1:${port}/ledger`;
      await waitFor("the FastMCP server", child, () => answers(ledger));
      return { url: `http://127.0.0.1:${port}/mcp`, ledger, stop: child.stop };
    },
  },
};

function fixture(era, revision) {
  return {
    server: "everything",
    eras: [era],
    revision,
    transport: "http",
    async start({ everything }) {
      // Pages that are smaller than the lists, so that whoever loses one is noticed.
      const child = start(everything, ["--listen", "127.0.0.1:0", "--era", era, "--page-size", "7"]);
      let at = null;
      child.lines.once("line", (line) => (at = JSON.parse(line).listening));
      await waitFor(`everything --era ${era}`, child, () => at);
      return { url: `http://${at}/mcp`, ledger: `http://${at}/ledger`, stop: child.stop };
    },
  };
}

function reference(mode, transport, path) {
  return {
    server: "npm",
    eras: ["legacy"],
    revision: "2025-11-25",
    transport,
    async start({ modules }) {
      const port = await freePort();
      const script = join(modules, "@modelcontextprotocol/server-everything/dist/index.js");
      const child = start(process.execPath, [script, mode], { PORT: String(port) });
      await waitFor(`server-everything ${mode}`, child, () => answers(`http://127.0.0.1:${port}/`));
      return { url: `http://127.0.0.1:${port}${path}`, ledger: null, stop: child.stop };
    },
  };
}

/** The reference server as a program of which each session has a process, behind `mcp-runtime bridge`. */
function program(mode) {
  return {
    server: "npm",
    eras: ["legacy"],
    revision: "2025-11-25",
    transport: "http",
    async start({ modules, runtime }) {
      const script = join(modules, "@modelcontextprotocol/server-everything/dist/index.js");
      const [port, admin] = [await freePort(), await freePort()];
      const listening = ["--listen", `127.0.0.1:${port}`, "--admin", `127.0.0.1:${admin}`, "--processes", "per-session"];
      const child = start(runtime, ["bridge", ...listening, "--", process.execPath, script, mode]);
      const ready = async () => (await fetch(`http://127.0.0.1:${admin}/readyz`)).ok;
      await waitFor(`server-everything ${mode}`, child, () => ready().catch(() => false));
      return { url: `http://127.0.0.1:${port}/mcp`, ledger: null, stop: child.stop };
    },
  };
}
