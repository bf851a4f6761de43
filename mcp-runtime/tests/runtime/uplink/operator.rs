//! An operator of the test: real TLS and HTTP/2, scripted by the test, speaking the real codec.

use crate::process::{PATIENCE, until};
use bytes::Bytes;
use futures::StreamExt as _;
use http::{
    Request, Response, StatusCode,
    header::{AUTHORIZATION, LOCATION},
};
use http_body::Frame;
use http_body_util::{BodyExt as _, Empty, StreamBody, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mcpfleet_config::{
    ConfigHash,
    status::PodStatus,
    stream::{
        Announced, Down, Epoch, Hello, Report, Serving, SessionKey, Up,
        codec::{UpDecoder, line},
    },
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// An authority that signs operators.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    fn acceptor(&self, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(leaf.pem().as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        Arc::new(config).into()
    }
}

/// How the operator answers the next dials.
#[derive(Clone)]
pub(crate) enum Manner {
    Welcome(Epoch),
    Redirect(String),
    Refuse(StatusCode),
}

/// A term of one lease.
pub(crate) fn term(term: i64) -> Manner {
    Manner::Welcome(Epoch { lease: 1, term })
}

pub(crate) struct Operator {
    address: SocketAddr,
    script: Arc<Script>,
    callers: mpsc::UnboundedReceiver<Caller>,
    /// Connections end with the operator.
    _tasks: JoinSet<()>,
}

struct Script {
    manner: Mutex<Manner>,
    tokens: Mutex<Vec<String>>,
    arrived: mpsc::UnboundedSender<Caller>,
}

impl Operator {
    /// One whose certificate is for `name`.
    pub(crate) async fn start(authority: &Authority, name: &str, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (arrived, callers) = mpsc::unbounded_channel();
        let script = Arc::new(Script { manner: Mutex::new(manner), tokens: Mutex::default(), arrived });
        let (acceptor, shared) = (authority.acceptor(name), script.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(serve(acceptor.clone(), socket, shared.clone()));
            }
        });
        Self { address, script, callers, _tasks: tasks }
    }

    /// As the runtime is told.
    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// As another replica redirects to it.
    pub(crate) fn location(&self) -> String {
        format!("https://{}/v1/runtimes", self.address)
    }

    pub(crate) fn behave(&self, manner: Manner) {
        *self.script.manner.lock().unwrap() = manner;
    }

    /// Tokens of all dials so far.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.script.tokens.lock().unwrap().clone()
    }

    /// The next stream that is opened.
    pub(crate) async fn caller(&mut self) -> Caller {
        tokio::time::timeout(PATIENCE, self.callers.recv())
            .await
            .unwrap_or_else(|_| panic!("nobody dials"))
            .unwrap()
    }

    pub(crate) async fn until_dials(&self, count: usize) {
        until("dials", || async { (self.tokens().len() >= count).then_some(()) }).await;
    }
}

async fn serve(acceptor: TlsAcceptor, socket: TcpStream, script: Arc<Script>) {
    let Ok(tls) = acceptor.accept(socket).await else { return };
    let service = service_fn(move |request| {
        let response = script.answer(request);
        async { Ok::<_, Infallible>(response) }
    });
    drop(http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(tls), service).await);
}

impl Script {
    fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/v1/runtimes"));
        let token = request.headers()[AUTHORIZATION].to_str().unwrap().to_owned();
        self.tokens.lock().unwrap().push(token);
        let empty = |status| Response::builder().status(status);
        match self.manner.lock().unwrap().clone() {
            Manner::Refuse(status) => empty(status).body(Empty::new().boxed_unsync()).unwrap(),
            Manner::Redirect(location) => empty(StatusCode::TEMPORARY_REDIRECT)
                .header(LOCATION, location)
                .body(Empty::new().boxed_unsync())
                .unwrap(),
            Manner::Welcome(epoch) => {
                let (down, lines) = mpsc::unbounded_channel::<Bytes>();
                down.send(line(&Down::Welcome { epoch }).unwrap().into()).unwrap();
                let (heard, ups) = mpsc::unbounded_channel();
                tokio::spawn(listen(request.into_body(), heard));
                self.arrived.send(Caller { down, ups }).unwrap();
                let frames = futures::stream::unfold(lines, |mut lines| async move {
                    lines.recv().await.map(|line| (line, lines))
                });
                Response::new(StreamBody::new(frames.map(|line| Ok(Frame::data(line)))).boxed_unsync())
            }
        }
    }
}

