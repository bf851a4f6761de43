//! An HTTP client with a connection for each request. To drop a reply is to close its connection.

use super::within;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::{net::TcpStream, task::JoinHandle};

/// Where a server is.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
}

/// A POST that a test can change before it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Post {
    /// A message with the media types that every revision of Streamable HTTP wants.
    pub(crate) fn new(body: impl Into<Bytes>) -> Self {
        let headers = Vec::new();
        let post = Self { headers, body: body.into() };
        post.with("content-type", "application/json").with("accept", "application/json, text/event-stream")
    }

    pub(crate) fn message(message: &Value) -> Self {
        Self::new(message.to_string())
    }

    /// Adds a header, or replaces it.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        let mut post = self.without(name);
        post.headers.push((name.to_owned(), value.to_owned()));
        post
    }

    /// The same header once more.
    pub(crate) fn again(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }
}

impl Endpoint {
    /// The same server under another path.
    pub(crate) fn on(&self, path: &str) -> Self {
        Self { address: self.address, path: path.to_owned() }
    }

    pub(crate) async fn post(&self, post: &Post) -> Reply {
        self.send(Method::POST, &post.headers, post.body.clone()).await
    }

    pub(crate) async fn get(&self, headers: &[(&str, &str)]) -> Reply {
        self.bare(Method::GET, headers).await
    }

    pub(crate) async fn delete(&self, headers: &[(&str, &str)]) -> Reply {
        self.bare(Method::DELETE, headers).await
    }

    async fn bare(&self, method: Method, headers: &[(&str, &str)]) -> Reply {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.send(method, &headers, Bytes::new()).await
    }

    fn request(&self, method: &Method, headers: &[(String, String)], body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::builder().method(method).uri(&self.path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if !headers.iter().any(|(name, _)| name == "host") {
            request = request.header("host", self.address.to_string());
        }
        request.body(Full::new(body)).expect("a request that can be written")
    }

    async fn send(&self, method: Method, headers: &[(String, String)], body: Bytes) -> Reply {
        let request = self.request(&method, headers, body);
        let what = format!("{method} {} to be answered", self.path);
        within(&what, exchange(self.address, request)).await.expect("an answer")
    }

    /// Sends a message to who may be about to end.
    pub(crate) async fn attempt(&self, post: &Post) -> Result<Reply, Failed> {
        let exchange = exchange(self.address, self.request(&Method::POST, &post.headers, post.body.clone()));
        within("an attempt to end", exchange).await
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// Nobody listens: nothing was sent.
    NotSent,
    /// The connection broke before the head of an answer.
    Broken,
}

async fn exchange(address: SocketAddr, request: Request<Full<Bytes>>) -> Result<Reply, Failed> {
    let stream = TcpStream::connect(address).await.map_err(|_| Failed::NotSent)?;
    stream.set_nodelay(true).expect("a socket");
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|_| Failed::NotSent)?;
    // At once its owner's, so that whoever gives up the exchange closes the connection.
    let connection = Connection(tokio::spawn(async move { drop(connection.await) }));
    let response = sender.send_request(request).await.map_err(|_| Failed::Broken)?;
    let (head, body) = response.into_parts();
    let (status, headers) = (head.status, head.headers);
    Ok(Reply { status, headers, body: Some(body), unread: Vec::new(), _connection: connection })
}

/// Closed when dropped.
#[derive(Debug)]
struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// An answer whose body is still coming.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Absent when it has ended.
    body: Option<Incoming>,
    unread: Vec<u8>,
    _connection: Connection,
}

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) event: Option<String>,
    pub(crate) data: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header of text"))
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"))
    }

    /// The whole body.
    pub(crate) async fn bytes(mut self) -> Vec<u8> {
        within("the end of a body", async { while self.more().await {} }).await;
        self.unread
    }

    /// The whole body as one JSON document.
    pub(crate) async fn json(self) -> Value {
        let status = self.status;
        let bytes = self.bytes().await;
        serde_json::from_slice(&bytes)
            .unwrap_or_else(|error| panic!("{status}: {error}: {}", String::from_utf8_lossy(&bytes)))
    }

    /// The next message, wherever the reply carries it; `None` after the last.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        if !self.is_stream() {
            within("the end of a body", async { while self.more().await {} }).await;
            let whole = std::mem::take(&mut self.unread);
            return (!whole.is_empty()).then(|| serde_json::from_slice(&whole).expect("JSON"));
        }
        loop {
            let frame = self.frame().await?;
            if !frame.data.is_empty() {
                assert!(frame.event.as_deref().is_none_or(|event| event == "message"), "{frame:?}");
                return Some(serde_json::from_str(&frame.data).expect("JSON in an event"));
            }
        }
    }

    /// Every message to the end.
    pub(crate) async fn all(mut self) -> Vec<Value> {
        let mut messages = Vec::new();
        while let Some(message) = self.next().await {
            messages.push(message);
        }
        messages
    }

    /// The last message.
    pub(crate) async fn answer(self) -> Value {
        let status = self.status;
        self.all().await.pop().unwrap_or_else(|| panic!("{status}, and nothing in it"))
    }

    /// The next event of a stream; comments are passed over.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        within("an event", async {
            loop {
                let end = self.unread.windows(2).position(|pair| pair == b"\n\n");
                let Some(end) = end else {
                    if self.more().await {
                        continue;
                    }
                    assert!(
                        self.unread.is_empty(),
                        "half an event: {:?}",
                        String::from_utf8_lossy(&self.unread)
                    );
                    return None;
                };
                let block: Vec<u8> = self.unread.drain(..end + 2).collect();
                if let Some(frame) = Frame::read(&String::from_utf8(block).expect("UTF-8")) {
                    return Some(frame);
                }
            }
        })
        .await
    }

    /// Reads on; `false` at the end.
    async fn more(&mut self) -> bool {
        let Some(body) = &mut self.body else { return false };
        if let Some(Ok(frame)) = body.frame().await {
            if let Some(data) = frame.data_ref() {
                self.unread.extend_from_slice(data);
            }
            true
        } else {
            // A reply that is cut off ends, too: what has come of it is the test's to judge.
            self.body = None;
            false
        }
    }
}

impl Frame {
    /// `None` for a comment.
    fn read(block: &str) -> Option<Self> {
        let mut frame = Self::default();
        let mut fields = 0;
        for line in block.lines().filter(|line| !line.starts_with(':') && !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "event" => frame.event = Some(value.to_owned()),
                "data" => frame.data.push_str(value),
                _ => {}
            }
            fields += 1;
        }
        (fields > 0).then_some(frame)
    }
}
