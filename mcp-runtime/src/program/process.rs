//! One process of a program.

use super::{
    lines::Lines,
    log,
    minder::{self, End, GRACE},
    spawner,
};
use bytes::Bytes;
use std::{collections::BTreeMap, ffi::OsString, io, process::Stdio};
use tokio::{
    io::{AsyncWriteExt as _, BufReader},
    process::{ChildStdin, ChildStdout, Command},
    sync::{mpsc, watch},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Messages that wait to be written. Each may be of the largest size; then those who want to say something wait.
const QUEUE: usize = 16;
/// Ourselves, even if the file was replaced since.
const OURSELVES: &str = "/proc/self/exe";

/// What a process says, line by line.
pub type Output = Lines<BufReader<ChildStdout>>;

/// A process. Dropping it ends it, in good order and in the background.
#[derive(Debug)]
pub struct Process {
    input: mpsc::Sender<Bytes>,
    ended: watch::Receiver<Option<End>>,
    _stop: DropGuard,
}

/// What is to be started.
pub(super) struct Order {
    pub(super) upstream: String,
    pub(super) command: Vec<String>,
    pub(super) environment: BTreeMap<OsString, OsString>,
    /// Largest line of its output that is kept, in bytes.
    pub(super) max_line: usize,
}

impl Process {
    /// Starts it; `ended` is told how it ends.
    ///
    /// # Errors
    /// The system starts no more processes.
    pub(super) async fn start(
        order: Order,
        ended: impl FnOnce(End) + Send + 'static,
    ) -> io::Result<(Self, Output)> {
        // In a task of its own: whoever no longer waits for it drops what was started, and that ends it.
        tokio::spawn(Self::started(order, ended)).await.map_err(io::Error::other)?
    }

    async fn started(order: Order, ended: impl FnOnce(End) + Send + 'static) -> io::Result<(Self, Output)> {
        let mut child = spawner::spawn(command(&order)).await?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let missing = || io::Error::other("a process without pipes");
        let (stdin, stdout) = (stdin.ok_or_else(missing)?, stdout.ok_or_else(missing)?);
        if let Some(stderr) = stderr {
            tokio::spawn(log::follow(order.upstream, stderr));
        }
        let stop = minder::stop_token();
        let (input, messages) = mpsc::channel(QUEUE);
        tokio::spawn(write(messages, stdin, stop.clone()));
        let (tell, told) = watch::channel(None);
        minder::mind(child, stop.clone(), move |end| {
            ended(end);
            tell.send_replace(Some(end));
        });
        let process = Self { input, ended: told, _stop: stop.drop_guard() };
        Ok((process, Lines::new(BufReader::new(stdout), order.max_line)))
    }

    /// Hands it a message. It is written whole, or not at all.
    ///
    /// # Errors
    /// It takes no more: nothing of this message has reached it.
    pub async fn send(&self, message: Bytes) -> Result<(), Refused> {
        self.input.send(message).await.map_err(|_| Refused)
    }

    /// How it has ended; `None` while it runs.
    pub fn end(&self) -> Option<End> {
        *self.ended.borrow()
    }

    /// Waits for its end. Cancel-safe.
    pub async fn ended(&self) -> End {
        let mut ended = self.ended.clone();
        let end = ended.wait_for(Option::is_some).await;
        end.ok().and_then(|end| *end).unwrap_or(End::Unknown)
    }
}

/// A message that was not taken.
#[derive(Clone, Copy, Debug)]
pub struct Refused;

fn command(order: &Order) -> Command {
    let mut command = Command::new(OURSELVES);
    command
        .arg("contain")
        .args(["--parent", &std::process::id().to_string()])
        .args(["--grace-ms", &GRACE.as_millis().to_string()])
        .arg("--")
        .args(&order.command)
        .env_clear()
        .envs(&order.environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // What is typed at our terminal is not for it.
        .process_group(0);
    command
}

/// Writes one line a message ("Messages [...] MUST NOT contain embedded newlines"), and closes the input when it is to
/// stop.
async fn write(mut messages: mpsc::Receiver<Bytes>, mut input: ChildStdin, stop: CancellationToken) {
    let writing = async {
        while let Some(message) = messages.recv().await {
            if input.write_all(&line(&message)).await.is_err() || input.flush().await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = writing => {}
    }
}

/// Between tokens a line end means the same as a space; within strings JSON has none.
fn line(message: &[u8]) -> Vec<u8> {
    let kept = message.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte });
    kept.chain([b'\n']).collect()
}
