//! One list from our own tools and those of upstreams. Pure.
//!
//! A name is served once: our own tool before any upstream's, and among upstreams the first by the upstream's name,
//! so that the answer does not depend on who connected first.

use super::own::OwnTool;
use crate::{search::Helper, upstream::UpstreamTool};
use mcpfleet_protocol::Tool;
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

/// Where a tool's calls go.
#[derive(Clone, Debug)]
pub enum Target {
    /// A backend of ours.
    Own(Arc<OwnTool>),
    /// One of our own prompts or resources.
    OwnOffer,
    /// Tool search.
    Helper(Helper),
    /// An upstream.
    Upstream {
        /// Its name.
        upstream: String,
        /// The name or URI there.
        key: String,
    },
    /// Nobody: it is not here now. Never in a list.
    Missing {
        /// Why, and what to do.
        message: String,
    },
}

/// A tool that is in the list.
#[derive(Clone, Debug)]
pub struct Merged {
    /// What clients see.
    pub definition: Tool,
    /// Where calls go.
    pub target: Target,
}

/// An upstream's tool that is not in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// The upstream.
    pub upstream: String,
    /// The name that it would have here.
    pub tool: String,
    /// Why it is left out.
    pub reason: String,
}

/// Merges, in order of the names.
pub fn merge(own: &[Arc<OwnTool>], upstream: &[UpstreamTool]) -> (BTreeMap<String, Merged>, Vec<Withheld>) {
    let mut merged: BTreeMap<String, Merged> =
        own.iter().map(|tool| (tool.config.name.clone(), of_own(tool))).collect();
    let mut withheld = Vec::new();
    let mut ordered: Vec<&UpstreamTool> = upstream.iter().collect();
    ordered.sort_by(|a, b| (&a.upstream, &a.exposed_name).cmp(&(&b.upstream, &b.exposed_name)));
    for tool in ordered {
        if let Err(reason) = place(&mut merged, tool) {
            withheld.push(Withheld {
                upstream: tool.upstream.clone(),
                tool: tool.exposed_name.clone(),
                reason,
            });
        }
    }
    (merged, withheld)
}

/// Takes the names that tool search needs away from whoever has them.
pub fn reserve(merged: &mut BTreeMap<String, Merged>) -> Vec<Withheld> {
    let taken = Helper::ALL.iter().filter_map(|helper| merged.remove(helper.name()));
    let withheld = taken.filter_map(|tool| match tool.target {
        Target::Upstream { upstream, .. } => Some(Withheld {
            upstream,
            tool: tool.definition.name,
            reason: "the name belongs to spec.toolSearch; give the upstream a prefix".to_owned(),
        }),
        // Our own have been refused when the configuration was read.
        _ => None,
    });
    withheld.collect()
}

fn of_own(tool: &Arc<OwnTool>) -> Merged {
    Merged { definition: tool.definition.clone(), target: Target::Own(tool.clone()) }
}

fn place(merged: &mut BTreeMap<String, Merged>, tool: &UpstreamTool) -> Result<(), String> {
    let definition = Tool::read(&tool.definition).map_err(|error| error.to_string())?;
    match merged.entry(tool.exposed_name.clone()) {
        Entry::Vacant(free) => {
            let target = Target::Upstream { upstream: tool.upstream.clone(), key: tool.name.clone() };
            free.insert(Merged { definition, target });
            Ok(())
        }
        Entry::Occupied(taken) => Err(match &taken.get().target {
            Target::Own(own) => {
                format!("McpTool {} has this name; give the upstream a prefix", own.config.object)
            }
            Target::OwnOffer | Target::Missing { .. } | Target::Helper(_) => {
                "this server has this name".to_owned()
            }
            Target::Upstream { upstream, .. } => {
                format!("upstream {upstream} has this name too; give one of them a prefix")
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, value::to_raw_value};

    fn offered(upstream: &str, name: &str) -> UpstreamTool {
        let definition =
            to_raw_value(&json!({"name": name, "inputSchema": {"type": "object"}, "icons": []})).unwrap();
        UpstreamTool { upstream: upstream.into(), name: name.into(), exposed_name: name.into(), definition }
    }

    fn own(name: &str) -> Arc<OwnTool> {
        of_priority(name, "normal")
    }

    fn of_priority(name: &str, priority: &str) -> Arc<OwnTool> {
        let config = json!({
            "name": name, "object": "the-object", "inputSchema": {"type": "object"}, "timeoutMs": 1,
            "priority": priority, "backend": {"static": {"text": "x"}},
        });
        let config = serde_json::from_value(config).unwrap();
        Arc::new(OwnTool::new(&config).unwrap())
    }

    #[test]
    fn our_own_tool_wins_and_the_loser_is_told() {
        let (merged, withheld) = merge(&[own("search")], &[offered("crm", "search"), offered("crm", "find")]);
        assert!(matches!(merged["search"].target, Target::Own(_)));
        assert!(matches!(merged["find"].target, Target::Upstream { .. }));
        assert_eq!(withheld.len(), 1);
        assert!(withheld[0].reason.contains("the-object"), "{withheld:?}");
    }

    #[test]
    fn among_upstreams_the_first_name_wins_in_whatever_order_they_come() {
        let tools = [offered("b", "search"), offered("a", "search")];
        let (merged, withheld) = merge(&[], &tools);
        assert!(matches!(&merged["search"].target, Target::Upstream { upstream, .. } if upstream == "a"));
        assert_eq!(withheld[0].upstream, "b");
    }

    #[test]
    fn what_we_do_not_know_of_a_definition_is_kept() {
        let (merged, _) = merge(&[], &[offered("a", "search")]);
        let text = merged["search"].definition.write(mcpfleet_protocol::Revision::LATEST_MODERN);
        assert!(text.as_str().contains("icons"), "{text:?}");
    }
}
