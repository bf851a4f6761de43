//! Who waits for a process, and ends it in good order: close its input, wait, SIGTERM, wait, SIGKILL
//! (2025-11-25, lifecycle, "Shutdown").

use super::contain::{NOT_FOUND, NOT_STARTED};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::{fmt, process::ExitStatus, sync::LazyLock, time::Duration};
use tokio::{
    process::Child,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a program has to end by itself after its input was closed, and again after SIGTERM.
pub(super) const GRACE: Duration = Duration::from_secs(2);
/// How much longer its container has before it is killed itself.
const MARGIN: Duration = Duration::from_secs(2);
/// The longest that an end can take.
pub(super) const LONGEST: Duration = Duration::from_secs(7);

/// Every process of this process.
static ALL: LazyLock<All> = LazyLock::new(All::default);

#[derive(Default)]
struct All {
    stop: CancellationToken,
    minders: TaskTracker,
}

/// How a process has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Because we wanted it to.
    Stopped,
    /// By itself, with this exit code; above 128 it died of a signal.
    Exited(u8),
    /// Nobody knows how.
    Unknown,
}

impl End {
    /// Whether it has never run.
    pub(super) fn is_unstartable(self) -> bool {
        matches!(self, Self::Exited(NOT_FOUND | NOT_STARTED))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("its program was stopped"),
            Self::Exited(NOT_FOUND) => {
                f.write_str("its program cannot be started: there is none of that name")
            }
            Self::Exited(NOT_STARTED) => f.write_str("its program cannot be started: the log says why"),
            Self::Exited(code @ 129..) => write!(f, "its program has died of signal {}", code - 128),
            Self::Exited(code) => write!(f, "its program has ended with exit code {code}"),
            Self::Unknown => f.write_str("its program is gone"),
        }
    }
}

impl From<ExitStatus> for End {
    fn from(status: ExitStatus) -> Self {
        status.code().and_then(|code| u8::try_from(code).ok()).map_or(Self::Unknown, Self::Exited)
    }
}

/// Ends every process, and waits until all have; for when this process is about to end.
pub async fn stop_all() {
    ALL.stop.cancel();
    ALL.minders.close();
    // What has not gone by then will be killed when we go.
    let _ = timeout(LONGEST, ALL.minders.wait()).await;
}

/// Waits for `child` in the background until it ends, or `stop` wants it to, and tells `ended` how. By the time of `stop`
/// nobody may hold its input.
pub(super) fn mind(child: Child, stop: CancellationToken, ended: impl FnOnce(End) + Send + 'static) {
    ALL.minders.spawn(async move { ended(until_end(child, stop).await) });
}

/// A token that is cancelled when this process is about to end.
pub(super) fn stop_token() -> CancellationToken {
    ALL.stop.child_token()
}

async fn until_end(mut child: Child, stop: CancellationToken) -> End {
    tokio::select! {
        status = child.wait() => return status.map_or(End::Unknown, End::from),
        () = stop.cancelled() => {}
    }
    if timeout(GRACE, child.wait()).await.is_err() {
        let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        // It passes the signal on, and kills what does not heed it.
        let _ = id.map(|id| kill_process(id, Signal::TERM));
        if timeout(GRACE + MARGIN, child.wait()).await.is_err() {
            let _ = id.map(|id| kill_process_group(id, Signal::KILL));
            let _ = child.wait().await;
        }
    }
    // Its output may still be read.
    sleep(Duration::ZERO).await;
    End::Stopped
}
