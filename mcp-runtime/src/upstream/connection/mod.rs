//! One MCP client connection: a server whose era is known, and what is asked of it.
//!
//! ```text
//! Endpoint (URL, headers) -> open: server/discover, else initialize -> Connection { peer }
//! Connection -> list_tools, call_tool -> exchange: one POST and the message that answers it
//! ```
//! Nothing is sent twice, with one exception: a server that does not know our session has not looked at the request,
//! so after a new `initialize` it is sent once more.

mod endpoint;
mod error;
mod exchange;
mod listing;
mod open;

pub use endpoint::Endpoint;
pub use error::{ClientError, RpcFailure};
pub use listing::Listing;

use crate::{admission::Permit, identity::Principal};
use arc_swap::ArcSwap;
use exchange::Reply;
use mcpfleet_protocol::{
    Era,
    client::{CallParams, Outgoing, Peer},
    header::ParamHeader,
    json::Members,
    jsonrpc::Id,
};
use serde_json::value::RawValue;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// How long a farewell (a cancellation, the end of a session) may take before it is given up.
const FAREWELL: Duration = Duration::from_secs(5);

/// A connection to one server.
#[derive(Debug)]
pub struct Connection {
    endpoint: Endpoint,
    /// Replaced when a legacy session is renewed.
    peer: ArcSwap<Peer>,
    /// Held while a session is renewed, so that many calls that meet its end renew it once.
    renewal: tokio::sync::Mutex<()>,
    /// Parameters that a modern server wants mirrored into headers, by tool, from the last list.
    mirrored: ArcSwap<HashMap<String, Vec<ParamHeader>>>,
    ids: Ids,
}

/// Numbers that are unique within a connection.
#[derive(Debug, Default)]
struct Ids(AtomicI64);

