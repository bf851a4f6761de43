//! Small fleets on disk.

use std::{fs, path::Path};
use tempfile::TempDir;

/// A directory with one server, `agents/support`, that serves every tool.
pub(crate) fn fleet(tools: &[String]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "server.yaml", &server("support", ""));
    write(dir.path(), "tools.yaml", &tools.join("---\n"));
    dir
}

pub(crate) fn server(name: &str, more: &str) -> String {
    format!(
        "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpServer\nmetadata: {{name: {name}, namespace: agents}}\nspec:\n  \
         auth: {{anonymous: {{}}}}\n  tools: {{selector: {{}}}}\n{more}"
    )
}

/// A tool that always says `text`, and takes an integer `id`.
pub(crate) fn fixed(name: &str, text: &str) -> String {
    tool(name, &format!("backend: {{static: {{text: {text}}}}}"))
}

/// A tool that asks `url`.
pub(crate) fn asking(name: &str, url: &str) -> String {
    tool(name, &format!("backend: {{http: {{url: '{url}'}}}}"))
}

fn tool(name: &str, backend: &str) -> String {
    format!(
        "apiVersion: mcpfleet.dev/v1alpha1\nkind: McpTool\nmetadata: {{name: {name}, namespace: agents}}\nspec:\n  \
         description: For tests\n  inputSchema: {{type: object, properties: {{id: {{type: integer}}}}}}\n  {backend}\n"
    )
}

/// Writes a file as careful writers do: whole, by a rename.
pub(crate) fn write(dir: &Path, name: &str, text: &str) {
    let draft = dir.join(format!(".{name}"));
    fs::write(&draft, text).unwrap();
    fs::rename(draft, dir.join(name)).unwrap();
}
