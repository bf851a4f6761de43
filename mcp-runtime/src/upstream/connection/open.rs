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
    ClientError, Endpoint, RpcFailure,
    body::{self, Events},
    delivery::Delivery,
    exchange::{Audience, Reply, exchange},
    hello::{Found, Hello, greeted},
    inbox::Inbox,
    outlet::Outlet,
    outside::{Mouth, Outside},
    session::{About, Session, Side, Wire},
    side::{Listening, Reader},
};
use crate::upstream::task::StopOnDrop;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri};
use mcpfleet_protocol::{
    Era, Revision,
    answer::Keeps,
    client::{
        AnswerForm, DiscoverReply, Failure, FromServer, LegacyPeer, Outgoing, Peer, Probe, SentSession,
        answer_form, classify_failure, classify_probe, read, sse_endpoint,
    },
    header::SessionId,
    json::JsonText,
    jsonrpc::{Id, Outcome, success},
};
use reqwest::Url;
use serde_json::value::RawValue;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// How long a server may take for the event that says where it wants its messages.
const ENDPOINT_PATIENCE: Duration = Duration::from_secs(5);
/// How long an old server over HTTP+SSE may take to refuse a question that it cannot know: some never do.
const DISCOVER_PATIENCE: Duration = Duration::from_secs(2);

impl Hello<'_, Endpoint> {
    /// Greets a server of which nothing is known.
    pub(super) async fn first(self) -> Result<Session, ClientError> {
        let id = self.ids.next();
        let answered = self.ask(self.ourselves().discover(&id), &id).await?;
        match classify_probe(answered.status, &answered.message) {
            // What it keeps for a session is worth more than what the newer revision has.
            Probe::Modern(result) if DiscoverReply::read(result)?.keeps == Keeps::Sessions => {
                self.legacy().await
            }
            Probe::Modern(result) => {
                self.modern(Outlet::Url(self.to.clone()), (Wire::StreamableHttp, None), result)
            }
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
            // What has a URL has not been found to be a program.
            (Wire::StreamableHttp, Era::Modern) | (Wire::Stdio, _) => self.first().await,
        }
    }

    /// Opens a legacy session over Streamable HTTP.
    async fn legacy(self) -> Result<Session, ClientError> {
        let id = self.ids.next();
        let answered = self.ask(self.initialize(&id), &id).await?;
        let session = SessionId::from_headers(&answered.headers);
        let result = answered.result(&id)?;
        let (peer, about) = greeted(&result, session)?;
        let outlet = Outlet::Url(self.to.clone());
        outlet.send(peer.initialized()).await?;
        let wire = (Wire::StreamableHttp, None);
        Ok(Session::new(outlet, wire, Peer::Legacy(peer), self.declared.clone(), about))
    }

    /// Opens the stream of an HTTP+SSE server and greets it over that.
    async fn http_sse(self) -> Result<Session, ClientError> {
        let (endpoint, events) = timeout(ENDPOINT_PATIENCE, self.endpoint_event())
            .await
            .unwrap_or(Err(ClientError::NoEndpoint))?;
        let silent = Peer::Legacy(LegacyPeer { revision: Revision::V2024_11_05, session: None });
        let inbox = Arc::new(Inbox::default());
        let (sender, listening) = watch::channel(Listening::Open);
        let outlet = Outlet::Url(endpoint.clone());
        let delivery = Delivery {
            mouth: Mouth { outlet: outlet.clone(), peer: silent.clone() },
            outside: Outside::new(self.standing.clone(), self.declared.clone()),
            inbox: inbox.clone(),
            bell: self.bell.clone(),
        };
        let reader = Reader { endpoint: endpoint.clone(), delivery, listening: sender };
        let task = StopOnDrop(tokio::spawn(reader.read_only_stream(events)));
        let side = Side { inbox, listening, _reader: task };
        let declared = self.declared.clone();
        let stranger = Session::new(outlet, (Wire::HttpSse, Some(side)), silent, declared, About::default());
        Hello { to: &endpoint, ..self }.over(stranger).await
    }

    async fn endpoint_event(self) -> Result<(Endpoint, Events), ClientError> {
        let response = self.to.get(HeaderMap::new()).await?;
        if !body::is_event_stream(response.status(), response.headers()) {
            return Err(ClientError::NoEndpoint);
        }
        let mut events = Events::new(response);
        let first = events.next(self.to).await?.filter(|event| event.kind == "endpoint");
        let data = first.ok_or(ClientError::NoEndpoint)?.data;
        let base: Uri = self.to.url().as_str().parse().map_err(|_| ClientError::NoEndpoint)?;
        let url = sse_endpoint(&base, &data)?;
        let url = Url::parse(&url.to_string()).map_err(|_| ClientError::NoEndpoint)?;
        Ok((self.to.at(url), events))
    }

    /// The era belongs to the message, not to the transport.
    async fn over(self, mut stranger: Session) -> Result<Session, ClientError> {
        let id = self.ids.next();
        let discover = exchange(&stranger, self.bell, Audience::Nobody, &id, self.ourselves().discover(&id));
        if let Ok(Ok(Reply::Result(result))) = timeout(DISCOVER_PATIENCE, discover).await
            && let Probe::Modern(_) = classify_probe(StatusCode::OK, &success(&id, &JsonText::from(&*result)))
        {
            return self.modern(stranger.outlet.clone(), stranger.take_wire(), &result);
        }
        let id = self.ids.next();
        let result = match exchange(&stranger, self.bell, Audience::Nobody, &id, self.initialize(&id)).await?
        {
            Reply::Result(result) => result,
            Reply::Error(failure) => return Err(ClientError::Rpc(failure)),
        };
        let (peer, about) = greeted(&result, None)?;
        let outlet = stranger.outlet.clone();
        outlet.send(peer.initialized()).await?;
        let declared = self.declared.clone();
        Ok(Session::new(outlet, stranger.take_wire(), Peer::Legacy(peer), declared, about))
    }

    /// A request to a server that is not known yet, and the message that answers it.
    async fn ask(self, outgoing: Outgoing, id: &Id<'_>) -> Result<Answered, ClientError> {
        let response = self.to.post(outgoing).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let form = answer_form(status, &headers);
        let message = match form {
            AnswerForm::Json => body::whole(self.to, response).await?,
            AnswerForm::Failed => body::of_failure(self.to, response).await,
            AnswerForm::EventStream => answer(self.to, Events::new(response), id).await?,
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

/// 400, 404 and 405 are how a server of 2024-11-05 answers a POST to its stream's URL.
fn leads_to_sse(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Status(StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
    )
}
