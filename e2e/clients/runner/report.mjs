// What a run says: the table as Markdown on standard output, what deviates, with the evidence, on standard error.

const symbols = { ok: "ok", failed: "**FAIL**", none: "-" };

/** One table an upstream: a row for each client, a column for each action. */
export function table(upstream, actions, runs) {
  const row = (cells) => `| ${cells.join(" | ")} |`;
  const lines = [
    `### ${upstream}`,
    "",
    row(["client", "revision", ...actions]),
    row(["---", "---", ...actions.map(() => ":-:")]),
    ...runs.map(({ pair, cells }) => row([pair.client, pair.revision, ...cells.map(({ state }) => symbols[state])])),
    "",
  ];
  return lines.join("\n");
}

/** Why cells are empty: each reason once, with those whom it concerns. */
export function reasons(runs) {
  const found = new Map();
  for (const { pair, cells } of runs) {
    for (const { action, state, lacks } of cells) {
      if (state !== "none") continue;
      const key = `${action}: ${lacks}`;
      found.set(key, (found.get(key) ?? new Set()).add(pair.client));
    }
  }
  return [...found].map(([key, clients]) => `- ${key} (${[...clients].join(", ")})`).join("\n");
}

/** What one cell has against it. */
export function complaint(pair, { action, wrong, evidence }) {
  const lines = [`${pair.client} in front of ${pair.upstream} (${pair.through}, ${pair.revision}): ${action}`];
  for (const { member, wanted, seen } of wrong) {
    lines.push(`  ${member}: wanted ${JSON.stringify(wanted)}`, `  ${" ".repeat(member.length)}  saw    ${JSON.stringify(seen)}`);
  }
  for (const { asked, body, status, told, answer, broke } of evidence) {
    if (!asked) continue;
    const { method, url, ...headers } = asked;
    lines.push(`  > ${method} ${url} ${JSON.stringify(headers)}`);
    if (body) lines.push(`  > ${short(body)}`);
    lines.push(`  < ${status ?? "no answer"} ${JSON.stringify(told ?? {})}${broke ? ` (${broke})` : ""}`);
    if (answer) lines.push(`  < ${short(answer)}`);
  }
  return lines.join("\n");
}

const short = (text) => {
  const line = text.trim().replace(/\s*\n\s*/g, " / ");
  // The end matters as well as the beginning: libraries write a request's id last.
  return line.length > 1300 ? `${line.slice(0, 1000)} ... ${line.slice(-300)}` : line;
};
