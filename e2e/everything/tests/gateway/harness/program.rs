//! Programs behind `mcp-runtime bridge`.

use super::{Endpoint, Runtime, UpstreamEra, until};
use serde_json::Value;
use std::{ops::Deref, path::Path};
use tempfile::TempDir;

/// The program that does what programs should not.
pub(crate) struct Trouble {
    pub(crate) runtime: Runtime,
    pub(crate) mcp: Endpoint,
    processes: TempDir,
}

impl Trouble {
    /// Behind a bridge with these flags, and doing what these say; the bridge is ready.
    pub(crate) async fn start(flags: &[&str], doing: &[&str]) -> Self {
        let trouble = Self::started(flags, doing).await;
        trouble.runtime.until_ready().await;
        trouble
    }

    /// The same, and the bridge may never be ready.
    pub(crate) async fn started(flags: &[&str], doing: &[&str]) -> Self {
        Self::under(&[], flags, doing).await
    }

    /// The same, started by another program.
    pub(crate) async fn under(starter: &[&str], flags: &[&str], doing: &[&str]) -> Self {
        let processes = tempfile::tempdir().expect("a directory");
        let directory = processes.path().to_str().expect("a path");
        let command =
            [starter, &[env!("CARGO_BIN_EXE_troublemaker"), "--processes", directory], doing].concat();
        let runtime = Runtime::bridge(flags, &command).await;
        Self { mcp: runtime.mcp.clone(), runtime, processes }
    }

    /// Every process that there has been.
    pub(crate) fn processes(&self) -> Vec<String> {
        let listed = std::fs::read_dir(self.processes.path()).expect("a directory");
        listed.map(|entry| entry.expect("an entry").file_name().into_string().expect("a number")).collect()
    }

    /// Those that still are.
    pub(crate) fn alive(&self) -> Vec<String> {
        self.processes().into_iter().filter(|id| Path::new("/proc").join(id).exists()).collect()
    }

    /// Waits until so many are left.
    pub(crate) async fn until_alive(&self, count: usize) {
        until(&format!("{count} processes"), || async { (self.alive().len() == count).then_some(()) }).await;
    }

    /// Waits until the status of the upstream says this, and gives the whole of it.
    pub(crate) async fn until_told(&self, what: &str) -> Value {
        let look = || async {
            let upstream = self.runtime.status().await["upstreams"][0].clone();
            upstream["message"].as_str().is_some_and(|message| message.contains(what)).then_some(upstream)
        };
        until(&format!("{what:?} in the status"), look).await
    }
}

/// The program with everything.
pub(crate) struct Everything {
    runtime: Runtime,
    pub(crate) mcp: Endpoint,
    ledgers: TempDir,
}

impl Everything {
    pub(crate) async fn start(era: UpstreamEra, processes: &str) -> Self {
        let ledgers = tempfile::tempdir().expect("a directory");
        let directory = ledgers.path().to_str().expect("a path");
        let command =
            [env!("CARGO_BIN_EXE_everything"), "--stdio", "--era", era.flag(), "--ledger", directory];
        let runtime = Runtime::bridge(&["--processes", processes], &command).await;
        runtime.until_ready().await;
        Self { mcp: runtime.mcp.clone(), runtime, ledgers }
    }

    /// A count of all processes together.
    pub(crate) fn count(&self, tool: &str, what: &str) -> u64 {
        let listed = std::fs::read_dir(self.ledgers.path()).expect("a directory");
        let files = listed.map(|entry| entry.expect("an entry").path());
        let ledgers = files.filter(|path| path.extension().is_some_and(|kind| kind == "json"));
        let read = |path| serde_json::from_slice(&std::fs::read(path).expect("a ledger")).expect("JSON");
        ledgers.map(read).map(|ledger: Value| ledger["tools"][tool][what].as_u64().unwrap_or_default()).sum()
    }

    /// Waits until the ledgers count so many.
    pub(crate) async fn until(&self, tool: &str, what: &str, count: u64) {
        let look = || async { (self.count(tool, what) == count).then_some(()) };
        until(&format!("{count} times {what} of {tool} in the ledgers"), look).await;
    }
}

impl Deref for Everything {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        &self.runtime
    }
}
