//! Clients behind a pool: what is known of them, what they are sent, and how they answer.

use mcpfleet_protocol::{Revision, server::LogLevel};
use mcpfleet_runtime::exchange::{
    Answer, Ask, Caller, Event, Events, Interest, Notice, Profile, Question, Request, Standing,
};
use serde_json::{Value, json, value::RawValue};
use std::sync::Arc;
use tokio::sync::oneshot;

pub(crate) struct Client(Profile);

impl Client {
    /// One of 2026-07-28 that can do nothing and wants nothing but the answer.
    pub(crate) fn modern(partition: u8) -> Self {
        Self(Profile {
            principal: mcpfleet_runtime::identity::Principal::anonymous(),
            revision: Revision::LATEST_MODERN,
            capabilities: raw(&json!({})).into(),
            partition: [partition; 16],
            session: None,
            standing: Standing::default(),
            log_level: None,
            progress: Interest::Unwanted,
        })
    }

    /// One of 2025-11-25 in this session.
    pub(crate) fn legacy(session: u8) -> Self {
        let Self(profile) = Self::modern(session);
        Self(Profile { revision: Revision::LATEST_LEGACY, session: Some([session; 16]), ..profile })
    }

    pub(crate) fn offering(self, capabilities: Value) -> Self {
        Self(Profile { capabilities: raw(&capabilities).into(), ..self.0 })
    }

    /// Asks for progress and for every log message.
    pub(crate) fn curious(self) -> Self {
        Self(Profile { progress: Interest::Wanted, log_level: Some(LogLevel::Debug), ..self.0 })
    }

    pub(crate) fn silent(self) -> Caller {
        Caller::silent(Arc::new(self.0))
    }

    pub(crate) fn listening(self) -> (Caller, Events) {
        Caller::new(Arc::new(self.0))
    }
}

pub(crate) fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap()
}

pub(crate) fn value(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap()
}

pub(crate) fn request(ask: Ask) -> Request {
    Request { ask, meta: None, resumption: None }
}

pub(crate) fn tool_call(tool: &str, arguments: &Value) -> Request {
    request(Ask::CallTool { name: tool.to_owned(), arguments: raw(arguments) })
}

/// The next thing that the client is sent, in short; a question stays unanswered.
pub(crate) async fn told(events: &mut Events) -> String {
    match events.recv().await.unwrap() {
        Event::Notice(Notice::Progress(params)) => format!("progress {params}"),
        Event::Notice(Notice::Log(level, params)) => format!("log {} {params}", level.as_str()),
        Event::Notice(Notice::Other { method, .. }) => method,
        Event::Question(question, _) => question.method,
    }
}

/// The next question; notices before it are passed over.
pub(crate) async fn asked(events: &mut Events) -> (Question, oneshot::Sender<Answer>) {
    loop {
        if let Event::Question(question, answer) = events.recv().await.unwrap() {
            return (question, answer);
        }
    }
}
