//! `call_tool`: the call of another tool, in the arguments of one that is listed. Pure.
//!
//! It is unwrapped before anything else is done, so that limits, scopes, tasks, retries and counters are those of the tool
//! that is meant.

use super::{answer::Call, offered::Helper};
use crate::{call::CallError, catalog::Snapshot, exchange::Ask, identity::Principal};
use mcpfleet_config::is_reserved;
use serde_json::value::RawValue;

/// Longest piece of a name that an error repeats, in characters.
const SHOWN: usize = 80;

/// What is really asked: of a `call_tool` that can be carried out, the call in it; anything else as it is.
pub fn unwrapped(snapshot: &Snapshot, caller: &Principal, ask: Ask) -> Ask {
    match &ask {
        Ask::CallTool { name, arguments } if name == Helper::Call.name() && snapshot.finder().is_some() => {
            inner(arguments)
                .filter(|(name, _)| is_known(snapshot, caller, name))
                .map_or_else(|| ask.clone(), |(name, arguments)| Ask::CallTool { name, arguments })
        }
        _ => ask,
    }
}

fn inner(arguments: &RawValue) -> Option<(String, Box<RawValue>)> {
    let Call { name, arguments } = serde_json::from_str(arguments.get()).ok()?;
    let arguments = match arguments {
        None => RawValue::from_string("{}".to_owned()).ok()?,
        Some(arguments) if arguments.get().starts_with('{') => arguments,
        Some(_) => return None,
    };
    Some((name, arguments))
}

fn is_known(snapshot: &Snapshot, caller: &Principal, name: &str) -> bool {
    let is_tool = || snapshot.tool_for(caller, name).is_some() || snapshot.task_tool(name, caller).is_some();
    name == Helper::Search.name() || (!is_reserved(name) && is_tool())
}

/// Why a `call_tool` that was not unwrapped cannot be carried out, for a model to read; its arguments fit the schema.
pub fn refusal(snapshot: &Snapshot, caller: &Principal, arguments: &RawValue) -> CallError {
    let shown = |name: &str| -> String { name.chars().take(SHOWN).collect() };
    let problems = match inner(arguments) {
        None => "at /arguments: an object is needed".to_owned(),
        Some((name, _)) if name == Helper::Call.name() => "at /name: it cannot call itself".to_owned(),
        Some((name, _)) => {
            let nearest = snapshot.finder().map(|finder| finder.nearest(&name, &finder.visible(caller)));
            let nearest = nearest.filter(|names| !names.is_empty()).map(|names| names.join(", "));
            let hint = nearest.map(|names| format!("; the nearest names are {names}")).unwrap_or_default();
            format!(
                "at /name: there is no tool {:?} that you may use{hint}; find one with search_tools",
                shown(&name)
            )
        }
    };
    CallError::InvalidArguments { tool: Helper::Call.name().to_owned(), problems }
}
