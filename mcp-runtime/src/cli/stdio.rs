//! `mcp-runtime serve --stdio`: one client at standard input and output, as desktop applications start servers
//! (2026-07-28, basic/transports/stdio; the same in every revision since 2024-11-05). No port is opened.

use crate::{
    identity::Principal,
    reload::Reloader,
    seal,
    transport::{
        Shared,
        duplex::{BACKLOG, Duplex},
        intake::MAX_BODY,
    },
};
use anyhow::Context;
use bytes::Bytes;
use futures::StreamExt;
use mcpfleet_protocol::server::{Reason, Refusal};
use std::{process::ExitCode, sync::Arc};
use tokio::{
    io::{AsyncWriteExt, Stdout, stdin, stdout},
    sync::{mpsc, oneshot},
};
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};

/// Serves the client until it closes our input.
///
/// # Errors
/// When it is not clear which server is meant.
pub async fn run(
    shared: Arc<Shared>,
    reloader: Reloader,
    server: Option<String>,
) -> anyhow::Result<ExitCode> {
    let (looked, first) = oneshot::channel();
    tokio::spawn(reloader.run(
        move || {
            let _ = looked.send(());
        },
        |_| {},
    ));
    first.await.context("the configuration was never read")?;
    let (name, path) = chosen(&shared, server)?;
    let server = shared.fleet.all().get(&name).cloned().context("the server has just been removed")?;
    let (out, messages) = mpsc::channel(BACKLOG);
    let live = server.sessions.live(seal::name()?);
    // Whoever starts the process is who calls: the operating system has let him.
    let client = Duplex::new(shared, path, Principal::anonymous(), live, out.clone());
    let writer = tokio::spawn(write(messages, stdout()));
    tracing::info!(server = name, "serving standard input and output");
    read(&client, &out).await;
    client.leave();
    drop((client, out));
    // What is still carried out has nobody to answer to.
    writer.abort();
    Ok(ExitCode::SUCCESS)
}

/// The server that is meant, and its path.
fn chosen(shared: &Shared, wanted: Option<String>) -> anyhow::Result<(String, String)> {
    let servers = shared.fleet.all();
    let names: Vec<&str> = servers.keys().map(String::as_str).collect();
    let name = match (wanted, names.as_slice()) {
        (Some(wanted), _) if servers.contains_key(&wanted) => wanted,
        (Some(wanted), _) => anyhow::bail!("there is no server {wanted:?}; there are: {}", names.join(", ")),
        (None, [only]) => (*only).to_owned(),
        (None, []) => anyhow::bail!("nothing can be served: the log says what was refused"),
        (None, _) => anyhow::bail!("say which server with --server: {}", names.join(", ")),
    };
    let path = format!("/{name}/mcp");
    Ok((name, path))
}

async fn read(client: &Arc<Duplex>, out: &mpsc::Sender<Bytes>) {
    let mut lines = FramedRead::new(stdin(), LinesCodec::new_with_max_length(MAX_BODY));
    while let Some(line) = lines.next().await {
        match line {
            Ok(line) if line.trim().is_empty() => {}
            Ok(line) => client.receive(line.as_bytes()).await,
            Err(LinesCodecError::MaxLineLengthExceeded) => {
                let _ = out.send(Refusal::body_too_large(MAX_BODY as u64).body()).await;
            }
            // Not UTF-8: the codec has taken the line; or the input is broken, which ends it.
            Err(LinesCodecError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                let _ = out.send(Refusal::new(Reason::Malformed, None, "the line is not UTF-8").body()).await;
            }
            Err(LinesCodecError::Io(error)) => {
                tracing::warn!(%error, "standard input cannot be read");
                return;
            }
        }
    }
}

/// One line a message ("Messages [...] MUST NOT contain embedded newlines").
async fn write(mut messages: mpsc::Receiver<Bytes>, mut out: Stdout) {
    while let Some(message) = messages.recv().await {
        // Between tokens a line end means the same as a space; within strings JSON has none.
        let mut line: Vec<u8> =
            message.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect();
        line.push(b'\n');
        if out.write_all(&line).await.is_err() || out.flush().await.is_err() {
            return;
        }
    }
}
