//! The work for one request, and what it says before it is done.

use super::{
    Answered, Client,
    input::{Digest, Waiting},
    suspended::{Parked, Suspended},
    task::{Escalation, HESITATION, Made, Moment},
};
use crate::exchange::{Answer, Deadline, Event, Events, Notice, Question, Unanswered};
use bytes::Bytes;
use mcpfleet_protocol::{
    Era, Revision,
    json::{JsonText, Members},
    jsonrpc::Id,
    message,
};
use serde_json::value::RawValue;
use std::{pin::Pin, sync::Arc, time::Duration};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};

/// How long to wait for further questions of the work before a modern client is asked the first: an upstream that asks
/// several things at once is to be answered in one round.
const GATHER: Duration = Duration::from_millis(20);

/// The work: ends with the answer. Dropping it cancels it, here and upstream.
pub(super) type Work = Pin<Box<dyn Future<Output = Answered> + Send>>;

/// What an exchange says next.
#[derive(Debug)]
pub enum Step {
    /// A message before the answer.
    Message(Bytes),
    /// The answer; nothing follows.
    Last(Answered),
}

/// Whether messages can be sent before the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// They can.
    Streamed,
    /// The client takes the answer only.
    AnswerOnly,
}

/// A request that is being carried out.
pub struct Exchange {
    /// Absent once it was put aside or has ended.
    going: Option<Going>,
    state: State,
    origin: Origin,
    waiting: Waiting,
    /// What it becomes, and when: at once without a moment, so that nothing is begun before.
    escalates: Option<(Option<Instant>, Escalation)>,
    /// The task that it is about to become: the work is there meanwhile.
    making: Option<oneshot::Receiver<Made>>,
    begun: Begun,
}

/// Which request the work was begun for: its answer bears that one's id.
enum Begun {
    Here,
    ByAnEarlierRequest,
}

/// The work, and what it says.
pub(super) struct Going {
    pub(super) work: Work,
    pub(super) events: Events,
    /// Of the work.
    pub(super) deadline: Deadline,
}

/// Where a request comes from.
pub(super) struct Origin {
    /// The id of the client's request.
    pub id: Id<'static>,
    /// Its progress token.
    pub token: Option<Id<'static>>,
    /// Who asks.
    pub client: Arc<Client>,
    /// Whether messages can be sent before the answer.
    pub delivery: Delivery,
    /// Where the work goes while a modern client is asked.
    pub suspended: Arc<Suspended>,
    /// What binds its retry to it.
    pub digest: Digest,
}

enum State {
    Working,
    /// Nothing more can be said before the answer.
    Silent,
    /// Questions wait for a modern client until this moment, in case that there are more.
    Gathering(Instant),
    /// The answer is there, and is sent after what was said before it.
    Done(Box<Answered>),
}

enum Next {
    Event(Event),
    Deaf,
    Ask,
    Escalate,
    Answered(Answered),
}

impl Exchange {
    /// An exchange that has just begun.
    pub(super) fn new(going: Going, origin: Origin, escalation: Option<Escalation>) -> Self {
        let begun = Self {
            going: Some(going),
            state: State::Working,
            origin,
            waiting: Waiting::default(),
            escalates: None,
            making: None,
            begun: Begun::Here,
        };
        let at = |escalation: &Escalation| match escalation.moment {
            Moment::AtOnce => None,
            Moment::Later => Some(Instant::now() + HESITATION),
        };
        Self { escalates: escalation.map(|escalation| (at(&escalation), escalation)), ..begun }
    }

    /// The exchange after a retry. Questions that the retry has not answered are asked again.
    pub(super) fn continued(
        going: Going,
        waiting: Waiting,
        origin: Origin,
        escalation: Option<Escalation>,
    ) -> Self {
        let state =
            if waiting.is_empty() { State::Working } else { State::Gathering(Instant::now() + GATHER) };
        let begun = Begun::ByAnEarlierRequest;
        Self { state, waiting, begun, ..Self::new(going, origin, escalation) }
    }

    /// The same, with something that is kept for as long as the work lasts, wherever that goes on.
    #[must_use]
    pub fn keeping(mut self, kept: impl Send + 'static) -> Self {
        if let Some(going) = &mut self.going {
            let work = std::mem::replace(&mut going.work, Box::pin(std::future::pending()));
            going.work = Box::pin(async move {
                let answered = work.await;
                drop(kept);
                answered
            });
        }
        self
    }

