// mcp-runtime in front of one upstream.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answers, freePort, start, waitFor } from "./child.mjs";

const manifest = (url) => `apiVersion: mcpfleet.dev/v1alpha1
kind: McpServer
metadata: {name: clients, namespace: default}
spec:
  auth: {anonymous: {}}
  upstreams:
  - {name: upstream, remote: {url: "${url}"}}
`;

/** A runtime that serves what is at `url`; `command` is how a desktop client would start one. */
export async function startRuntime(binary, url) {
  const manifests = await mkdtemp(join(tmpdir(), "mcpfleet-clients-"));
  const forget = () => rm(manifests, { recursive: true, force: true });
  await writeFile(join(manifests, "server.yaml"), manifest(url));
  const [port, admin] = [await freePort(), await freePort()];
  const listen = ["--listen", `127.0.0.1:${port}`, "--admin", `127.0.0.1:${admin}`];
  const child = start(binary, ["serve", "-f", manifests, ...listen]);
  try {
    await waitFor("mcp-runtime", child, () => answers(`http://127.0.0.1:${admin}/readyz`, { ok: true }));
  } catch (error) {
    await child.stop();
    await forget();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    command: [binary, "serve", "--stdio", "-f", manifests],
    said: child.said,
    async stop() {
      await child.stop();
      await forget();
    },
  };
}
