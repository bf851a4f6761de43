//! Commands of the binary.

pub mod call;
pub mod keys;
pub mod lint;
pub mod pin;
mod replicas;
pub mod serve;
pub mod stdio;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Serves MCP and model calls.
#[derive(Debug, Parser)]
#[command(name = "mcp-runtime", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a compiled configuration, or a directory of manifests.
    Serve(Box<serve::Args>),
    /// Check manifests: print every finding, fail on errors.
    Lint(lint::Args),
    /// List or call the tools of an MCP server.
    Call(call::Args),
    /// Print or write what approves the definitions of upstreams' tools as they are now.
    Pin(pin::Args),
    /// Make virtual keys for callers.
    Keys(keys::Args),
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// What kept the command from doing its work; `lint` findings are no error but an exit code.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(args) => serve::run(*args).await,
            Command::Lint(args) => lint::run(&args),
            Command::Call(args) => call::run(args).await,
            Command::Pin(args) => pin::run(args).await,
            Command::Keys(args) => keys::run(&args),
        }
    }
}
