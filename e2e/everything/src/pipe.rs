//! Standard input and output for `rmcp`, with a ledger in a file: there is no port to ask at.

use crate::ledger::Ledger;
use crate::server::Everything;
use crate::shared::{Options, Shared};
use anyhow::Context;
use rmcp::ServiceExt as _;
use rmcp::transport::stdio;
use std::path::Path;
use std::sync::Arc;

/// Serves until the client closes our input. The ledger is `<directory>/<process id>.json`: of one program there may be
/// many processes.
///
/// # Errors
/// A tool that is wrongly defined, or a client that is none.
pub async fn serve_stdio(options: &Options, directory: Option<&Path>) -> anyhow::Result<()> {
    let ledger = match directory {
        Some(directory) => Ledger::at(directory.join(format!("{}.json", std::process::id()))),
        None => Ledger::default(),
    };
    let shared = Arc::new(Shared::new(options, ledger)?);
    let running = Everything::new(shared).serve(stdio()).await.context("no client spoke to it")?;
    running.waiting().await.context("the server has broken off")?;
    Ok(())
}
