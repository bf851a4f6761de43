//! A program that is declared: how often it may run, and when again.

use super::{
    environment,
    minder::{End, LONGEST},
    process::{Order, Output, Process},
    restart::Restart,
};
use crate::{
    credentials::Secret,
    program::log::{Allowance, printable},
    upstream::Pace,
};
use mcpfleet_config::Processes;
use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

/// Most processes of one program, those that are about to end among them.
pub const MAX_PROCESSES: usize = 16;
/// Bytes of a line that is no message which the log shows.
const SHOWN: usize = 200;

/// A program and its processes.
#[derive(Debug)]
pub struct Program {
    upstream: String,
    command: Vec<String>,
    environment: BTreeMap<String, Secret>,
    processes: Processes,
    pace: Pace,
    /// For processes of sessions.
    places: Arc<Semaphore>,
    /// For the one that lists: were it left to those of sessions to make room for it, none would ever, for without a list
    /// no session is used.
    place_to_list: Arc<Semaphore>,
    restart: Mutex<Restart>,
    is_legacy: AtomicBool,
    garbage: AtomicU64,
    told: Mutex<Allowance>,
}

/// What a process is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seat {
    /// It lists, and serves all calls where it is shared.
    Lists,
    /// One session.
    Session,
}

/// Why there is no process.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// The system starts no more processes.
    #[error("its program cannot be started: {0}")]
    Spawn(String),
    /// It keeps ending.
    #[error("{why}, again; it is started anew in {} s", .wait.as_secs() + 1)]
    Resting {
        /// How it has ended the last time.
        why: String,
        /// Until it may be started.
        wait: Duration,
    },
    /// There are enough of them.
    #[error("all of its {MAX_PROCESSES} processes are in use; try again later")]
    TooMany,
    /// It has never run.
    #[error("{0}")]
    Unstartable(End),
    /// It is gone in the middle of something.
    #[error("{0} before it answered; whether the request took effect is unknown")]
    Ended(End),
}

impl From<End> for ProgramError {
    fn from(end: End) -> Self {
        if end.is_unstartable() { Self::Unstartable(end) } else { Self::Ended(end) }
    }
}

impl Program {
    /// A program that does not run yet.
    pub fn new(
        upstream: &str,
        (command, environment): (&[String], BTreeMap<String, Secret>),
        processes: Processes,
        pace: Pace,
    ) -> Arc<Self> {
        Arc::new(Self {
            upstream: upstream.to_owned(),
            command: command.to_vec(),
            environment,
            processes,
            pace,
            places: Arc::new(Semaphore::new(MAX_PROCESSES - 1)),
            place_to_list: Arc::new(Semaphore::new(1)),
            restart: Mutex::default(),
            is_legacy: AtomicBool::default(),
            garbage: AtomicU64::default(),
            told: Mutex::new(Allowance::new()),
        })
    }

    /// Who shares a process.
    pub fn processes(&self) -> Processes {
        self.processes
    }

    /// Starts a process whose lines are kept up to `max_line` bytes. `greeted` is for whoever says hello to it: one that
    /// ends before that counts against the program, and one that is nobody's own does always.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn start(
        self: &Arc<Self>,
        max_line: usize,
        seat: Seat,
        greeted: Arc<AtomicBool>,
    ) -> Result<(Process, Output), ProgramError> {
        if let Some((why, wait)) = lock(&self.restart).resting(Instant::now()) {
            return Err(ProgramError::Resting { why: why.to_owned(), wait });
        }
        // One that is about to end gives its place soon.
        let places = match seat {
            Seat::Lists => &self.place_to_list,
            Seat::Session => &self.places,
        };
        let place = timeout(LONGEST, places.clone().acquire_owned()).await;
        let Ok(Ok(place)) = place else { return Err(ProgramError::TooMany) };
        let environment = environment::whole(&self.environment, std::env::vars_os());
        let (upstream, command) = (self.upstream.clone(), self.command.clone());
        let order = Order { upstream, command, environment, max_line };
        let (program, since) = (self.clone(), Instant::now());
        let ended = move |end| {
            drop(place);
            program.ended(end, since.elapsed(), (seat, greeted.load(Ordering::Relaxed)));
        };
        let started = Process::start(order, ended).await;
        started.map_err(|error: io::Error| {
            let why = ProgramError::Spawn(error.to_string());
            lock(&self.restart).ended(Duration::ZERO, &self.pace, &why.to_string());
            why
        })
    }

    /// Whether it is known to be no modern server, so that asking it would only cost time, or its life.
    pub fn is_legacy(&self) -> bool {
        self.is_legacy.load(Ordering::Relaxed)
    }

    /// Notes that it is none. If it has died of being asked, that was no fault of its own.
    pub fn found_legacy(&self) {
        self.is_legacy.store(true, Ordering::Relaxed);
        *lock(&self.restart) = Restart::default();
    }

    /// Whether a process for another session can be started at once.
    pub fn has_room(&self) -> bool {
        self.places.available_permits() > 0
    }

    /// Notes a line that is no message; says whether it is the first.
    pub fn wrote_garbage(&self, line: &[u8]) -> bool {
        let before = self.garbage.fetch_add(1, Ordering::Relaxed);
        if lock(&self.told).admit(Instant::now()).is_some() {
            let line = printable(&line[..line.len().min(SHOWN)]);
            tracing::warn!(upstream = self.upstream, line, "no message on standard output: passed over");
        }
        before == 0
    }

    /// What there is to complain of, for whoever runs the server.
    pub fn complaint(&self) -> Option<String> {
        let lines = self.garbage.load(Ordering::Relaxed);
        (lines > 0).then(|| {
            format!("its program has written {lines} lines to standard output that are no messages; the log shows some")
        })
    }

    fn ended(&self, end: End, lived: Duration, (seat, greeted): (Seat, bool)) {
        if end == End::Stopped {
            return;
        }
        tracing::warn!(upstream = self.upstream, lived_ms = lived.as_millis(), "{end}");
        // What one session does to its own process must not keep others from having theirs.
        if seat == Seat::Lists || !greeted {
            lock(&self.restart).ended(lived, &self.pace, &end.to_string());
        }
    }
}

/// Nothing that runs under a lock leaves it half written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
