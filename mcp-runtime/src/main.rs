//! `mcp-runtime`: serve, bridge, lint, call.

use clap::Parser;
use mcpfleet_runtime::cli::{Cli, Threads};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<ExitCode> {
    // One crypto provider for the whole process; an error means that it is there already.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let cli = Cli::parse();
    let mut builder = match cli.threads() {
        Threads::Many => tokio::runtime::Builder::new_multi_thread(),
        Threads::One => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = builder.enable_all().build()?;
    let code = runtime.block_on(cli.run());
    // After a second signal nothing is waited for.
    runtime.shutdown_background();
    code
}
