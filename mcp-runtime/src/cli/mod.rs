//! Commands of the binary.

pub mod bridge;
pub mod call;
pub mod install;
pub mod keys;
pub mod lint;
mod listening;
pub mod pin;
mod replicas;
pub mod serve;
pub mod stdio;

use crate::program::contain;
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
    /// Serve a program that speaks MCP on standard input and output, over Streamable HTTP.
    Bridge(Box<bridge::Args>),
    /// Check manifests: print every finding, fail on errors.
    Lint(lint::Args),
    /// List or call the tools of an MCP server.
    Call(call::Args),
    /// Print or write what approves the definitions of upstreams' tools as they are now.
    Pin(pin::Args),
    /// Make virtual keys for callers.
    Keys(keys::Args),
    /// Copy this binary to a path.
    Install(install::Args),
    /// Run one program, and leave nothing of it behind.
    #[command(hide = true)]
    Contain(contain::Args),
}

/// How many threads a command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// As many as there are processors.
    Many,
    /// One, and it must be the only one.
    One,
}

impl Cli {
    /// How many threads the command needs.
    pub fn threads(&self) -> Threads {
        match self.command {
            Command::Contain(_) => Threads::One,
            _ => Threads::Many,
        }
    }

    /// Runs the command.
    ///
    /// # Errors
    /// What kept the command from doing its work; `lint` findings are no error but an exit code.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(args) => serve::run(*args).await,
            Command::Bridge(args) => bridge::run(*args).await,
            Command::Lint(args) => lint::run(&args),
            Command::Call(args) => call::run(args).await,
            Command::Pin(args) => pin::run(args).await,
            Command::Keys(args) => keys::run(&args),
            Command::Install(args) => install::run(&args),
            Command::Contain(args) => contain::run(args).await,
        }
    }
}
