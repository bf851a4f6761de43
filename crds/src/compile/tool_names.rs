//! Who has which name among the tools of one server: those that users wrote, and those that clients without tasks start
//! and follow their calls by.

use super::{
    report::{Collector, ObjectKey, Reason},
    select,
};
use mcpfleet_config::{self as config, TASK_CANCEL, TASK_STATUS, task_start};
use std::collections::BTreeMap;

/// Names that are taken. The first object to claim one gets it: objects come oldest first.
#[derive(Default)]
pub(super) struct Owners(BTreeMap<String, (ObjectKey, Claim)>);

/// What a name is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// The tool itself.
    Tool,
    /// One that its clients start it by.
    Start,
    /// One that follows the tasks of every such tool.
    Shared,
}

impl Owners {
    /// Whether the tool has all the names that it needs now.
    pub(super) fn claim(&mut self, tool: &config::Tool, key: &ObjectKey, collector: &mut Collector) -> bool {
        let wanted = wanted(tool);
        let taken = wanted.iter().find_map(|(name, claim)| Some((name, self.taken(name, *claim)?)));
        if let Some((name, winner)) = taken {
            let theirs = select::owner_sentence(winner);
            let message = if *name == tool.name {
                format!("tool name {name:?} {theirs}")
            } else {
                format!("clients that cannot follow tasks need a tool {name:?} for it, a name that {theirs}")
            };
            let remedy = "give one of them another spec.name, or select only one";
            collector.scope(key.clone()).error("spec.name", Reason::DuplicateName, message, remedy);
            return false;
        }
        for (name, claim) in wanted {
            self.0.entry(name).or_insert_with(|| (key.clone(), claim));
        }
        true
    }

    fn taken(&self, name: &str, claim: Claim) -> Option<&ObjectKey> {
        let (owner, theirs) = self.0.get(name)?;
        (claim != Claim::Shared || *theirs != Claim::Shared).then_some(owner)
    }
}

fn wanted(tool: &config::Tool) -> Vec<(String, Claim)> {
    let mut wanted = vec![(tool.name.clone(), Claim::Tool)];
    if tool.asynchronous.is_some() {
        wanted.push((task_start(&tool.name), Claim::Start));
        wanted.extend([TASK_STATUS, TASK_CANCEL].map(|name| (name.to_owned(), Claim::Shared)));
    }
    wanted
}
