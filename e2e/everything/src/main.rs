//! `everything`: serves, and says where in one JSON line.

use anyhow::Context;
use clap::Parser;
use mcpfleet_everything::{Era, Options, serve, serve_stdio};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::net::TcpListener;

/// An MCP server for tests: MCP at /mcp, what happened at /ledger.
#[derive(Parser)]
struct Arguments {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Speak on standard input and output instead of listening.
    #[arg(long)]
    stdio: bool,
    /// Directory for the ledger of each process, with `--stdio`.
    #[arg(long, value_name = "DIR", requires = "stdio")]
    ledger: Option<PathBuf>,
    /// Which eras of the protocol to speak.
    #[arg(long, value_enum, default_value_t = Era::Both)]
    era: Era,
    /// Entries a page of each list, at least 1; everything in one page if not given.
    #[arg(long)]
    page_size: Option<std::num::NonZeroUsize>,
    /// So many further tools, prompts and resources, for long lists.
    #[arg(long, default_value_t = 0)]
    extra: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let options = Options { era: arguments.era, page_size: arguments.page_size, extra: arguments.extra };
    if arguments.stdio {
        return serve_stdio(&options, arguments.ledger.as_deref()).await;
    }
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let line = serde_json::json!({ "listening": listener.local_addr()? });
    writeln!(std::io::stdout(), "{line}")?;
    tokio::select! {
        served = serve(listener, &options) => served,
        stopped = tokio::signal::ctrl_c() => stopped.context("cannot wait for signals"),
    }
}
