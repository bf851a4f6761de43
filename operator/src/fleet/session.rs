//! One runtime's stream: reads reports, writes what the outbox holds, until either side or the term ends.

use super::{Config, Term, outbox::Outbox, review::Peer};
use crate::sessions::{self, Master};
use bytes::Bytes;
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use http::Response;
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use mcpfleet_config::stream::{
    Announced, Down, Hello, SILENCE, Up,
    codec::{BadFrame, UpDecoder, line},
};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::watch;

/// Body of an answer.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// How long a runtime may take to read what it is sent.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the runtime hung up")]
    HungUp,
    #[error("this replica leads no longer")]
    TermOver,
    #[error("another stream of this pod has taken its place, or its McpServer is gone")]
    Replaced,
    #[error("nothing was heard for {SILENCE:?}")]
    Silent,
    #[error("the runtime reads nothing")]
    Deaf,
    #[error("{0}")]
    Bad(#[from] BadFrame),
    #[error("the connection broke: {0}")]
    Broken(hyper::Error),
    #[error("the first message must be a hello")]
    NoHello,
    #[error("the runtime was started for {said}, its token is of {proved}")]
    Imposter { said: String, proved: String },
    #[error("{0}")]
    Keys(#[from] sessions::Error),
    #[error("a message cannot be encoded: {0}")]
    Encode(#[from] serde_json::Error),
}

/// Answers a dial: the response is the stream down, `incoming` the one up.
pub(super) fn open(term: Arc<Term>, peer: Peer, incoming: Incoming) -> Response<Body> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let name = peer.pod.clone();
        let stream = Stream { term, peer, incoming, decoder: UpDecoder::default(), down: sender };
        let end = stream.run().await;
        tracing::info!(pod = %name, why = %end, "a stream ended");
    });
    Response::new(StreamBody::new(receiver.map(|bytes| Ok(Frame::data(bytes)))).boxed_unsync())
}

struct Stream {
    term: Arc<Term>,
    peer: Peer,
    incoming: Incoming,
    decoder: UpDecoder,
    down: mpsc::Sender<Bytes>,
}

impl Stream {
    async fn run(mut self) -> End {
        match self.greet().await {
            Err(end) => end,
            Ok(hello) => {
                // Before the keys are read: what changes from here on is sent as well.
                let keys = self.term.session_keys_changed();
                match self.bring_keys().await {
                    Err(end) => end,
                    Ok(()) => self.attend(&hello, keys).await,
                }
            }
        }
    }

    async fn greet(&mut self) -> Result<Hello, End> {
        self.send(line(&Down::Welcome { epoch: self.term.epoch })?.into()).await?;
        let Up::Hello(hello) = self.next().await? else { return Err(End::NoHello) };
        let proved = self.peer.server.to_string();
        if hello.server.to_string() != proved {
            return Err(End::Imposter { said: hello.server.to_string(), proved });
        }
        Ok(hello)
    }

    /// From here on the pod counts.
    async fn attend(mut self, hello: &Hello, keys: watch::Receiver<Arc<[Master]>>) -> End {
        let Peer { server, pod, uid } = self.peer.clone();
        let term = self.term.clone();
        let outbox = Arc::new(Outbox::default());
        let _counted = term.count_stream();
        let session = term.fleet().join(&server, &uid, &pod, hello, &outbox);
        tracing::info!(%server, pod, version = hello.version, format = hello.format, "a runtime has dialled");
        let end = self.talk(&outbox, session, keys).await.err().unwrap_or(End::HungUp);
        let news = term.fleet().leave(&server, &uid, session);
        term.tell(&server, news);
        end
    }

    async fn talk(
        &mut self,
        outbox: &Outbox,
        session: u64,
        mut keys: watch::Receiver<Arc<[Master]>>,
    ) -> Result<(), End> {
        let term = self.term.clone();
        loop {
            tokio::select! {
                // Nothing is said any more when the term is over.
                biased;
                () = term.over.cancelled() => return Err(End::TermOver),
                () = outbox.closed().cancelled() => return Err(End::Replaced),
                Ok(()) = keys.changed() => self.bring_keys().await?,
                pending = outbox.take() => {
                    if let Some(serving) = pending.serving {
                        self.send(line(&Down::Serve(serving))?.into()).await?;
                    }
                    if let Some(replicas) = pending.peers {
                        self.send(line(&Down::Peers { replicas })?.into()).await?;
                    }
                    if let Some(config) = pending.config {
                        self.bring(&config).await?;
                    }
                }
                said = self.next() => {
                    if let Up::Report(report) = said? {
                        let Peer { server, uid, .. } = &self.peer;
                        let news = term.fleet().hear(server, uid, session, *report).ok_or(End::Replaced)?;
                        term.tell(server, news);
                    }
                }
            }
        }
    }

    /// Before there are any nothing is sent: the runtime has a key of its own meanwhile.
    async fn bring_keys(&mut self) -> Result<(), End> {
        let keys = self.term.session_keys(&self.peer.server)?;
        if keys.is_empty() {
            return Ok(());
        }
        self.send(line(&Down::Keys { keys })?.into()).await
    }

    async fn bring(&mut self, config: &Config) -> Result<(), End> {
        let json = &config.encoded.json;
        let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
        let announced = Announced { revision: config.revision, hash: config.hash().clone(), length };
        self.send(line(&Down::Config(announced))?.into()).await?;
        self.send(Bytes::copy_from_slice(json.as_bytes())).await
    }

    async fn send(&mut self, bytes: Bytes) -> Result<(), End> {
        match tokio::time::timeout(WRITE_PATIENCE, self.down.send(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::HungUp),
            Err(_) => Err(End::Deaf),
        }
    }

    /// The next message. Cancelling it loses nothing: what has arrived stays in the decoder.
    async fn next(&mut self) -> Result<Up, End> {
        loop {
            if let Some(message) = self.decoder.message()? {
                return Ok(message);
            }
            match tokio::time::timeout(SILENCE, self.incoming.frame()).await {
                Err(_) => return Err(End::Silent),
                Ok(None) => return Err(End::HungUp),
                Ok(Some(Err(error))) => return Err(End::Broken(error)),
                Ok(Some(Ok(frame))) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.decoder.push(&bytes);
                    }
                }
            }
        }
    }
}
