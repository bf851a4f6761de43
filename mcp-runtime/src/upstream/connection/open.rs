//! The hello: which era a server is of, how it wants its messages, and a session where there are sessions
//! (2026-07-28, streamable HTTP, "Backward Compatibility"; 2025-11-25, lifecycle, "Initialization", and transports,
//! "Backwards Compatibility").
//!
//! ```text
//! POST server/discover -> modern
//!   else POST initialize -> legacy over Streamable HTTP
//!     else, after 400, 404 or 405, GET -> event `endpoint` -> HTTP+SSE, and the same two questions over it
//! ```

use super::{
    ClientError, Endpoint, Ids, RpcFailure,
    body::{self, Events},
    exchange::{Audience, Reply, exchange},
    inbox::Inbox,
    outside::{Mouth, Outside},
    session::{About, Session, Side, Wire},
    side::{Listening, Reader},
};
use crate::{
    exchange::Standing,
    upstream::{bell::Bell, task::StopOnDrop},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri};
use mcpfleet_protocol::{
    ClientCapabilities, Era, Revision,
    answer::Implementation,
    client::{
        AnswerForm, DiscoverReply, Failure, FromServer, InitializeReply, LegacyPeer, ModernPeer, Outgoing,
        Peer, Probe, SentSession, answer_form, classify_failure, classify_probe, initialize, read,
        sse_endpoint,
    },
    header::SessionId,
    json::JsonText,
    jsonrpc::{Id, Outcome},
};
use reqwest::Url;
use serde_json::value::RawValue;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// How long a server may take for the event that says where it wants its messages.
const ENDPOINT_PATIENCE: Duration = Duration::from_secs(5);
/// How long an old server over HTTP+SSE may take to refuse a question that it cannot know: some never do.
const DISCOVER_PATIENCE: Duration = Duration::from_secs(2);

/// What a greeting needs.
#[derive(Clone, Copy)]
pub(super) struct Hello<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) declared: &'a ClientCapabilities,
    pub(super) ids: &'a Ids,
    pub(super) bell: &'a Arc<Bell>,
    /// The way to the client that the session is for.
    pub(super) standing: &'a Standing,
}

/// What a first greeting found out, so that others need not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The server's era.
    pub era: Era,
    /// How messages travel to it.
    pub wire: Wire,
}

impl Hello<'_> {
    /// Greets a server of which nothing is known.
    pub(super) async fn first(self) -> Result<Session, ClientError> {
        let modern = self.ourselves();
        let id = self.ids.next();
        let answered = self.ask(modern.discover(&id), &id).await?;
        match classify_probe(answered.status, &answered.message) {
            Probe::Modern(result) => self.modern((Wire::StreamableHttp, None), modern, result),
            Probe::Unusable(why) => Err(why.into()),
            Probe::Legacy => match self.legacy().await {
                Err(error) if leads_to_sse(&error) => match self.http_sse().await {
                    Err(ClientError::NoEndpoint) => Err(error),
                    other => other,
                },
                other => other,
            },
        }
    }

    /// Greets a server that was found out before.
    pub(super) async fn again(self, found: Found) -> Result<Session, ClientError> {
        match (found.wire, found.era) {
            (Wire::HttpSse, _) => self.http_sse().await,
            (Wire::StreamableHttp, Era::Legacy) => self.legacy().await,
            (Wire::StreamableHttp, Era::Modern) => self.first().await,
        }
    }

    fn modern(
        self,
        (wire, side): (Wire, Option<Side>),
        peer: ModernPeer,
        result: &RawValue,
    ) -> Result<Session, ClientError> {
        let reply = DiscoverReply::read(result)?;
        let about = About {
            capabilities: reply.offers,
            instructions: reply.instructions.map(std::borrow::Cow::into_owned),
        };
        let endpoint = self.endpoint.clone();
        Ok(Session::new(endpoint, (wire, side), Peer::Modern(peer), self.declared.clone(), about))
    }

    /// Opens a legacy session over Streamable HTTP.
    async fn legacy(self) -> Result<Session, ClientError> {
        let id = self.ids.next();
        let answered = self.ask(self.initialize(&id), &id).await?;
        let session = SessionId::from_headers(&answered.headers);
        let result = answered.result(&id)?;
        let (peer, about) = greeted(&result, session)?;
        let status = self.endpoint.post(peer.initialized()).await?.status();
        if !status.is_success() {
            return Err(ClientError::Status(status));
        }
        let wire = (Wire::StreamableHttp, None);
        Ok(Session::new(self.endpoint.clone(), wire, Peer::Legacy(peer), self.declared.clone(), about))
    }

    fn ourselves(self) -> ModernPeer {
        let capabilities = self.declared.write(Revision::LATEST_MODERN);
        ModernPeer { client: ourselves(), capabilities, log_level: None }
    }

    fn initialize(self, id: &Id<'_>) -> Outgoing {
        let revision = Revision::LATEST_LEGACY;
        initialize(id, &ourselves(), &self.declared.write(revision), revision)
    }

    /// Opens the stream of an HTTP+SSE server and greets it over that.
    async fn http_sse(self) -> Result<Session, ClientError> {
        let (endpoint, events) = timeout(ENDPOINT_PATIENCE, self.endpoint_event())
            .await
            .unwrap_or(Err(ClientError::NoEndpoint))?;
        let silent = Peer::Legacy(LegacyPeer { revision: Revision::V2024_11_05, session: None });
        let inbox = Arc::new(Inbox::default());
        let (sender, listening) = watch::channel(Listening::Open);
        let reader = Reader {
            mouth: Mouth { endpoint: endpoint.clone(), peer: silent.clone() },
            outside: Outside::new(self.standing.clone(), self.declared.clone()),
            inbox: inbox.clone(),
            bell: self.bell.clone(),
            listening: sender,
        };
        let task = StopOnDrop(tokio::spawn(reader.read_only_stream(events)));
        let side = Side { inbox, listening, _reader: task };
        let declared = self.declared.clone();
        let stranger =
            Session::new(endpoint, (Wire::HttpSse, Some(side)), silent, declared, About::default());
        Hello { endpoint: &stranger.endpoint.clone(), ..self }.over(stranger).await
    }

    async fn endpoint_event(self) -> Result<(Endpoint, Events), ClientError> {
        let response = self.endpoint.get(HeaderMap::new()).await?;
        if !body::is_event_stream(response.status(), response.headers()) {
            return Err(ClientError::NoEndpoint);
        }
        let mut events = Events::new(response);
        let first = events.next(self.endpoint).await?.filter(|event| event.kind == "endpoint");
        let data = first.ok_or(ClientError::NoEndpoint)?.data;
        let base: Uri = self.endpoint.url().as_str().parse().map_err(|_| ClientError::NoEndpoint)?;
        let url = sse_endpoint(&base, &data)?;
        let url = Url::parse(&url.to_string()).map_err(|_| ClientError::NoEndpoint)?;
        Ok((self.endpoint.at(url), events))
    }

    /// The era belongs to the message, not to the transport.
    async fn over(self, mut stranger: Session) -> Result<Session, ClientError> {
        let modern = self.ourselves();
        let id = self.ids.next();
        let discover = exchange(&stranger, self.bell, Audience::Nobody, &id, modern.discover(&id));
        if let Ok(Ok(Reply::Result(result))) = timeout(DISCOVER_PATIENCE, discover).await
            && let Probe::Modern(_) = classify_probe(StatusCode::OK, &success(&id, &result))
        {
            return self.modern(stranger.take_wire(), modern, &result);
        }
        let id = self.ids.next();
        let result = match exchange(&stranger, self.bell, Audience::Nobody, &id, self.initialize(&id)).await?
        {
            Reply::Result(result) => result,
            Reply::Error(failure) => return Err(ClientError::Rpc(failure)),
        };
        let (peer, about) = greeted(&result, None)?;
        let status = self.endpoint.post(peer.initialized()).await?.status();
        if !status.is_success() {
            return Err(ClientError::Status(status));
        }
        let declared = self.declared.clone();
        Ok(Session::new(self.endpoint.clone(), stranger.take_wire(), Peer::Legacy(peer), declared, about))
    }

    /// A request to a server that is not known yet, and the message that answers it.
    async fn ask(self, outgoing: Outgoing, id: &Id<'_>) -> Result<Answered, ClientError> {
        let response = self.endpoint.post(outgoing).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let form = answer_form(status, &headers);
        let message = match form {
            AnswerForm::Json => body::whole(self.endpoint, response).await?,
            AnswerForm::Failed => body::of_failure(self.endpoint, response).await,
            AnswerForm::EventStream => answer(self.endpoint, Events::new(response), id).await?,
            AnswerForm::Accepted | AnswerForm::Foreign => Bytes::new(),
        };
        Ok(Answered { status, headers, form, message })
    }
}

