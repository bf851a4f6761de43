//! What of an upstream's tools is served, while it and the configuration change.

use crate::{
    mcp::{count, in_state, modern, pace, pool, pool_at, roster_until, tool, upstream},
    server::Server,
};
use mcpfleet_config::{
    Upstream, UpstreamTools,
    pin::{DefinitionHash, DefinitionPart},
    status::UpstreamState::{Connected, Unreachable},
};
use mcpfleet_runtime::{
    credentials::Credentials,
    upstream::{Absence, Pace, Roster},
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

fn filtered(server: &Server, tools: UpstreamTools) -> Vec<Upstream> {
    vec![Upstream { tools, ..upstream("up", &server.url("/mcp")) }]
}

fn names(roster: &Roster) -> Vec<&str> {
    roster.tools.iter().map(|tool| tool.exposed_name.as_str()).collect()
}

fn described(description: &str) -> Value {
    json!({"name": "t", "description": description, "inputSchema": {"type": "object"}})
}

fn pinning(definition: &Value) -> UpstreamTools {
    let hash = DefinitionHash::of(definition.as_object().unwrap()).to_string();
    UpstreamTools { pins: Some([("t".to_owned(), hash)].into()), ..UpstreamTools::default() }
}

#[tokio::test]
async fn a_filter_that_changes_needs_no_new_connection() {
    let server = Server::start(|seen| async move { modern(&seen, &[tool("a"), tool("b")]).unwrap() }).await;
    let pool = pool(&filtered(&server, UpstreamTools::default()));
    in_state(&pool, "up", Connected).await;
    let only_b = UpstreamTools { include: vec!["b".into()], ..UpstreamTools::default() };
    pool.apply(&filtered(&server, only_b), &Arc::new(Credentials::default()));
    assert_eq!(names(&pool.roster()), ["up_b"], "from now on, not from the next list on");
    pool.apply(&filtered(&server, UpstreamTools::default()), &Arc::new(Credentials::default()));
    assert_eq!(names(&pool.roster()), ["up_a", "up_b"]);
    assert_eq!(count(&server.seen(), "tools/list"), 1);
}

#[tokio::test]
async fn a_tool_that_changes_is_withheld_until_it_is_approved_or_changes_back() {
    let round = Arc::new(AtomicUsize::new(0));
    let now = round.clone();
    let server = Server::start(move |seen| {
        let text = ["good", "evil"][now.load(Ordering::SeqCst) % 2];
        async move { modern(&seen, &[described(text), tool("other")]).unwrap() }
    })
    .await;
    let pace = Pace { refresh: Duration::from_millis(5), ..pace() };
    let pool = pool_at(pace, &filtered(&server, pinning(&described("good"))));
    roster_until(&pool, |roster| names(roster) == ["up_t", "up_other"]).await;

    round.store(1, Ordering::SeqCst);
    let roster = roster_until(&pool, |roster| names(roster) == ["up_other"]).await;
    let status = &roster.status[0];
    assert_eq!((status.state, status.withheld_count, status.tools), (Connected, 1, 1));
    assert_eq!(status.withheld[0].difference, "description: \"good\" -> \"evil\"");
    assert_eq!(roster.missing[0].why, Absence::Changed(vec![DefinitionPart::Description]));

    pool.apply(&filtered(&server, pinning(&described("evil"))), &Arc::new(Credentials::default()));
    let roster = pool.roster();
    assert_eq!((names(&roster), roster.status[0].withheld_count), (vec!["up_t", "up_other"], 0));

    round.store(2, Ordering::SeqCst);
    roster_until(&pool, |roster| names(roster) == ["up_other"]).await;
    round.store(3, Ordering::SeqCst);
    roster_until(&pool, |roster| names(roster) == ["up_t", "up_other"]).await;
}

#[tokio::test]
async fn of_an_upstream_that_is_gone_for_long_the_names_are_remembered() {
    let server = Server::start(|seen| async move { modern(&seen, &[tool("t")]).unwrap() }).await;
    let pace = Pace { refresh: Duration::from_millis(5), keep_listed: Duration::ZERO, ..pace() };
    let pool = pool_at(pace, &filtered(&server, UpstreamTools::default()));
    in_state(&pool, "up", Connected).await;
    server.stop().await;
    let roster = roster_until(&pool, |roster| roster.tools.is_empty()).await;
    let status = &roster.status[0];
    assert_eq!(status.state, Unreachable);
    let error = status.last_error.as_ref().unwrap();
    assert_eq!((Some(&error.since), Some(&error.message)), (status.since.as_ref(), status.message.as_ref()));
    assert_eq!(
        (roster.missing[0].exposed_name.as_str(), &roster.missing[0].why),
        ("up_t", &Absence::Unreachable)
    );
}
