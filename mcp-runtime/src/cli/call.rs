//! `mcp-runtime call URL [TOOL ['{"a":1}']]`: a small MCP client, for people and scripts.
//!
//! It is the client that upstreams are called with: what works here works behind a server, and what fails says the same.
//! Exit codes: 0 it worked, 1 the tool says that it failed, 2 it could not be asked.

mod args;
mod render;

pub use args::Args;

use crate::{
    call::Outcome,
    egress::Egress,
    exchange::{Ask, Caller, Interest, Profile, Request, Standing},
    identity::Principal,
    outgoing::{CredentialSource, Signer},
    upstream::connection::{ClientError, Connection, Endpoint, Listing},
};
use anyhow::{Context as _, bail};
use args::Output;
use mcpfleet_protocol::{Era, Revision};
use serde_json::value::RawValue;
use std::{
    io::{self, Read as _, Write as _},
    process::ExitCode,
    sync::Arc,
};
use tokio::time::timeout;

/// The tool answered, and says that it failed.
const TOOL_FAILED: u8 = 1;

/// Wrong usage, no connection, or no answer that is MCP.
const NOT_ASKED: u8 = 2;

/// Most bytes of arguments that are read from standard input.
const MAX_STDIN: u64 = 4 * 1024 * 1024;

/// Lists the tools of a server, or calls one.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    // Read before the clock runs and anything is sent: a person may be typing, and a slip of the pen should not cost a
    // connection.
    let done = match call_of(&args) {
        Ok(call) => timeout(args.timeout, ask(&args, call))
            .await
            .unwrap_or_else(|_| Err(anyhow::anyhow!("no answer within {} ms", args.timeout.as_millis()))),
        Err(error) => Err(error),
    };
    Ok(match done {
        Ok(Shown { text, code }) => {
            // A reader that has seen enough, such as `head`, closes the pipe: that is no failure of ours.
            let _ = writeln!(io::stdout(), "{text}");
            code
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(NOT_ASKED)
        }
    })
}

struct Shown {
    text: String,
    code: ExitCode,
}

/// The tool and its arguments, when one is to be called.
fn call_of(args: &Args) -> anyhow::Result<Option<(&str, Box<RawValue>)>> {
    let Some(tool) = args.tool.as_deref() else { return Ok(None) };
    Ok(Some((tool, arguments(args.arguments.as_deref())?)))
}

async fn ask(args: &Args, call: Option<(&str, Box<RawValue>)>) -> anyhow::Result<Shown> {
    let egress = Egress::trusting(args.roots()?)?;
    let source = CredentialSource::fixed(args.headers(), Signer::new(egress.clone()));
    let endpoint = Endpoint::new(egress, args.url.clone(), source);
    let host = endpoint.host().to_owned();
    let connection = Connection::open(endpoint).await.map_err(|error| explained(&host, error))?;
    let shown = match call {
        None => connection.list_tools().await.map(|listing| list(&listing, args.output)),
        Some((tool, arguments)) => {
            // A modern server can want some arguments mirrored into headers: its list says which.
            if connection.era() == Era::Modern {
                connection.list_tools().await.map_err(|error| explained(&host, error))?;
            }
            connection
                .send(&request(tool, arguments), &nobody(), None)
                .await
                .map(|outcome| done(&outcome, args.output))
        }
    };
    connection.close().await;
    shown.map_err(|error| explained(&host, error))
}

fn request(tool: &str, arguments: Box<RawValue>) -> Request {
    Request { ask: Ask::CallTool { name: tool.to_owned(), arguments }, meta: None, resumption: None }
}

/// A caller that takes the answer only: nobody sits here who could be asked.
fn nobody() -> Caller {
    Caller::silent(Arc::new(Profile {
        revision: Revision::LATEST_MODERN,
        capabilities: RawValue::NULL.to_owned().into(),
        partition: [0; 16],
        principal: Principal::anonymous(),
        session: None,
        standing: Standing::default(),
        log_level: None,
        progress: Interest::Unwanted,
    }))
}

fn explained(host: &str, error: ClientError) -> anyhow::Error {
    match error {
        ClientError::Rpc(failure) => {
            let data = failure.data.map(|data| format!(" {data}")).unwrap_or_default();
            anyhow::anyhow!("{host} answered with error {}: {}{data}", failure.code, failure.message)
        }
        // It names the host itself.
        ClientError::Egress(error) => anyhow::Error::new(error),
        error => anyhow::Error::new(error).context(host.to_owned()),
    }
}

fn list(listing: &Listing, output: Output) -> Shown {
    for note in &listing.notes {
        let _ = writeln!(io::stderr(), "note: {note}");
    }
    let text = match output {
        Output::Text => render::tools(&listing.tools),
        Output::Json => render::tools_json(&listing.tools),
    };
    Shown { text, code: ExitCode::SUCCESS }
}

fn done(outcome: &Outcome, output: Output) -> Shown {
    match outcome {
        Outcome::Forwarded(result) => called(result, output),
        Outcome::Made(made) => Shown { text: made.text.clone(), code: ExitCode::SUCCESS },
        Outcome::InputRequired { .. } => {
            let text = "the tool asks for input, which cannot be given here".to_owned();
            Shown { text, code: ExitCode::from(TOOL_FAILED) }
        }
        // It declares nothing, and so gets none.
        Outcome::Task(_) => {
            let text = "the tool made a task of it, which cannot be followed here".to_owned();
            Shown { text, code: ExitCode::from(TOOL_FAILED) }
        }
    }
}

fn called(result: &RawValue, output: Output) -> Shown {
    let (text, failed) = render::result(result);
    let text = match output {
        Output::Text => text,
        Output::Json => result.get().to_owned(),
    };
    Shown { text, code: if failed { ExitCode::from(TOOL_FAILED) } else { ExitCode::SUCCESS } }
}

/// The arguments as one JSON object: given, from standard input for `-`, or none.
fn arguments(given: Option<&str>) -> anyhow::Result<Box<RawValue>> {
    let text = match given {
        None => "{}".to_owned(),
        Some("-") => {
            let mut text = String::new();
            io::stdin().take(MAX_STDIN).read_to_string(&mut text).context("standard input")?;
            text
        }
        Some(text) => text.to_owned(),
    };
    let text = text.trim().to_owned();
    if !text.starts_with('{') {
        bail!("the arguments must be a JSON object such as '{{\"a\": 1}}'");
    }
    RawValue::from_string(text).context("the arguments are no JSON")
}
