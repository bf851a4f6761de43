//! Whether tasks are offered: when something behind us makes them or lends itself to ours, or a tool says `async`. Pure.

use super::Entry;
use crate::upstream::{Roster, UpstreamTool};
use mcpfleet_protocol::{
    Tool,
    answer::ServerIdentity,
    task::{self, TaskSupport},
};
use std::sync::Arc;

/// What modern clients are told of the server: legacy ones could follow no task of this kind.
pub(super) fn offered(
    identity: &ServerIdentity,
    roster: &Roster,
    tools: &[(Tool, Arc<Entry>)],
) -> ServerIdentity {
    let made = roster.about.iter().any(|(_, about)| about.capabilities.has_extension(task::EXTENSION));
    let mut identity = identity.clone();
    let asynchronous = tools.iter().any(|(_, entry)| entry.async_ttl.is_some());
    if made || asynchronous || roster.tools.iter().any(lends_itself) {
        identity.capabilities.extensions = Some(task::extensions());
    }
    identity
}

fn lends_itself(tool: &UpstreamTool) -> bool {
    Tool::read(&tool.definition).is_ok_and(|tool| tool.task_support() != TaskSupport::Forbidden)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::connection::About;
    use mcpfleet_protocol::{ServerCapabilities, answer::Implementation};
    use serde_json::{json, value::to_raw_value};

    fn offers(roster: &Roster) -> bool {
        let info = Implementation::new("a", "1");
        let identity =
            ServerIdentity { info, capabilities: ServerCapabilities::default(), instructions: None };
        offered(&identity, roster, &[]).capabilities.has_extension(task::EXTENSION)
    }

    fn tool(definition: &serde_json::Value) -> Roster {
        let definition = to_raw_value(definition).unwrap();
        let (upstream, name) = ("u".to_owned(), "t".to_owned());
        let tool = UpstreamTool { upstream, exposed_name: name.clone(), name, definition };
        Roster { tools: vec![tool], ..Roster::default() }
    }

    #[test]
    fn tasks_are_offered_when_something_behind_us_can_be_one() {
        let plain = json!({"name": "t", "inputSchema": {"type": "object"}});
        assert!(!offers(&Roster::default()));
        assert!(!offers(&tool(&plain)));
        for (support, offered) in [("optional", true), ("required", true), ("forbidden", false)] {
            let mut definition = plain.clone();
            definition["execution"] = json!({"taskSupport": support});
            assert_eq!(offers(&tool(&definition)), offered, "{support}");
        }
        let extensions = Some(task::extensions());
        let capabilities = ServerCapabilities { extensions, ..ServerCapabilities::default() };
        let about = About { capabilities, ..About::default() };
        assert!(offers(&Roster { about: vec![("u".into(), about)], ..Roster::default() }));
    }
}
