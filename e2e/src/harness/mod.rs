//! What an end-to-end test does: apply, wait, call, look. Nothing here knows how the product works inside.

mod audit;
mod fleet;
mod mcp;
mod wait;

pub use audit::writes;
pub use fleet::Fleet;
pub use mcp::{Era, Reply, call_tool, list_tools, send};
pub use wait::{DEADLINE, eventually};

use anyhow::{Context as _, ensure};
use std::{path::PathBuf, process::Output};
use tokio::process::Command;

/// The repository, for manifests and scripts.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A client of the cluster under test.
///
/// # Errors
/// `KUBECONFIG` names no cluster that answers.
pub async fn client() -> anyhow::Result<kube::Client> {
    // A second installation in one process is not an error of the test.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    ensure!(
        std::env::var_os("KUBECONFIG").is_some() || std::env::var("CLUSTER").as_deref() == Ok("current"),
        "KUBECONFIG is not set: run these tests by `make test-e2e`"
    );
    kube::Client::try_default().await.context("no cluster: run `make cluster-up deploy` first")
}

/// Runs a program to its end; its output is part of the error when it fails.
///
/// # Errors
/// The program cannot be run or exits with anything but 0.
pub async fn run(program: &str, args: &[&str]) -> anyhow::Result<String> {
    let output = output(program, args).await?;
    ensure!(
        output.status.success(),
        "{program} {} failed: {}{}",
        args.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a program to its end, whatever its exit code.
///
/// # Errors
/// The program cannot be run.
pub async fn output(program: &str, args: &[&str]) -> anyhow::Result<Output> {
    Command::new(program).args(args).output().await.with_context(|| format!("cannot run {program}"))
}