impl Ids {
    fn next(&self) -> Id<'static> {
        Id::number(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl Connection {
    /// Finds out the server's era and says hello. Unbounded in time: set a deadline around it.
    ///
    /// # Errors
    /// Why the server cannot be used, now or at all.
    pub async fn open(endpoint: Endpoint) -> Result<Self, ClientError> {
        let ids = Ids::default();
        let peer = open::peer(&endpoint, &ids).await?;
        Ok(Self {
            endpoint,
            peer: ArcSwap::from_pointee(peer),
            renewal: tokio::sync::Mutex::default(),
            mirrored: ArcSwap::default(),
            ids,
        })
    }

    /// The server's era.
    pub fn era(&self) -> Era {
        self.peer.load().era()
    }

    /// Every page of `tools/list`, within bounds.
    ///
    /// # Errors
    /// [`ClientError`]; a list that breaks off is no list.
    pub async fn list_tools(&self) -> Result<Listing, ClientError> {
        let listing = listing::read(self).await?;
        self.mirrored.store(Arc::new(listing.mirrored()));
        Ok(listing)
    }

    /// Calls a tool; gives the result without `resultType`. Dropping the future cancels the call at the server: by
    /// closing the stream, and to a legacy server also by a notification. The call is made in the name of `caller`. `permit` is told while the call waits for a
    /// new session.
    ///
    /// # Errors
    /// [`ClientError::Rpc`] when the server answered with an error.
    pub async fn call_tool(
        &self,
        name: &str,
        arguments: &RawValue,
        caller: Option<&Arc<Principal>>,
        permit: Option<&Permit>,
    ) -> Result<Box<RawValue>, ClientError> {
        let endpoint = self.endpoint.acting_for(caller);
        let mirrored = self.mirrored.load_full();
        let make = |peer: &Peer, id: &Id<'_>| {
            let call = CallParams { name, arguments: arguments.get(), progress_token: None, meta: None };
            let outgoing = peer.call_tool(id, &call);
            match (peer, mirrored.get(name)) {
                (Peer::Modern(_), Some(params)) => outgoing.with_param_headers(params, arguments.get()),
                _ => outgoing,
            }
        };
        without_result_type(self.request(&endpoint, make, permit).await?)
    }

    /// Ends a legacy session. A connection that is dropped does the same in the background.
    pub async fn close(self) {
        farewell(self.endpoint.clone(), self.peer.load_full()).await;
        // The session is gone: dropping must not end it again.
        self.peer.store(Arc::new(open::nobody()));
    }

    /// One request and its answer, after a renewal of the session when that has ended.
    async fn request(
        &self,
        endpoint: &Endpoint,
        make: impl Fn(&Peer, &Id<'_>) -> Outgoing,
        permit: Option<&Permit>,
    ) -> Result<Box<RawValue>, ClientError> {
        let peer = self.peer.load_full();
        match self.attempt(endpoint, &peer, &make).await {
            Err(ClientError::SessionExpired) => {
                // It waits for one call's `initialize`, whoever of them makes it.
                let blocked = permit.map(Permit::blocked);
                let peer = self.renewed(&peer).await?;
                drop(blocked);
                self.attempt(endpoint, &peer, &make).await
            }
            other => other,
        }
    }

    async fn attempt(
        &self,
        endpoint: &Endpoint,
        peer: &Arc<Peer>,
        make: impl Fn(&Peer, &Id<'_>) -> Outgoing,
    ) -> Result<Box<RawValue>, ClientError> {
        let id = self.ids.next();
        let outgoing = make(peer, &id);
        let mut cancel = CancelOnDrop { armed: Some((endpoint.clone(), peer.clone(), id.clone())) };
        let reply = exchange::exchange(endpoint, peer.as_ref(), outgoing, &id).await;
        // It is done, well or badly: there is nothing to cancel any more.
        cancel.armed = None;
        match reply? {
            Reply::Result(result) => Ok(result),
            Reply::Error(failure) => Err(ClientError::Rpc(failure)),
        }
    }

    /// The peer after the one that has `stale` for a session.
    async fn renewed(&self, stale: &Arc<Peer>) -> Result<Arc<Peer>, ClientError> {
        let _one_at_a_time = self.renewal.lock().await;
        let current = self.peer.load_full();
        if !Arc::ptr_eq(&current, stale) {
            return Ok(current);
        }
        let renewed = Arc::new(Peer::Legacy(open::initialize(&self.endpoint, &self.ids).await?));
        self.peer.store(renewed.clone());
        Ok(renewed)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        in_background(farewell(self.endpoint.clone(), self.peer.load_full()));
    }
}

/// Ends a legacy session, so that the server need not keep it until it times out.
async fn farewell(endpoint: Endpoint, peer: Arc<Peer>) {
    if let Peer::Legacy(legacy) = peer.as_ref()
        && let Some(headers) = legacy.delete()
    {
        // 405 is an answer that servers may give, and a lost one changes nothing.
        let _ = tokio::time::timeout(FAREWELL, endpoint.delete(headers)).await;
    }
}

/// Tells a legacy server that nobody waits for an answer any more. To a modern one closing the stream says so.
struct CancelOnDrop {
    armed: Option<(Endpoint, Arc<Peer>, Id<'static>)>,
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some((endpoint, peer, id)) = self.armed.take()
            && let Peer::Legacy(legacy) = peer.as_ref()
        {
            let outgoing = legacy.cancelled(&id, "the caller no longer waits");
            in_background(async move {
                let _ = tokio::time::timeout(FAREWELL, endpoint.post(outgoing)).await;
            });
        }
    }
}

/// Runs `work` on the runtime that we are on, if we are still on one: drops happen at shutdown too.
fn in_background(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(work);
    }
}

/// The envelope field of the era is not part of the result (2026-07-28, basic, "`ResultType`"). Everything else stays as
/// it came.
fn without_result_type(result: Box<RawValue>) -> Result<Box<RawValue>, ClientError> {
    let members = Members::read(&result).unwrap_or_default();
    let Some(kind) = members.get("resultType") else { return Ok(result) };
    match serde_json::from_str::<&str>(kind.get()) {
        Ok("complete") => {}
        Ok("input_required") => return Err(ClientError::InputRequired),
        _ => return Err(ClientError::UnknownResultType),
    }
    let kept = members.iter().filter(|(name, _)| *name != "resultType");
    let mut text = String::with_capacity(result.get().len());
    for (name, value) in kept {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.push_str(&serde_json::Value::from(name).to_string());
        text.push(':');
        text.push_str(value.get());
    }
    text.push_str(if text.is_empty() { "{}" } else { "}" });
    RawValue::from_string(text).map_err(|_| ClientError::UnknownResultType)
}
