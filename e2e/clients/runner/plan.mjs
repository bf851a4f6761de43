// Which clients meet which upstream, and what each pair is to do and to see: from clients.json and expected.json.

const modern = "2026-07-28";

/** What rules may speak of, for this client in front of this upstream; null if the two cannot meet. */
export function meeting(client, name, upstream, through) {
  if (through === "direct" && client.transport !== upstream.transport) return null;
  const revision = through === "direct" ? agreed(client, upstream) : client.revision;
  if (!revision) return null;
  return {
    client: client.name,
    program: client.program,
    generation: client.generation,
    negotiation: typeof client.negotiation === "object" || client.negotiation === modern ? "pinned" : "negotiated",
    transport: client.transport,
    revision,
    era: revision < modern ? "legacy" : "modern",
    upstream: name,
    server: upstream.server,
    upstreamEra: upstream.eras.includes("modern") ? "modern" : "legacy",
    through,
  };
}

/** The revision that client and upstream agree on without anybody between; null if they have none in common. */
function agreed(client, upstream) {
  if (client.revision === modern) {
    if (upstream.eras.includes("modern")) return modern;
    return client.fallback ? min(client.fallback, upstream.revision) : null;
  }
  return upstream.eras.includes("legacy") ? min(client.revision, "2025-11-25") : null;
}

const min = (a, b) => (a < b ? a : b);

/**
 * The rows of the table for one pair: {action, step, hold} for what is done, {action, lacks} for what is not, with the
 * reason. Rules are read from the top; each whose `when` holds adds to what the ones before it said.
 */
export function rows(expected, client, pair) {
  return expected.actions.map(({ action, verb, rules }) => {
    const row = { action, step: { action, verb }, hold: {} };
    for (const rule of rules) {
      if (!matches(rule.when ?? {}, pair)) continue;
      if (rule.lacks) row.lacks ??= rule.lacks;
      Object.assign(row.step, rule.do);
      Object.assign(row.hold, rule.hold);
    }
    row.lacks ??= client.lacks?.[action];
    return row.lacks ? { action, lacks: row.lacks } : { ...row, hold: filled(row.hold, pair) };
  });
}

/** Values are equal, one of several, or, for revisions, {"before": R} or {"from": R}. */
function matches(when, pair) {
  return Object.entries(when).every(([key, wanted]) => {
    const value = pair[key];
    if (value === undefined) throw new Error(`expected.json: a rule speaks of "${key}", which no pair has`);
    if (Array.isArray(wanted)) return wanted.includes(value);
    if (typeof wanted === "object") return !(value >= wanted.before) && !(value < wanted.from);
    return value === wanted;
  });
}

/** "$revision" and its like stand for what the pair has. */
function filled(hold, pair) {
  return JSON.parse(JSON.stringify(hold), (_, value) => {
    return typeof value === "string" && value.startsWith("$") && value.slice(1) in pair ? pair[value.slice(1)] : value;
  });
}
