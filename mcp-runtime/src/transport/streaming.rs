//! The response to one POST: a JSON document, or an event stream when something is said before the answer.
//!
//! Which of the two is decided by what comes first: the answer, a message, or silence that lasts. A modern request is
//! driven by the response itself, so that closing the stream cancels it (2026-07-28, streamable HTTP, "Cancellation"); a
//! legacy one by a task that outlives the connection ("Disconnection SHOULD NOT be interpreted as the client cancelling
//! its request", 2025-11-25, transports).

use super::answer;
use crate::{
    conversation::{Answered, Exchange, Step},
    model::Body,
    session::Running,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use mcpfleet_protocol::{jsonrpc, server::Accepts, sse};
use std::time::Duration;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::{
    sync::CancellationToken,
    task::{AbortOnDropHandle, TaskTracker},
};

/// Longest silence of a stream, and how long a response may keep its client without a word.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How long a client may leave a message where it is.
const STALLED: Duration = Duration::from_mins(1);

/// Where the messages of one response come from.
pub enum Source {
    /// Nothing is left but the answer.
    Done(Option<Answered>),
    /// From the work itself, which ends with the response. As long as nothing was sent.
    Direct(Box<Exchange>),
    /// From a task, which ends with the response too, but whose deadlines run while the client does not read.
    Bound(mpsc::Receiver<Step>, AbortOnDropHandle<()>),
    /// From a task that does not end with the response.
    Driven(mpsc::Receiver<Step>),
}

impl Source {
    /// An exchange that ends with its response.
    pub fn direct(exchange: Exchange) -> Self {
        Self::Direct(Box::new(exchange))
    }

    /// An exchange that goes on to its end, or until its client says otherwise.
    /// `notice` goes before all that it says.
    pub fn driven(
        exchange: Exchange,
        (running, notice): (Option<Running>, Option<Bytes>),
        tasks: &TaskTracker,
    ) -> Self {
        let (out, steps) = mpsc::channel(1);
        if let Some(notice) = notice {
            // There is room: it is the first.
            let _ = out.try_send(Step::Message(notice));
        }
        tasks.spawn(drive(exchange, running, Unheard::GoesOn, out));
        Self::Driven(steps)
    }

    /// For a response that has begun: what comes is no longer awaited by whoever asked, but by whoever writes.
    fn bound(self) -> Self {
        match self {
            Self::Direct(exchange) => {
                let (out, steps) = mpsc::channel(1);
                let task = tokio::spawn(drive(*exchange, None, Unheard::GivesUp, out));
                Self::Bound(steps, AbortOnDropHandle::new(task))
            }
            other => other,
        }
    }

    /// An answer that is there already.
    pub const fn done(answered: Answered) -> Self {
        Self::Done(Some(answered))
    }

    async fn next(&mut self) -> Option<Step> {
        match self {
            Self::Done(answered) => answered.take().map(Step::Last),
            Self::Direct(exchange) => exchange.next().await,
            Self::Bound(steps, _) | Self::Driven(steps) => steps.recv().await,
        }
    }
}

/// What becomes of work whose client does not take what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// It is given up.
    GivesUp,
    /// It is carried out to its end; nothing more can be asked of the client.
    GoesOn,
}

/// Sends everything that an exchange says to `out`, to its end.
pub async fn drive(
    mut exchange: Exchange,
    running: Option<Running>,
    unheard: Unheard,
    out: mpsc::Sender<Step>,
) {
    let cancelled = running.as_ref().map_or_else(CancellationToken::new, |running| running.cancelled.clone());
    loop {
        let step = tokio::select! {
            () = cancelled.cancelled() => return,
            step = exchange.next() => step,
        };
        let Some(step) = step else { return };
        let taken = tokio::select! {
            () = cancelled.cancelled() => return,
            taken = timeout(STALLED, out.send(step)) => matches!(taken, Ok(Ok(()))),
        };
        match (taken, unheard) {
            (true, _) => {}
            (false, Unheard::GivesUp) => return,
            (false, Unheard::GoesOn) => exchange.unheard(),
        }
    }
}

