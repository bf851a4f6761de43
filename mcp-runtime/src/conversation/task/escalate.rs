//! Which calls become tasks of ours, and when.
//!
//! | tool | client | its call |
//! |---|---|---|
//! | says `async` | declares the extension | is a task at once |
//! | says `async` | any other | is one when it is started by `NAME_start` ([`super::tools`]); else an ordinary call |
//! | of a legacy upstream, lends itself (2025-11-25, server/tools, `execution.taskSupport`) | declares it | becomes one when it takes longer than [`HESITATION`] |

use super::{
    Tasks,
    drive::Follower,
    record::Record,
    wanted::{NotMade, Wanted},
};
use crate::{
    call::stack,
    catalog::merge::Target,
    conversation::{Answered, Client, Visit, exchange::Going},
    exchange::Ask,
};
use mcpfleet_protocol::{
    Era,
    jsonrpc::Id,
    server::Refusal,
    task::{EXTENSION, TaskSupport, required_capabilities},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// How long a call may take before it becomes a task: what is done by then, or asks for input, needs none.
pub(in crate::conversation) const HESITATION: Duration = Duration::from_millis(100);
/// How long a task is kept after its creation, work and result, whose tool does not say it.
pub(super) const LIFETIME: Duration = Duration::from_hours(1);

/// A call that becomes a task.
#[derive(Clone, Debug)]
pub(in crate::conversation) struct Escalation {
    tasks: Arc<Tasks>,
    wanted: Wanted,
    /// When.
    pub(in crate::conversation) moment: Moment,
    /// The answer that says so, when the client follows it by tools.
    pub(super) started: Option<super::tools::Started>,
}

/// When a call becomes a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::conversation) enum Moment {
    /// Before anything is begun; when it cannot, nothing is.
    AtOnce,
    /// When it takes long; when it cannot, it just goes on, for nobody was promised a task.
    Later,
}

/// What came of it.
pub(in crate::conversation) enum Made {
    /// The answer, which names the task.
    Task(Answered),
    /// There is none: the answer that says so.
    Refused(Answered),
    /// There is none, and the call goes on.
    GoesOn(Going),
}

impl Escalation {
    /// A task of `tool`, for a client that follows it by the extension's messages.
    pub(super) fn new(
        tasks: Arc<Tasks>,
        client: &Client,
        tool: &str,
        (ttl, moment): (Duration, Moment),
    ) -> Self {
        let partition = client.principal.fingerprint();
        let wanted = Wanted { tool: tool.to_owned(), partition, ttl, follower: Follower::Messages };
        Self { tasks, wanted, moment, started: None }
    }

    /// The same for a client that follows it by tools.
    pub(super) fn followed_by_tools(mut self, started: super::tools::Started) -> Self {
        self.wanted.follower = Follower::Tools;
        self.started = Some(started);
        self
    }

    /// Makes the task, in a task of its own: whoever waits for it may leave at any moment, and what was begun is then given
    /// up, in order.
    pub(in crate::conversation) fn make(self, going: Going, id: Id<'static>) -> oneshot::Receiver<Made> {
        let (told, made) = oneshot::channel();
        tokio::spawn(async move {
            let (key, made) = match self.tasks.make(going, &self.wanted).await {
                Ok((key, record)) => (Some(key), Made::Task(self.created(&record, &id))),
                Err((going, why)) => (None, self.not_made(going, &why, &id)),
            };
            if let (Err(_), Some(key)) = (told.send(made), key) {
                self.tasks.cancel_here(key);
            }
        });
        made
    }

    fn created(&self, record: &Record, id: &Id<'_>) -> Answered {
        let created = record.created(&self.tasks.server);
        match &self.started {
            Some(started) => started.answer(id, &created),
            None => Answered::success(id, &created),
        }
    }

    fn not_made(&self, going: Going, why: &NotMade, id: &Id<'_>) -> Made {
        match self.moment {
            Moment::AtOnce => Made::Refused(Answered::busy(id, &why.to_string(), why.retry_after())),
            Moment::Later => Made::GoesOn(going),
        }
    }
}

/// Whether a call becomes a task.
///
/// # Errors
/// -32021 when it must, and the client has not declared that it can follow one.
pub(in crate::conversation) fn escalation(
    visit: &Visit,
    client: &Client,
    (id, ask): (&Id<'_>, &Ask),
) -> Result<Option<Escalation>, Refusal> {
    let Ask::CallTool { name, .. } = ask else { return Ok(None) };
    if client.era() == Era::Legacy {
        return Ok(None);
    }
    let follows = client.capabilities.has_extension(EXTENSION);
    if let Some(ttl) = visit.snapshot.tool(name).and_then(|entry| entry.async_ttl) {
        return Ok(follows.then(|| at_once(visit, client, ask, (name, ttl))).flatten());
    }
    let later = || Escalation::new(visit.server.tasks.clone(), client, name, (LIFETIME, Moment::Later));
    match (support(visit, client, name), follows) {
        (TaskSupport::Forbidden, _) | (TaskSupport::Optional, false) => Ok(None),
        (TaskSupport::Required, false) => Err(Refusal::missing_capability(id, &required_capabilities())),
        (TaskSupport::Optional | TaskSupport::Required, true) => Ok(Some(later())),
    }
}

/// A call that cannot succeed is no task: its client is told at once.
pub(super) fn at_once(
    visit: &Visit,
    client: &Client,
    ask: &Ask,
    (tool, ttl): (&str, Duration),
) -> Option<Escalation> {
    stack::check(&visit.snapshot, ask, &client.principal).ok()?;
    Some(Escalation::new(visit.server.tasks.clone(), client, tool, (ttl, Moment::AtOnce)))
}

/// A modern upstream decides by itself. Whoever may not call a tool is not told more of it by the way that it fails.
fn support(visit: &Visit, client: &Client, tool: &str) -> TaskSupport {
    let Some(entry) = visit.snapshot.tool(tool) else { return TaskSupport::Forbidden };
    let legacy =
        |upstream: &str| visit.server.pool.line(upstream).is_ok_and(|line| line.era() == Era::Legacy);
    match (&entry.target, entry.task_support) {
        (_, TaskSupport::Forbidden) => TaskSupport::Forbidden,
        (Target::Upstream { upstream, .. }, support)
            if legacy(upstream) && client.principal.may_use(&entry.scopes, tool) =>
        {
            support
        }
        _ => TaskSupport::Forbidden,
    }
}
