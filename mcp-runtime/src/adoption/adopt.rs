//! Adopts a session: restores what is known of it, and says what is not.

use super::record::{self, Record};
use crate::{
    conversation::Visit,
    identity::Principal,
    session::{Live, Ticket},
};
use bytes::Bytes;
use mcpfleet_protocol::{Offered, json::JsonText, jsonrpc, server::LogLevel};
use serde_json::{json, value::to_raw_value};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopted {
    /// It is held here.
    Yes,
    /// Somebody else was faster.
    ByAnother,
    /// It was deleted.
    Ended,
}

/// What was remembered beyond the replica that held a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    /// What its client has said once.
    Kept,
    /// Nothing.
    Lost,
}

/// Adopts a session whose holders were found `gone`, for its client.
pub async fn adopt(visit: &Visit, caller: &Principal, ticket: &Ticket, gone: &[String]) -> Adopted {
    let (store, adoptions) = (&visit.server.store, &visit.shared.adoptions);
    if adoptions.is_here(ticket.key) {
        return Adopted::Yes;
    }
    let mut kept = None;
    if store.is_shared() {
        if record::is_ended(store, ticket.key).await == Ok(true) {
            return Adopted::Ended;
        }
        match record::take_over(store, ticket.key, &visit.shared.own_address(), gone).await {
            Ok(Some(record)) => kept = Some(record),
            Ok(None) => return Adopted::ByAnother,
            Err(error) => tracing::warn!(%error, "a session is adopted without what the store knows of it"),
        }
    }
    adoptions.take(ticket.key);
    if !visit.began(ticket) {
        let live = visit.server.sessions.live(ticket.key);
        let memory = if kept.is_some() { Memory::Kept } else { Memory::Lost };
        restore(visit, caller, &live, &kept.unwrap_or_default());
        if visit.snapshot.capabilities().logging == Offered::Yes {
            live.set_notice(notice(memory, &visit.server.pool.stateful()));
        }
        tracing::info!(server = visit.server.name, ?gone, ?memory, "a session was adopted");
    }
    Adopted::Yes
}

/// What its client has said once holds again.
fn restore(visit: &Visit, caller: &Principal, live: &Live, record: &Record) {
    let level = record.log_level.as_ref().and_then(|level| to_raw_value(level).ok());
    if let Some(level) = level.as_deref().and_then(LogLevel::read) {
        live.set_log_level(level);
    }
    for uri in &record.watched {
        // What the caller may no longer read, or is there no more, is not watched any more either.
        if let Ok(interest) = visit.interest(uri, caller) {
            // There were no more of them before.
            let _ = live.subscribe(uri, interest);
        }
    }
}

/// `notifications/message`: what was lost with the replica that held the session.
fn notice(memory: Memory, stateful: &[String]) -> Bytes {
    let mut lost = vec!["calls that were under way there (each may have taken effect)".to_owned()];
    if memory == Memory::Lost {
        lost.push("the log level and the watched resources: set and subscribe again what you had".to_owned());
    }
    if !stateful.is_empty() {
        lost.push(format!(
            "what these servers behind this one kept for the session: {}; it is begun anew there",
            stateful.join(", ")
        ));
    }
    let text = format!(
        "The replica that held this session is gone, and another one has taken it over. Lost, as far as there was any: {}.",
        lost.join("; ")
    );
    let params = json!({"level": LogLevel::Warning.as_str(), "logger": "mcpfleet", "data": text});
    jsonrpc::notification("notifications/message", Some(&JsonText::from(&params)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_named() {
        let text = |memory, stateful: &[&str]| {
            let stateful: Vec<String> = stateful.iter().map(|name| (*name).to_owned()).collect();
            let message: serde_json::Value = serde_json::from_slice(&notice(memory, &stateful)).unwrap();
            assert_eq!(
                (&message["method"], &message["params"]["level"]),
                (&json!("notifications/message"), &json!("warning"))
            );
            message["params"]["data"].as_str().unwrap().to_owned()
        };
        let kept = text(Memory::Kept, &[]);
        assert!(
            kept.contains("under way") && !kept.contains("log level") && !kept.contains("behind"),
            "{kept}"
        );
        let lost = text(Memory::Lost, &["files", "github"]);
        assert!(lost.contains("log level") && lost.contains("files, github"), "{lost}");
    }
}