/// The response.
pub async fn respond(mut source: Source, accepts: Accepts) -> Response<Body> {
    let first = match accepts {
        Accepts::JsonOnly => Ok(source.next().await),
        Accepts::Either | Accepts::EventStreamOnly => timeout(KEEP_ALIVE, source.next()).await,
    };
    match first {
        Ok(Some(Step::Last(answered))) => answer::answered(answered, accepts),
        Ok(Some(Step::Message(message))) => stream(source, Some(message)),
        Err(_) => stream(source, None),
        // "Receivers of a cancellation SHOULD NOT send a response" (2025-11-25, basic/utilities/cancellation).
        Ok(None) => answer::event_stream(answer::full(Bytes::new())),
    }
}

/// The response to a batch: an array of the answers, unless something is said before one of them.
pub async fn join(sources: Vec<Source>, accepts: Accepts) -> Response<Body> {
    let (out, mut steps) = mpsc::channel(sources.len());
    for mut source in sources {
        let out = out.clone();
        tokio::spawn(async move {
            while let Some(step) = source.next().await {
                // The client has left: what is carried out goes on in its own task.
                let _ = out.send(step).await;
            }
        });
    }
    drop(out);
    let mut answers = Vec::new();
    loop {
        let step = match accepts {
            Accepts::JsonOnly => Ok(steps.recv().await),
            Accepts::Either | Accepts::EventStreamOnly => timeout(KEEP_ALIVE, steps.recv()).await,
        };
        let Ok(step) = step else {
            return joined_stream(&answers, Bytes::from_static(sse::KEEP_ALIVE), steps);
        };
        let Some(step) = step else { break };
        match step {
            Step::Message(message) if accepts != Accepts::JsonOnly => {
                return joined_stream(&answers, event(&message), steps);
            }
            Step::Message(_) => {}
            // Its place is the next call's: the answer is in memory.
            Step::Last(answered) => answers.push(answered.holding(None)),
        }
    }
    let messages: Vec<Bytes> = answers.iter().map(|answered| answered.message.clone()).collect();
    answer::json(StatusCode::OK, jsonrpc::batch(&messages))
}

fn joined_stream(answers: &[Answered], first: Bytes, steps: mpsc::Receiver<Step>) -> Response<Body> {
    let said: Vec<Bytes> = answers.iter().map(|answered| event(&answered.message)).chain([first]).collect();
    let rest = stream::unfold(steps, |mut steps| async move {
        let frame = tokio::select! {
            biased;
            step = steps.recv() => match step? {
                Step::Message(message) | Step::Last(Answered { message, .. }) => event(&message),
            },
            () = sleep(KEEP_ALIVE) => Bytes::from_static(sse::KEEP_ALIVE),
        };
        Some((frame, steps))
    });
    let frames = stream::iter(said).chain(rest);
    answer::event_stream(Body::new(StreamBody::new(frames.map(|frame| Ok(Frame::data(frame))))))
}

fn stream(source: Source, first: Option<Bytes>) -> Response<Body> {
    let first = first.map_or_else(|| Bytes::from_static(sse::KEEP_ALIVE), |message| event(&message));
    let streaming = Streaming { source: Some(source.bound()), first: Some(first) };
    let frames = stream::unfold(streaming, Streaming::next);
    answer::event_stream(Body::new(StreamBody::new(frames.map(|frame| Ok(Frame::data(frame))))))
}

/// A response between two frames.
struct Streaming {
    /// Absent after the answer.
    source: Option<Source>,
    first: Option<Bytes>,
}

impl Streaming {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        if let Some(first) = self.first.take() {
            return Some((first, self));
        }
        let source = self.source.as_mut()?;
        let step = tokio::select! {
            biased;
            step = source.next() => step?,
            () = sleep(KEEP_ALIVE) => return Some((Bytes::from_static(sse::KEEP_ALIVE), self)),
        };
        let frame = match step {
            Step::Message(message) => event(&message),
            Step::Last(Answered { message, permit, .. }) => {
                drop(permit);
                self.source = None;
                event(&message)
            }
        };
        Some((frame, self))
    }
}

fn event(message: &Bytes) -> Bytes {
    sse::encode(&String::from_utf8_lossy(message), None)
}
