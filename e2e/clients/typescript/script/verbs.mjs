// What a client can be told to do. Each verb takes a connection, its host, one step of the plan and the ledger of the
// upstream, and returns what was seen. The Python program has the same verbs.

import { called, names, prompted, read, thrown } from "./facts.mjs";
import { until } from "./host.mjs";

export const verbs = {
  async connect(connection) {
    await connection.connect();
    return connection.about();
  },

  async list(connection, host, { kind }) {
    return { names: await listAll(connection, kind) };
  },

  async call(connection, host, { name, arguments: given, form }) {
    const before = host.asked.length;
    host.form = form ?? {};
    const facts = called(await connection.call({ name, arguments: given ?? {} }));
    return { ...facts, asked: host.asked.slice(before) };
  },

  async progress(connection, host, { name, arguments: given }) {
    const progress = [];
    const onprogress = (notice) => progress.push(notice.progress);
    const facts = called(await connection.call({ name, arguments: given ?? {} }, { onprogress }));
    return { ...facts, progress };
  },

  async log(connection, host, { level, name, arguments: given, count, then }) {
    const meta = await connection.logAt(level);
    const before = host.logs.length;
    await connection.call({ name, arguments: given ?? {}, ...meta });
    // A server may send them on a stream of their own, so that they come after the result.
    await until(`${count} log messages`, () => host.logs.length >= before + count);
    if (then) await connection.call({ name: then.name, arguments: then.arguments ?? {} });
    return { logs: host.logs.slice(before) };
  },

  async read(connection, host, { uri }) {
    return read(await connection.read(uri));
  },

  async prompt(connection, host, { name, arguments: given }) {
    return prompted(await connection.prompt({ name, arguments: given }));
  },

  async complete(connection, host, { ref, argument }) {
    const { completion } = await connection.complete({ ref, argument });
    return { values: completion.values };
  },

  async cancel(connection, host, { name, arguments: given }, ledger) {
    const before = await ledger.counts(name);
    const abort = new AbortController();
    const call = connection.call({ name, arguments: given }, { signal: abort.signal }).then(called, thrown);
    await until(`${name} to begin upstream`, async () => (await ledger.counts(name)).began > before.began);
    abort.abort("the end-to-end test wants no more of it");
    const facts = await call;
    await until(`${name} to be cancelled upstream`, async () => (await ledger.counts(name)).cancelled > before.cancelled);
    return { ended: facts.error ? "error" : "result", upstream: "cancelled" };
  },

  async subscribe(connection, host, { uri, name, arguments: given, then }) {
    const end = await connection.watch(uri);
    await connection.call({ name, arguments: given ?? {} });
    await until(`an update of ${uri}`, () => host.updated.includes(uri));
    if (then) await connection.call({ name: then.name, arguments: then.arguments ?? {} });
    await end();
    return { updated: [...new Set(host.updated)] };
  },

  async tools_changed(connection, host, { tool, add, remove }) {
    const end = await connection.watchTools();
    const seen = [];
    for (const { name, arguments: given } of [add, remove]) {
      const before = host.changes;
      await connection.call({ name, arguments: given });
      await until(`list_changed after ${name}`, () => host.changes > before);
      seen.push((await listAll(connection, "tools")).includes(tool) ? "listed" : "gone");
    }
    await end();
    return { seen };
  },

  async ping(connection) {
    await connection.ping();
    return { answered: true };
  },

  async close(connection) {
    await connection.close();
    return { closed: true };
  },
};

async function listAll(connection, kind) {
  const all = [];
  let cursor;
  do {
    const page = await connection.list(kind, cursor);
    all.push(...names(kind, page));
    cursor = page.nextCursor;
  } while (cursor);
  return all;
}
