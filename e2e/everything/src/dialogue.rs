//! A call and its conversation with the client: asking for input the way of the client's era, progress and log messages.
//!
//! A tool asks the same way in both eras. In a legacy session the questions are requests to the client, in the middle of
//! the call. In 2026-07-28 (`basic/patterns/mrtr`) they end the request; the client sends it again with the answers, the
//! body runs again from its beginning and finds them given.

mod question;
mod session;

pub(crate) use question::Question;
pub(crate) use session::Session;

use crate::shared::Shared;
use rmcp::ErrorData;
use rmcp::model::{
    InputRequest, InputRequiredResult, InputResponses, JsonObject, LoggingLevel,
    LoggingMessageNotificationParam, ProgressNotificationParam, ProtocolVersion, SealOptions,
};
use rmcp::service::{RequestContext, RoleServer, ServiceError};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the answers of earlier rounds are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// Nowhere: there is one round, and no `requestState`.
    None,
    /// Sealed, with the client.
    State,
}

/// Why the body of a call ends before its result.
pub(crate) enum Stop {
    /// It needs input.
    Asks(InputRequiredResult),
    /// An error of the protocol.
    Refused(ErrorData),
    /// An error that the tool reports as its result.
    Failed(String),
    /// The client wants no more of it.
    Cancelled,
}

impl From<ErrorData> for Stop {
    fn from(error: ErrorData) -> Self {
        Self::Refused(error)
    }
}

/// What a client sends with a request that it makes again.
#[derive(Default)]
pub(crate) struct Retry {
    pub(crate) responses: Option<InputResponses>,
    pub(crate) state: Option<String>,
}

/// One call of a tool or prompt.
pub(crate) struct Call {
    /// Name of the tool, or `prompt:NAME`.
    pub(crate) name: String,
    pub(crate) arguments: JsonObject,
    pub(crate) cx: RequestContext<RoleServer>,
    pub(crate) shared: Arc<Shared>,
    session: Arc<Session>,
    /// Answers of earlier rounds, from the opened state.
    remembered: BTreeMap<String, Value>,
    /// Answers that came with this request.
    given: BTreeMap<String, Value>,
}

impl Call {
    /// # Errors
    /// Invalid params for a state that this server did not seal for this tool.
    pub(crate) fn new(
        name: String,
        arguments: JsonObject,
        retry: Retry,
        cx: RequestContext<RoleServer>,
        shared: &Arc<Shared>,
        session: &Arc<Session>,
    ) -> Result<Self, ErrorData> {
        let remembered = match &retry.state {
            None => BTreeMap::new(),
            Some(state) => shared.state.open_json_with(state, name.as_bytes()).map_err(|error| {
                ErrorData::invalid_params(format!("requestState is not one of this tool: {error}"), None)
            })?,
        };
        let given = retry.responses.unwrap_or_default();
        let (shared, session) = (Arc::clone(shared), Arc::clone(session));
        Ok(Self { name, arguments, cx, shared, session, remembered, given })
    }

    /// Whether the client speaks 2026-07-28 or later in this request.
    pub(crate) fn is_modern(&self) -> bool {
        self.cx.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
    }

    /// A string argument.
    pub(crate) fn text(&self, argument: &str) -> Option<&str> {
        self.arguments.get(argument).and_then(Value::as_str)
    }

    /// A whole number not below zero.
    pub(crate) fn number(&self, argument: &str) -> Option<u64> {
        self.arguments.get(argument).and_then(Value::as_u64)
    }

    /// Whether the client said that it can answer `method`.
    pub(crate) fn can_answer(&self, question: &Question) -> bool {
        self.cx.client_capabilities().is_some_and(|capabilities| question.is_within(&capabilities))
    }

    /// Asks the client, and returns its answers in the order of the questions.
    ///
    /// # Errors
    /// `Stop::Asks` while answers are missing in the modern era; `Refused` for a malformed answer or a capability that
    /// the client has not declared; `Failed` when a legacy client answers with an error.
    pub(crate) async fn ask(&self, questions: &[Question], memory: Memory) -> Result<Vec<Value>, Stop> {
        if self.is_modern() {
            self.ask_by_result(questions, memory)
        } else {
            let asked = questions.iter().map(|question| self.ask_by_request(question));
            futures::future::try_join_all(asked).await
        }
    }

