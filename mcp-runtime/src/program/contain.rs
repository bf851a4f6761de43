//! `mcp-runtime contain -- COMMAND`: runs one program, and leaves nothing of it behind.
//!
//! It becomes the parent of whatever the program's children leave behind (`PR_SET_CHILD_SUBREAPER`), is told when the
//! runtime dies (`PR_SET_PDEATHSIG`), and when the program is over, kills what is left. It touches neither the program's
//! input nor its output.

use rustix::{
    io::Errno,
    process::{
        Pid, Signal, WaitOptions, WaitStatus, getpid, getppid, kill_process, kill_process_group,
        set_child_subreaper, set_parent_process_death_signal, wait,
    },
};
use std::{
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep, sleep_until},
};

/// Exit code when there is no such program, as shells have it.
pub const NOT_FOUND: u8 = 127;
/// Exit code when the program cannot be started for another reason.
pub const NOT_STARTED: u8 = 126;
/// What a shell adds to the number of the signal that a program has died of.
const SIGNALLED: i32 = 128;

/// Times that children are looked for while they are killed: each may have begun others meanwhile.
const SWEEPS: usize = 100;
/// Between two looks.
const SWEEP: Duration = Duration::from_millis(10);

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Process that this one must not outlive.
    #[arg(long)]
    parent: i32,
    /// How long the program has to end by itself, in ms: after its input was closed, and again after SIGTERM.
    #[arg(long)]
    grace_ms: u64,
    /// The program and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// What is being done about the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Running,
    /// The runtime has died, and its end of the pipe with it: the program may see that and go.
    Abandoned,
    Terminated,
    Killed,
}

/// Runs the program to its end, or to ours.
///
/// # Errors
/// When the system refuses to tell of children and parents.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    set_parent_process_death_signal(Some(Signal::TERM))?;
    if !has_parent(args.parent) {
        return Ok(ExitCode::FAILURE);
    }
    set_child_subreaper(Some(getpid()))?;
    // Before there is a child: none may end unheard.
    let (mut ended, mut told) = (signal(SignalKind::child())?, signal(SignalKind::terminate())?);
    let program = match start(&args.command) {
        Ok(program) => program,
        Err(code) => return Ok(code),
    };
    let grace = Duration::from_millis(args.grace_ms);
    let (mut stage, mut deadline) = (Stage::Running, Instant::now());
    let status = loop {
        tokio::select! {
            _ = ended.recv() => if let Some(status) = reap(Some(program)) { break status },
            _ = told.recv(), if stage == Stage::Running => {
                stage = if has_parent(args.parent) { terminate(program) } else { Stage::Abandoned };
                deadline = Instant::now() + grace;
            }
            () = sleep_until(deadline), if matches!(stage, Stage::Abandoned | Stage::Terminated) => {
                stage = if stage == Stage::Abandoned { terminate(program) } else { kill(program) };
                deadline = Instant::now() + grace;
            }
        }
    };
    sweep(program).await;
    Ok(code(status))
}

/// In a group of its own, so that what it starts can be reached with it.
fn start(command: &[String]) -> Result<Pid, ExitCode> {
    let (program, arguments) = command.split_first().ok_or(ExitCode::from(NOT_STARTED))?;
    let spawned = Command::new(program).args(arguments).process_group(0).spawn();
    let spawned = spawned.and_then(|child| {
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        id.ok_or_else(|| io::Error::other("it has no process id"))
    });
    spawned.map_err(|error| {
        // To the log of the runtime; there is nobody else to tell.
        let _ = writeln!(io::stderr(), "{program:?} cannot be started: {error}");
        match error.kind() {
            io::ErrorKind::NotFound => ExitCode::from(NOT_FOUND),
            _ => ExitCode::from(NOT_STARTED),
        }
    })
}

fn has_parent(parent: i32) -> bool {
    Pid::as_raw(getppid()) == parent
}

/// Errors of signals mean that there is nobody left to be told.
fn terminate(program: Pid) -> Stage {
    let _ = kill_process_group(program, Signal::TERM);
    Stage::Terminated
}

fn kill(program: Pid) -> Stage {
    let _ = kill_process_group(program, Signal::KILL);
    Stage::Killed
}

/// Takes note of every child that has ended; gives the status of `program` when it is among them.
fn reap(program: Option<Pid>) -> Option<WaitStatus> {
    let mut found = None;
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((id, status))) => found = if Some(id) == program { Some(status) } else { found },
            Err(Errno::INTR) => {}
            Ok(None) | Err(_) => return found,
        }
    }
}

/// Kills what the program has left, in its group or out of it: whoever loses his parent becomes our child.
async fn sweep(program: Pid) {
    kill(program);
    for _ in 0..SWEEPS {
        reap(None);
        let left = children();
        if left.is_empty() {
            return;
        }
        for child in left {
            let _ = kill_process(child, Signal::KILL);
        }
        sleep(SWEEP).await;
    }
}

/// This process has one thread, whose children are all that it has.
fn children() -> Vec<Pid> {
    let listed = std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    listed.split_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)).collect()
}

fn code(status: WaitStatus) -> ExitCode {
    let signalled = status.terminating_signal().map(|signal| SIGNALLED + signal);
    let code = status.exit_status().or(signalled).and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}
