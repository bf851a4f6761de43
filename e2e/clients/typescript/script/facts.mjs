// What a result of the protocol says, in the few words that the expectations speak of. The Python program has the same.

const keys = { tools: ["tools", "name"], resources: ["resources", "uri"],
  templates: ["resourceTemplates", "uriTemplate"], prompts: ["prompts", "name"] };

/** The names, or URIs, in one page of a list. */
export function names(kind, page) {
  const [member, key] = keys[kind];
  return page[member].map((entry) => entry[key]);
}

/** What a tool returned; `structured` only if there is any. */
export function called(result) {
  const content = result.content ?? [];
  const facts = { kinds: content.map((block) => block.type), text: texts(content), isError: result.isError === true };
  if (result.structuredContent !== undefined) facts.structured = result.structuredContent;
  return facts;
}

/** What a resource holds. */
export function read(result) {
  const [content] = result.contents;
  const facts = { mime: content.mimeType ?? null };
  if (content.text !== undefined) facts.text = content.text;
  if (content.blob !== undefined) facts.blob = content.blob;
  return facts;
}

/** What a prompt says. */
export function prompted(result) {
  return { roles: result.messages.map((message) => message.role), text: texts(result.messages.map((m) => m.content)) };
}

/** Why the library threw; the code is the one of JSON-RPC, if it was such an error. */
export function thrown(error) {
  return { error: { code: typeof error.code === "number" ? error.code : null, message: String(error.message) } };
}

const texts = (blocks) => blocks.filter((block) => block.type === "text").map((block) => block.text).join("\n");