    fn ask_by_result(&self, questions: &[Question], memory: Memory) -> Result<Vec<Value>, Stop> {
        if let Some(question) = questions.iter().find(|question| !self.can_answer(question)) {
            return Err(question.missing_capability()?.into());
        }
        let mut answers = Vec::with_capacity(questions.len());
        let mut open = BTreeMap::new();
        for question in questions {
            match self.answer(question)? {
                Some(answer) => answers.push(answer),
                None => drop(open.insert(question.key.to_owned(), question.request.clone())),
            }
        }
        if open.is_empty() {
            return Ok(answers);
        }
        let state = match memory {
            Memory::None => None,
            Memory::State => Some(self.sealed()?),
        };
        Err(Stop::Asks(InputRequiredResult::new(Some(open), state)))
    }

    fn answer(&self, question: &Question) -> Result<Option<Value>, ErrorData> {
        if let Some(given) = self.given.get(question.key) {
            question.check(given)?;
            self.shared.ledger.answered(&self.name, given);
            return Ok(Some(given.clone()));
        }
        Ok(self.remembered.get(question.key).cloned())
    }

    /// All answers so far, for the next round.
    fn sealed(&self) -> Result<String, ErrorData> {
        let mut answers = self.remembered.clone();
        answers.extend(self.given.clone());
        let options = SealOptions::new().associated_data(self.name.as_bytes());
        let sealed = self.shared.state.seal_json_with(&answers, &options);
        sealed.map_err(|error| ErrorData::internal_error(error.to_string(), None))
    }

    async fn ask_by_request(&self, question: &Question) -> Result<Value, Stop> {
        let answer = match question.request.clone() {
            InputRequest::Elicitation(request) => {
                json_of(self.cx.peer.create_elicitation(request.params).await)
            }
            InputRequest::CreateMessage(request) => {
                json_of(self.cx.peer.create_message(request.params).await)
            }
            InputRequest::ListRoots(_) => json_of(self.cx.peer.list_roots().await),
            _ => Err("no way to ask this".to_owned()),
        };
        let answer = answer.map_err(Stop::Failed)?;
        self.shared.ledger.answered(&self.name, &answer);
        Ok(answer)
    }

    /// Sends `notifications/progress`, if the client gave a token.
    pub(crate) async fn progress(&self, progress: u64, total: u64) {
        let Some(token) = self.cx.meta.get_progress_token() else { return };
        // Far below 2^52, so that no precision is lost.
        #[expect(clippy::cast_precision_loss)]
        let param = ProgressNotificationParam::new(token, progress as f64).with_total(total as f64);
        // A client that is gone cancels the call.
        drop(self.cx.peer.notify_progress(param).await);
    }

    /// Sends `notifications/message` at level `info`, if the client wants it: a legacy one unless it set a higher level,
    /// a modern one only if the request says so.
    pub(crate) async fn log(&self, text: &str) {
        let wanted = if self.is_modern() { self.cx.meta.log_level() } else { Some(self.session.level()) };
        if wanted.is_none_or(|wanted| session::severity(LoggingLevel::Info) < session::severity(wanted)) {
            return;
        }
        let param =
            LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(text)).with_logger("everything");
        drop(self.cx.peer.notify_logging_message(param).await);
    }

    /// The legacy session of the call.
    pub(crate) fn session_id(&self) -> Option<String> {
        let parts = self.cx.extensions.get::<http::request::Parts>()?;
        Some(parts.headers.get("mcp-session-id")?.to_str().ok()?.to_owned())
    }
}

fn json_of<T: serde::Serialize>(answer: Result<T, ServiceError>) -> Result<Value, String> {
    let answer = answer.map_err(|error| error.to_string())?;
    serde_json::to_value(answer).map_err(|error| error.to_string())
}