async fn listen(mut body: Incoming, heard: mpsc::UnboundedSender<Up>) {
    let mut decoder = UpDecoder::default();
    while let Some(Ok(frame)) = body.frame().await {
        decoder.push(&frame.into_data().unwrap_or_default());
        while let Some(up) = decoder.message().unwrap() {
            heard.send(up).ok();
        }
    }
}

/// A runtime on its stream. Dropping it ends the stream.
pub(crate) struct Caller {
    down: mpsc::UnboundedSender<Bytes>,
    ups: mpsc::UnboundedReceiver<Up>,
}

impl Caller {
    /// What the runtime says next; `None` when it has hung up.
    pub(crate) async fn next(&mut self) -> Option<Up> {
        tokio::time::timeout(PATIENCE, self.ups.recv())
            .await
            .unwrap_or_else(|_| panic!("the runtime says nothing"))
    }

    pub(crate) async fn hello(&mut self) -> Hello {
        match self.next().await {
            Some(Up::Hello(hello)) => hello,
            other => panic!("no hello but {other:?}"),
        }
    }

    /// The first report that `fits`.
    pub(crate) async fn report(&mut self, fits: impl Fn(&Report) -> bool) -> Report {
        loop {
            match self.next().await {
                Some(Up::Report(report)) if fits(&report) => return *report,
                Some(_) => {}
                None => panic!("the runtime has hung up"),
            }
        }
    }

    /// The first state that `fits`.
    pub(crate) async fn status(&mut self, fits: impl Fn(&PodStatus) -> bool) -> PodStatus {
        self.report(|report| report.status.as_ref().is_some_and(&fits)).await.status.unwrap()
    }

    pub(crate) fn serve(&self, serving: Serving) {
        self.say(line(&Down::Serve(serving)).unwrap());
    }

    pub(crate) fn keys(&self, keys: &[SessionKey]) {
        self.say(line(&Down::Keys { keys: keys.to_vec() }).unwrap());
    }

    /// Sends a configuration, and gives its hash.
    pub(crate) fn push(&self, revision: u64, text: &str) -> ConfigHash {
        let hash = ConfigHash::of(text.as_bytes());
        self.push_as(revision, &hash, text);
        hash
    }

    /// Sends bytes that claim to have this hash.
    pub(crate) fn push_as(&self, revision: u64, hash: &ConfigHash, text: &str) {
        let length = u32::try_from(text.len()).unwrap();
        let announced = Announced { revision, hash: hash.clone(), length };
        let mut bytes = line(&Down::Config(announced)).unwrap();
        bytes.extend(text.as_bytes());
        self.say(bytes);
    }

    fn say(&self, bytes: Vec<u8>) {
        // A runtime that has hung up hears nothing.
        self.down.send(bytes.into()).ok();
    }

    /// Whether the runtime serves `hash` before it hangs up.
    pub(crate) async fn acknowledges(&mut self, hash: &ConfigHash) -> bool {
        while let Some(up) = self.next().await {
            if let Up::Report(report) = up
                && report.status.is_some_and(|status| status.config_hash.as_ref() == Some(hash))
            {
                return true;
            }
        }
        false
    }

    /// Sends a configuration and waits for its acknowledgement.
    pub(crate) async fn push_accepted(&mut self, revision: u64, text: &str) -> PodStatus {
        let hash = self.push(revision, text);
        self.status(|status| status.config_hash.as_ref() == Some(&hash) && status.rejected.is_none()).await
    }
}
