//! The hello: which era a server is of, and a session where there are sessions
//! (2026-07-28, streamable HTTP, "Backward Compatibility"; 2025-11-25, lifecycle, "Initialization").

use super::{
    ClientError, Endpoint, Ids,
    exchange::{Reply, ask},
};
use mcpfleet_protocol::{
    Revision,
    answer::Implementation,
    client::{
        InitializeReply, LegacyPeer, ModernPeer, Peer, Probe, classify_probe,
        initialize as initialize_request,
    },
    header::SessionId,
    json::JsonText,
};

/// Asks a server of unknown era.
pub(super) async fn peer(endpoint: &Endpoint, ids: &Ids) -> Result<Peer, ClientError> {
    let modern = ModernPeer { client: ourselves(), capabilities: JsonText::empty_object(), log_level: None };
    let id = ids.next();
    let answered = ask(endpoint, None, modern.discover(&id), &id).await?;
    match classify_probe(answered.status, &answered.message) {
        Probe::Modern(_) => Ok(Peer::Modern(modern)),
        Probe::Legacy => initialize(endpoint, ids).await.map(Peer::Legacy),
        Probe::Unusable(why) => Err(why.into()),
    }
}

/// Opens a legacy session.
pub(super) async fn initialize(endpoint: &Endpoint, ids: &Ids) -> Result<LegacyPeer, ClientError> {
    let id = ids.next();
    let outgoing = initialize_request(&id, &ourselves(), &JsonText::empty_object(), Revision::LATEST_LEGACY);
    let answered = ask(endpoint, None, outgoing, &id).await?;
    let result = match answered.reply(&id)? {
        Reply::Result(result) => result,
        Reply::Error(failure) => return Err(ClientError::Rpc(failure)),
    };
    let revision = InitializeReply::read(&result)?.revision;
    let legacy = LegacyPeer { revision, session: SessionId::from_headers(&answered.headers) };
    let status = endpoint.post(legacy.initialized()).await?.status();
    if status.is_success() { Ok(legacy) } else { Err(ClientError::Status(status)) }
}

/// A peer with nothing to say goodbye to.
pub(super) fn nobody() -> Peer {
    Peer::Legacy(LegacyPeer { revision: Revision::LATEST_LEGACY, session: None })
}

fn ourselves() -> Implementation {
    Implementation::new("mcp-runtime", env!("CARGO_PKG_VERSION"))
}
