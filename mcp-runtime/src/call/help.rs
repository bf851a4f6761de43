//! Tool search, carried out: `search_tools`, and a `call_tool` that could not be unwrapped.

use super::{CallError, Outcome};
use crate::{
    catalog::{Snapshot, lists::View, task_tools::TaskTools},
    exchange::{Ask, Caller},
    search::{Finder, Helper, Ranking, Wanted, refusal},
    server::Server,
};
use mcpfleet_protocol::ClientCapabilities;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Carries one out. The arguments fit the helper's schema.
pub(super) async fn run(
    (server, snapshot): (&Server, &Snapshot),
    helper: Helper,
    arguments: &Map<String, Value>,
    (ask, caller): (&Ask, &Caller),
) -> Result<Outcome, CallError> {
    let principal = &caller.profile().principal;
    match (helper, snapshot.finder(), ask) {
        (Helper::Search, Some(finder), _) => {
            let (finder, wanted, visible) =
                (finder.clone(), Wanted::read(arguments), finder.visible(principal));
            let ranking = server.meaning.rank(snapshot, (&wanted.query, &visible), principal).await;
            let shown = (snapshot.task_tools().clone(), view(caller));
            Ok(Outcome::Made(search(finder, wanted, (visible, ranking), shown).await?))
        }
        (Helper::Call, _, Ask::CallTool { arguments, .. }) => Err(refusal(snapshot, principal, arguments)),
        // Helpers are routed to where there is a finder, and by a call.
        _ => Err(CallError::Unavailable { message: "tool search is off here; list the tools again".into() }),
    }
}

fn view(caller: &Caller) -> View {
    View::of(&ClientCapabilities::read(&caller.profile().capabilities))
}

/// The first search of a snapshot reads the whole catalogue: not on a thread that serves others.
async fn search(
    finder: Arc<Finder>,
    wanted: Wanted,
    (visible, ranking): (Vec<bool>, Ranking),
    (task_tools, view): (Arc<TaskTools>, View),
) -> Result<crate::call::ToolResult, CallError> {
    let work = move || {
        let found = finder.found(&wanted.query, &visible, ranking, wanted.limit);
        found.result((&task_tools, view))
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| CallError::Unavailable { message: "the search was interrupted; search again".into() })
}
