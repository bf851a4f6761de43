//! What really happened, for tests to read at `/ledger`.

use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The name of the session that stands for all requests without one.
const STATELESS: &str = "stateless";

/// How often the body of one tool (or `prompt:NAME`) did what.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Counts {
    /// Calls that began from nothing.
    began: u64,
    /// Calls that came again with the state of an earlier round.
    resumed: u64,
    /// Rounds that ended with `input_required`.
    asked: u64,
    /// Calls that came to their result.
    finished: u64,
    /// Calls that ended with an error of the protocol.
    refused: u64,
    /// Calls that ended because the client wanted no more of them.
    cancelled: u64,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Book {
    initialize: u64,
    live_sessions: BTreeSet<String>,
    tools: BTreeMap<String, Counts>,
    sessions: BTreeMap<String, BTreeMap<String, Counts>>,
    keys: BTreeMap<String, u64>,
    counted: BTreeMap<String, u64>,
    answers: BTreeMap<String, Vec<Value>>,
}

/// The book, shared by all sessions.
#[derive(Default)]
pub(crate) struct Ledger {
    book: Mutex<Book>,
    /// Where it is kept, for whoever cannot ask.
    file: Option<PathBuf>,
}

impl Ledger {
    /// One that is kept in a file as well, which has every change as soon as it is made.
    pub(crate) fn at(file: PathBuf) -> Self {
        let ledger = Self { book: Mutex::default(), file: Some(file) };
        ledger.change(|_| ());
        ledger
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, make: impl FnOnce(&mut Book) -> T) -> T {
        let mut book = self.book();
        let outcome = make(&mut book);
        if let Some(file) = &self.file {
            let fresh = file.with_extension("new");
            let kept = std::fs::write(&fresh, serde_json::to_vec(&*book).unwrap_or_default());
            // A ledger that cannot be kept lacks what the test looks for.
            drop(kept.and_then(|()| std::fs::rename(&fresh, file)));
        }
        outcome
    }

    /// The whole book as JSON.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&*self.book()).unwrap_or_default()
    }

    /// An `initialize` request came.
    pub(crate) fn initialize(&self) {
        self.change(|book| book.initialize += 1);
    }

    /// A session of this id is live from now on.
    pub(crate) fn opened(&self, session: &str) {
        self.change(|book| book.live_sessions.insert(session.to_owned()));
    }

    /// The client ended the session of this id.
    pub(crate) fn closed(&self, session: &str) {
        self.change(|book| book.live_sessions.remove(session));
    }

    /// Counts a use of `key`; returns how many there were.
    pub(crate) fn key(&self, key: &str) -> u64 {
        self.change(|book| {
            let count = book.keys.entry(key.to_owned()).or_default();
            *count += 1;
            *count
        })
    }

    /// Counts on in a session; returns how far it has come. Of calls at once each has a number of its own.
    pub(crate) fn count_on(&self, session: Option<&str>) -> u64 {
        self.change(|book| {
            let count = book.counted.entry(session.unwrap_or(STATELESS).to_owned()).or_default();
            *count += 1;
            *count
        })
    }

    /// The client answered a question of `tool`.
    pub(crate) fn answered(&self, tool: &str, answer: &Value) {
        self.change(|book| book.answers.entry(tool.to_owned()).or_default().push(answer.clone()));
    }

    /// Opens an entry for a call of `tool`; dropped without another end, it counts as cancelled.
    pub(crate) fn call(self: &Arc<Self>, tool: &str, session: Option<&str>, start: Start) -> Entry {
        let session = session.unwrap_or(STATELESS).to_owned();
        let entry = Entry { ledger: Arc::clone(self), tool: tool.to_owned(), session, end: End::Cancelled };
        entry.count(|counts| match start {
            Start::Anew => counts.began += 1,
            Start::Again => counts.resumed += 1,
        });
        entry
    }
}

/// How a call starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// From nothing.
    Anew,
    /// With the state of an earlier round.
    Again,
}

/// How a call ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Asked,
    Finished,
    Refused,
    Cancelled,
}

/// One call under way.
pub(crate) struct Entry {
    ledger: Arc<Ledger>,
    tool: String,
    session: String,
    end: End,
}

impl Entry {
    /// The call has come to this end.
    pub(crate) fn close(mut self, end: End) {
        self.end = end;
    }

    fn count(&self, add: impl Fn(&mut Counts)) {
        self.ledger.change(|book| {
            add(book.tools.entry(self.tool.clone()).or_default());
            let session = book.sessions.entry(self.session.clone()).or_default();
            add(session.entry(self.tool.clone()).or_default());
        });
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let end = self.end;
        self.count(|counts| match end {
            End::Asked => counts.asked += 1,
            End::Finished => counts.finished += 1,
            End::Refused => counts.refused += 1,
            End::Cancelled => counts.cancelled += 1,
        });
    }
}
