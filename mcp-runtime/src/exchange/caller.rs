//! Whoever made a request, as those who carry it out see him.

use super::{place::Place, standing::Standing};
use crate::{
    admission::{Blocked, Permit},
    identity::Principal,
};
use mcpfleet_protocol::{Revision, json::JsonText, server::LogLevel};
use serde_json::value::RawValue;
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

/// Messages that wait for a client that reads slowly. More make whoever sends them wait.
pub(super) const BACKLOG: usize = 16;
/// How long a client may take to answer a question: a person reads, thinks and types.
pub(super) const PATIENCE: Duration = Duration::from_mins(10);

/// What is known of the client for the length of one request.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The revision that it speaks.
    pub revision: Revision,
    /// Its capabilities: an object.
    pub capabilities: Arc<RawValue>,
    /// Whose upstream sessions it may share: equal for equal principals.
    pub partition: [u8; 16],
    /// Who it is.
    pub principal: Arc<Principal>,
    /// The legacy session that it speaks in; `None` for a modern client.
    pub session: Option<[u8; 16]>,
    /// The way to it outside its requests; leads nowhere but in a session.
    pub standing: Standing,
    /// Least severe log message that it wants; none without it.
    pub log_level: Option<LogLevel>,
    /// Whether it asked for progress.
    pub progress: Interest,
}

/// Whether somebody wants something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// They do.
    Wanted,
    /// They do not: sending it anyway would break the protocol.
    Unwanted,
}

/// The way back to a client while its request runs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller {
    profile: Arc<Profile>,
    events: Option<mpsc::Sender<Event>>,
    place: Arc<Place>,
    lacking: Arc<OnceLock<JsonText>>,
    /// Whether anything went to it before the answer.
    spoken: Arc<AtomicBool>,
}

/// The deadline of a request under way.
#[derive(Clone, Debug)]
pub struct Deadline(Arc<Place>);

impl Deadline {
    /// There is none any more: somebody else bounds the request's time.
    pub fn lift(&self) {
        self.0.lift_deadline();
    }
}

/// The transport's end: what is to be sent before the answer.
pub type Events = mpsc::Receiver<Event>;

/// Something that comes before the answer.
#[derive(Debug)]
pub enum Event {
    /// To be sent.
    Notice(Notice),
    /// To be sent, and answered.
    Question(Question, oneshot::Sender<Answer>),
}

/// A notification about the request.
#[derive(Debug)]
pub enum Notice {
    /// `notifications/progress`: its params without `progressToken`, which is each hop's own.
    Progress(Box<RawValue>),
    /// `notifications/message`: its params.
    Log(LogLevel, Box<RawValue>),
    /// Anything else that a server sends while it works, such as `notifications/elicitation/complete`.
    Other {
        /// Its method.
        method: String,
        /// Its params.
        params: Option<Box<RawValue>>,
    },
}

/// What a server wants of the client in the middle of a request: `elicitation/create`, `sampling/createMessage`,
/// `roots/list`.
#[derive(Debug)]
pub struct Question {
    /// The method.
    pub method: String,
    /// Its params.
    pub params: Option<Box<RawValue>>,
}

/// The client's result, or why there is none.
pub type Answer = Result<Box<RawValue>, Unanswered>;

/// The time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

/// Why a question has no result.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The client answered with a JSON-RPC error.
    #[error("the client refused it: {message}")]
    Refused {
        /// JSON-RPC code.
        code: i64,
        /// For people.
        message: String,
        /// Whatever the client adds.
        data: Option<Box<RawValue>>,
    },
    /// The client cannot be asked that: it has not declared the capability, or nothing leads to it.
    #[error("the client does not offer {method}")]
    NotOffered {
        /// The method.
        method: String,
    },
    /// It is asked outside any request of its own, and has no stream open on which that could reach it.
    #[error(
        "no client can be asked {method} here: none has a stream open for requests outside its own; ask in the middle of a call"
    )]
    OutOfReach {
        /// The method.
        method: String,
    },
    /// The client has left, or did not answer in time.
    #[error("the client did not answer")]
    Gone,
}

impl Caller {
    /// A caller and what is to be sent to it.
    pub fn new(profile: Arc<Profile>) -> (Self, Events) {
        let (events, receiver) = mpsc::channel(BACKLOG);
        (Self { events: Some(events), ..Self::silent(profile) }, receiver)
    }

    /// A caller that takes the answer only.
    pub fn silent(profile: Arc<Profile>) -> Self {
        let (place, lacking, spoken) = (Arc::default(), Arc::default(), Arc::default());
        Self { profile, events: None, place, lacking, spoken }
    }

    /// What is known of it.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Sends a notice, unless the client has not asked for such, or cannot take any. Waits while it reads slowly.
    pub async fn notify(&self, notice: Notice) {
        let wanted = match &notice {
            Notice::Progress(_) => self.profile.progress == Interest::Wanted,
            Notice::Log(level, _) => self.profile.log_level.is_some_and(|least| *level >= least),
            Notice::Other { .. } => true,
        };
        if let Some(events) = self.events.as_ref().filter(|_| wanted) {
            self.spoken.store(true, Ordering::Relaxed);
            // Nobody listens any more: whoever waits for the answer is told by other means.
            let _ = events.send(Event::Notice(notice)).await;
        }
    }

    /// Asks the client and waits for its answer: for a legacy client as long as the connection lasts, for a modern one
    /// the call is suspended until the retry comes. Check capabilities before.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub async fn ask(&self, question: Question) -> Answer {
        let method = question.method.clone();
        let events = self.events.as_ref().ok_or(Unanswered::NotOffered { method })?;
        self.spoken.store(true, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        let _aside = self.place.aside();
        events.send(Event::Question(question, reply)).await.map_err(|_| Unanswered::Gone)?;
        let answer = timeout(PATIENCE, answer).await;
        self.place.back().await;
        answer.ok().and_then(Result::ok).unwrap_or(Err(Unanswered::Gone))
    }

    /// Whether anything was sent to it, or asked of it, already.
    pub fn has_spoken(&self) -> bool {
        self.spoken.load(Ordering::Relaxed)
    }

    /// It was to be asked something that it has not declared: `required` capabilities. The first such is kept.
    pub fn lacks(&self, required: JsonText) {
        let _ = self.lacking.set(required);
    }

    /// What it would have had to declare.
    pub fn lacking(&self) -> Option<&JsonText> {
        self.lacking.get()
    }

    /// The request has got its place in execution. It is given back while the client is asked something.
    pub fn hold(&self, permit: Permit) {
        self.place.hold(permit);
    }

    /// What lifts the deadline of the request, for whoever makes a task of it.
    pub fn deadline(&self) -> Deadline {
        Deadline(self.place.clone())
    }

    /// The request waits for something that more replicas would not give it, as long as the guard lives.
    pub fn blocked(&self) -> Option<Blocked> {
        self.place.blocked()
    }

    /// The place in execution, to be kept until the answer is written.
    pub fn release(&self) -> Option<Permit> {
        self.place.release()
    }

    /// Runs `work` for at most `limit`, not counting the time in which the client was asked something.
    ///
    /// # Errors
    /// [`Elapsed`].
    pub async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Result<T, Elapsed> {
        self.place.within(limit, work).await
    }
}
