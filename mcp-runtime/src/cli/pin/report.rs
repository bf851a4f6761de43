//! What `pin` prints. Pure.

use super::{Pinned, pins};
use crate::source::lock::Tools;
use mcpfleet_config::{
    Upstream,
    pin::{DefinitionHash, difference},
};
use serde_json::json;
use std::fmt::{self, Write as _};

/// What to paste into the specs: of each server those members that say what is pinned.
pub(super) fn yaml(pinned: &[Pinned]) -> String {
    let mut out = String::new();
    let mut last = "";
    for Pinned { server, upstream, given } in pinned {
        let Ok(tools) = given else { continue };
        if server != last {
            let gap = if out.is_empty() { "" } else { "---\n" };
            // Writing to a String does not fail.
            let _ = write!(out, "{gap}# {server}\nspec:\n  upstreams:\n");
        }
        last = server;
        let _ = write!(out, "  - name: {}\n    tools:\n      pinning: Strict\n      pins:\n", upstream.name);
        for (name, approved) in tools {
            // A JSON string is a YAML string, whatever is in it.
            let _ = writeln!(out, "      - {{name: {}, hash: {}}}", json!(name), json!(approved.hash));
        }
    }
    out
}

/// What is new, has changed and is gone since the last time, for whoever approves it.
pub(super) fn changes(pinned: &[Pinned]) -> String {
    let mut out = String::new();
    for Pinned { server, upstream, given } in pinned {
        let _ = match given {
            Ok(tools) => compare(&mut out, server, upstream, tools),
            Err(why) => {
                writeln!(
                    out,
                    "{server} {}: not asked, what was approved of it stays as it is: {why}",
                    upstream.name
                )
            }
        };
    }
    out
}

fn compare(out: &mut String, server: &str, upstream: &Upstream, tools: &Tools) -> fmt::Result {
    let before = pins(upstream);
    let mut lines = Vec::new();
    for (name, approved) in tools {
        let Some(pin) = before.get(name) else {
            lines.push(format!("new: {name:?}"));
            continue;
        };
        let now = DefinitionHash::of(&approved.definition);
        let parts = pin.parse::<DefinitionHash>().map(|pin| pin.changed(&now)).unwrap_or_default();
        if !parts.is_empty() {
            let parts: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
            let known = upstream.tools.approved.get(name);
            let shown = known.map(|known| difference(known, &approved.definition));
            let shown = shown.map(|shown| format!(": {shown}")).unwrap_or_default();
            lines.push(format!("changed: {name:?} ({}){shown}", parts.join(", ")));
        }
    }
    lines.extend(
        before.keys().filter(|name| !tools.contains_key(*name)).map(|name| format!("gone: {name:?}")),
    );
    writeln!(out, "{server} {}: {} tools, {} changes", upstream.name, tools.len(), lines.len())?;
    lines.iter().try_for_each(|line| writeln!(out, "  {line}"))
}