/// The message among the events that answers `id`.
async fn answer(endpoint: &Endpoint, mut events: Events, id: &Id<'_>) -> Result<Bytes, ClientError> {
    while let Some(message) = events.message(endpoint).await? {
        if let FromServer::Answer(_) = read(&message, id)? {
            return Ok(message);
        }
    }
    Err(ClientError::NoAnswer)
}

/// An answer to a hello.
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    form: AnswerForm,
    message: Bytes,
}

impl Answered {
    fn result(&self, id: &Id<'_>) -> Result<Box<RawValue>, ClientError> {
        match self.form {
            AnswerForm::Json | AnswerForm::EventStream => self.outcome(id),
            AnswerForm::Accepted => Err(ClientError::NoAnswer),
            AnswerForm::Foreign => Err(ClientError::Foreign(body::media(&self.headers))),
            AnswerForm::Failed => match classify_failure(self.status, &self.message, SentSession::No) {
                Failure::Rpc => self.outcome(id),
                Failure::Unauthorized => Err(ClientError::Unauthorized(self.status)),
                Failure::Busy => Err(ClientError::Busy(self.status)),
                Failure::SessionExpired | Failure::Status(_) => Err(ClientError::Status(self.status)),
            },
        }
    }

    fn outcome(&self, id: &Id<'_>) -> Result<Box<RawValue>, ClientError> {
        match read(&self.message, id)? {
            FromServer::Answer(Outcome::Result(result)) => Ok(result.to_owned()),
            FromServer::Answer(Outcome::Error(error)) => Err(ClientError::Rpc(RpcFailure::from(error))),
            FromServer::Notification { .. } | FromServer::Request { .. } => Err(ClientError::NoAnswer),
        }
    }
}

fn greeted(result: &RawValue, session: Option<SessionId>) -> Result<(LegacyPeer, About), ClientError> {
    let reply = InitializeReply::read(result)?;
    let about = About {
        capabilities: reply.offers,
        instructions: reply.instructions.map(std::borrow::Cow::into_owned),
    };
    Ok((LegacyPeer { revision: reply.revision, session }, about))
}

/// 400, 404 and 405 are how a server of 2024-11-05 answers a POST to its stream's URL.
fn leads_to_sse(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Status(StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
    )
}

/// The message that a result came in, for the probe.
fn success(id: &Id<'_>, result: &RawValue) -> Bytes {
    mcpfleet_protocol::jsonrpc::success(id, &JsonText::from(result))
}

fn ourselves() -> Implementation {
    Implementation::new("mcp-runtime", env!("CARGO_PKG_VERSION"))
}
