//! `mcp-runtime serve --stdio`: one client at standard input and output, as desktop applications start servers
//! (2026-07-28, basic/transports/stdio; the same in every revision since 2024-11-05). No port is opened.

use crate::{
    identity::Principal,
    reload::Reloader,
    seal,
    transport::{
        Shared,
        duplex::{BACKLOG, Duplex},
        intake::{MAX_BODY, Share},
    },
};
use anyhow::Context;
use bytes::Bytes;
use mcpfleet_protocol::server::Refusal;
use std::{
    io::{self, BufRead},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncWriteExt, Stdout, stdout},
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// How long upstreams may take to be heard for the first time: what the client is told then of what there is, it will
/// not ask again.
const FIRST_LISTS: Duration = Duration::from_secs(10);
/// How long what was asked may take when no more is asked.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// How long upstreams are given to hear of calls that were given up.
const FAREWELL: Duration = Duration::from_millis(250);

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
    server.settled(FIRST_LISTS).await;
    let detached = shared.detached.clone();
    let (out, messages) = mpsc::channel(BACKLOG);
    let live = server.sessions.live(seal::name()?);
    let client = Duplex::new(shared, path, live, out);
    let closing = CancellationToken::new();
    let writer = tokio::spawn(write(messages, stdout(), closing.clone()));
    tracing::info!(server = name, "serving standard input and output");
    read(&client).await;
    // What was asked before the end of input is answered, within bounds.
    detached.close();
    let _ = timeout(LAST_WORDS, detached.wait()).await;
    client.leave();
    closing.cancel();
    let _ = timeout(LAST_WORDS, writer).await;
    // Upstreams of calls that are given up are told so in the background.
    sleep(FAREWELL).await;
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

async fn read(client: &Arc<Duplex>) {
    // Whoever starts the process is who calls: the operating system has let him.
    let caller = Principal::anonymous();
    let mut lines = input();
    loop {
        match lines.recv().await.unwrap_or(Ok(None)) {
            Ok(Some(Line::Whole(line))) if line.trim_ascii().is_empty() => {}
            Ok(Some(Line::Whole(line))) => client.receive(&caller, &line, &Share::default()).await,
            Ok(Some(Line::TooLong)) => {
                client.refuse(&Refusal::body_too_large(MAX_BODY as u64)).await;
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "standard input cannot be read");
                return;
            }
        }
    }
}

/// The lines of standard input, read by a thread of its own: the process does not wait for it at its end, as it would for
/// one of the async runtime's.
fn input() -> mpsc::Receiver<io::Result<Option<Line>>> {
    let (out, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut lines = Lines::new(io::stdin().lock());
        loop {
            let line = lines.next();
            let is_last = !matches!(line, Ok(Some(_)));
            if out.blocking_send(line).is_err() || is_last {
                return;
            }
        }
    });
    lines
}

/// A line of input.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// Without its end. Whether it is UTF-8 is for the parser to say.
    Whole(Vec<u8>),
    /// Longer than a message may be; passed over.
    TooLong,
}

/// Cuts input into lines, none of them larger in memory than a message may be.
struct Lines<R> {
    input: R,
}

impl<R: BufRead> Lines<R> {
    fn new(input: R) -> Self {
        Self { input }
    }

    /// The next line; `None` at the end of the input. What has no end at the end is a line too.
    fn next(&mut self) -> io::Result<Option<Line>> {
        let (mut line, mut length) = (Vec::new(), 0_usize);
        loop {
            let piece = self.input.fill_buf()?;
            if piece.is_empty() {
                return Ok((length > 0).then(|| whole(line, length)));
            }
            let end = piece.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(piece.len());
            length += taken;
            if length <= MAX_BODY {
                line.extend_from_slice(&piece[..taken]);
            }
            self.input.consume(end.map_or(taken, |end| end + 1));
            if end.is_some() {
                return Ok(Some(whole(line, length)));
            }
        }
    }
}

fn whole(line: Vec<u8>, length: usize) -> Line {
    if length <= MAX_BODY { Line::Whole(line) } else { Line::TooLong }
}

/// One line a message ("Messages [...] MUST NOT contain embedded newlines").
async fn write(mut messages: mpsc::Receiver<Bytes>, mut out: Stdout, closing: CancellationToken) {
    loop {
        let message = tokio::select! {
            biased;
            message = messages.recv() => message,
            // Whoever may still have something to say has had its time.
            () = closing.cancelled() => None,
        };
        let Some(message) = message else { return };
        // Between tokens a line end means the same as a space; within strings JSON has none.
        let mut line: Vec<u8> =
            message.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect();
        line.push(b'\n');
        if out.write_all(&line).await.is_err() || out.flush().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_and_long_ones_passed_over() {
        let long = vec![b'x'; MAX_BODY + 1];
        let input = [b"one\n\n\xff\n".as_slice(), &long, b"\nlast"].concat();
        let mut lines = Lines::new(input.as_slice());
        let mut seen = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            seen.push(line);
        }
        let whole = |text: &[u8]| Line::Whole(text.to_vec());
        assert_eq!(seen, [whole(b"one"), whole(b""), whole(b"\xff"), Line::TooLong, whole(b"last")]);
    }
}