    /// What is said next; `None` after the last.
    ///
    /// Cancel safe: what was not returned is returned by the next call.
    pub async fn next(&mut self) -> Option<Step> {
        if matches!(self.escalates, Some((None, _))) {
            self.escalate();
        }
        loop {
            if let Some(making) = &mut self.making {
                let made = making.await;
                self.making = None;
                if let Some(answered) = self.made(made.ok()) {
                    return Some(Step::Last(answered));
                }
            }
            let Some(going) = &mut self.going else { break };
            if matches!(self.state, State::Done(_)) && going.events.is_empty() {
                self.going = None;
                break;
            }
            match wait(going, &self.state, self.escalates.as_ref().and_then(|(at, _)| *at)).await {
                Next::Deaf => self.state = State::Silent,
                Next::Answered(answered) => self.answered(answered),
                Next::Ask => return self.suspend().map(Step::Last),
                Next::Escalate => self.escalate(),
                Next::Event(event) => {
                    if let Some(message) = self.event(event) {
                        return Some(Step::Message(message));
                    }
                }
            }
        }
        match std::mem::replace(&mut self.state, State::Silent) {
            State::Done(answered) => Some(Step::Last(*answered)),
            _ => None,
        }
    }

    fn answered(&mut self, answered: Answered) {
        let answered = match self.begun {
            Begun::Here => answered,
            Begun::ByAnEarlierRequest => answered.under(&self.origin.id),
        };
        self.state = State::Done(Box::new(answered));
    }

    /// The client takes nothing more: it can neither be told anything nor be asked.
    pub fn unheard(&mut self) {
        self.origin.delivery = Delivery::AnswerOnly;
    }

    fn event(&mut self, event: Event) -> Option<Bytes> {
        match event {
            Event::Notice(notice) => self.notice(&notice),
            Event::Question(question, reply) => self.question(question, reply),
        }
    }

    fn notice(&self, notice: &Notice) -> Option<Bytes> {
        let Origin { token, client, delivery, .. } = &self.origin;
        if *delivery == Delivery::AnswerOnly {
            return None;
        }
        match notice {
            Notice::Progress(params) => {
                token.as_ref().map(|token| message::progress(token, Some(params), client.revision))
            }
            Notice::Log(_, params) => Some(message::log(params)),
            Notice::Other { method, params } => other(method, params.as_deref(), client.revision),
        }
    }

    /// A legacy client is asked at once; for a modern one the question is kept for `input_required`.
    fn question(&mut self, question: Question, reply: oneshot::Sender<Answer>) -> Option<Bytes> {
        let Origin { client, delivery, .. } = &self.origin;
        if client.era() == Era::Modern {
            self.waiting.add(question, reply);
            if matches!(self.state, State::Working | State::Silent) {
                self.state = State::Gathering(Instant::now() + GATHER);
            }
            return None;
        }
        let Some(live) = client.live.as_ref().filter(|_| *delivery == Delivery::Streamed) else {
            // Whoever asked may be gone.
            let _ = reply.send(Err(Unanswered::NotOffered { method: question.method }));
            return None;
        };
        let id = live.expect(reply);
        let params = question.params.as_deref().map(JsonText::from);
        Some(message::request(&id, &question.method, params.as_ref()))
    }

    /// Makes a task of the work.
    fn escalate(&mut self) {
        if let (Some((_, escalation)), Some(going)) = (self.escalates.take(), self.going.take()) {
            self.making = Some(escalation.make(going, self.origin.id.clone()));
        }
    }

    /// The answer, unless there is no task and the work goes on.
    fn made(&mut self, made: Option<Made>) -> Option<Answered> {
        self.state = State::Working;
        match made {
            Some(Made::Task(answered) | Made::Refused(answered)) => Some(answered),
            Some(Made::GoesOn(going)) => {
                self.going = Some(going);
                None
            }
            None => Some(Answered::broken()),
        }
    }

    /// Puts the work aside and asks the client.
    fn suspend(&mut self) -> Option<Answered> {
        let going = self.going.take()?;
        self.state = State::Silent;
        let waiting = std::mem::take(&mut self.waiting);
        let parked = Parked::new(going, waiting, self.origin.client.principal.fingerprint());
        Some(self.origin.suspended.park(parked, &self.origin))
    }
}

/// What the client's revision knows of the rest: that a page was left on which a person was asked something.
fn other(method: &str, params: Option<&RawValue>, revision: Revision) -> Option<Bytes> {
    if method != "notifications/elicitation/complete" {
        return None;
    }
    let id = Members::read(params?)?
        .get("elicitationId")
        .and_then(|id| serde_json::from_str::<String>(id.get()).ok())?;
    message::elicitation_complete(&id, revision)
}

async fn wait(going: &mut Going, state: &State, escalates: Option<Instant>) -> Next {
    let (until, then) = match state {
        // There is an event: the caller has looked.
        State::Done(_) => return going.events.recv().await.map_or(Next::Deaf, Next::Event),
        State::Gathering(until) => (Some(*until), Next::Ask),
        State::Working | State::Silent => (escalates, Next::Escalate),
    };
    let speaks = !matches!(state, State::Silent);
    tokio::select! {
        biased;
        event = going.events.recv(), if speaks => event.map_or(Next::Deaf, Next::Event),
        answered = &mut going.work => Next::Answered(answered),
        () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => then,
    }
}
