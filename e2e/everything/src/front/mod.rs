//! The HTTP side: `/mcp` for `rmcp`, with what the chosen era would refuse refused here, and `/ledger`.

mod legacy;

use crate::era::Era;
use crate::ledger::Ledger;
use crate::server::Everything;
use crate::shared::{Options, Shared};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::net::TcpListener;

type Reply = Response<BoxBody<Bytes, Infallible>>;
type Mcp = StreamableHttpService<Everything, LocalSessionManager>;

/// Serves until the process ends.
///
/// # Errors
/// A listener that accepts no more, or a tool that is wrongly defined.
pub async fn serve(listener: TcpListener, options: &Options) -> anyhow::Result<()> {
    let front = Arc::new(Front::new(options)?);
    loop {
        let (stream, _) = listener.accept().await?;
        // Small messages go at once; Nagle's algorithm would hold them back 40 ms.
        stream.set_nodelay(true)?;
        let front = Arc::clone(&front);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let front = Arc::clone(&front);
                async move { Ok::<_, Infallible>(front.answer(request).await) }
            });
            let connection = auto::Builder::new(TokioExecutor::new());
            // A client that goes away is its own business.
            drop(connection.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

struct Front {
    era: Era,
    shared: Arc<Shared>,
    mcp: Mcp,
}

impl Front {
    fn new(options: &Options) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared::new(options, Ledger::default())?);
        let modern = options.era == Era::Modern;
        let config = StreamableHttpServerConfig::default()
            .enforce_origin_validation()
            .with_allowed_origins(["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"])
            .with_legacy_session_mode(!modern)
            .with_stateless_protocol_metadata_required(modern);
        let for_sessions = Arc::clone(&shared);
        let mcp = StreamableHttpService::new(
            move || Ok(Everything::new(Arc::clone(&for_sessions))),
            Arc::new(LocalSessionManager::default()),
            config,
        );
        Ok(Self { era: options.era, shared, mcp })
    }

    async fn answer(&self, request: Request<Incoming>) -> Reply {
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/ledger") => json(StatusCode::OK, self.shared.ledger.to_json()),
            (_, "/mcp") => self.mcp(request).await,
            _ => json(StatusCode::NOT_FOUND, r#"{"error":"only /mcp and /ledger"}"#),
        }
    }

    async fn mcp(&self, request: Request<Incoming>) -> Reply {
        let deleted =
            (request.method() == Method::DELETE).then(|| session_of(request.headers().get("mcp-session-id")));
        let reply = match self.era {
            Era::Legacy => legacy::answer(request, &self.mcp).await,
            Era::Both | Era::Modern => self.mcp.handle(request).await,
        };
        if let Some(session) = session_of(reply.headers().get("mcp-session-id")) {
            self.shared.ledger.opened(&session);
        }
        if let Some(Some(session)) = deleted
            && reply.status().is_success()
        {
            self.shared.ledger.closed(&session);
        }
        reply
    }
}

fn session_of(header: Option<&HeaderValue>) -> Option<String> {
    Some(header?.to_str().ok()?.to_owned())
}

fn json(status: StatusCode, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()).boxed());
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}
