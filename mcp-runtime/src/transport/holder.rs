//! A request in a session goes to the replica that holds it ([`crate::adoption`]).

use super::{answer, mcp::Call, relay};
use crate::{
    adoption::{ADOPT, Adopted, Place, adopt, find},
    conversation::{self, Client, TaskPlace},
    model::Body,
    peer::{Forwarded, PeerError, Peers},
    session::Ticket,
};
use http::{HeaderValue, Request, Response, StatusCode};
use mcpfleet_protocol::server::{self, Refusal};
use std::sync::Arc;

/// How often another place is looked for when those that were found are gone.
const TRIES: usize = 4;

/// Between the holders that were found gone.
const SEPARATOR: &str = ",";

/// A replica that does not hold a session.
struct Miss;

impl Call<'_> {
    /// The answer of the replica that holds a session, when that is another one; or that the session has ended. `None`: it
    /// is held here, by now.
    pub(super) async fn held_elsewhere(&self, ticket: &Ticket) -> Option<Response<Body>> {
        let peers = self.visit.shared.peers.clone()?;
        if self.visit.holds(ticket) {
            return None;
        }
        if self.arrived.parts.extensions.get::<Forwarded>().is_some() {
            return self.handed_over(ticket).await;
        }
        let mut gone = Vec::new();
        let known = self.visit.shared.adoptions.holder(ticket.key);
        for holder in known.into_iter().chain([ticket.owner.clone()]) {
            match self.at(&peers, &holder, None).await {
                Ok(response) => return Some(response),
                Err(Miss) => gone.push(holder),
            }
        }
        // What this process has adopted itself and is about to hand over is in nobody's way.
        if self.visit.shared.adoptions.is_here(ticket.key) {
            gone.push(self.visit.shared.own_address());
        }
        for _ in 0..TRIES {
            match self.claim(ticket, &gone).await {
                Place::Free => return None,
                Place::Ended => return Some(self.ended(ticket)),
                Place::At(holder) => match self.at(&peers, &holder, None).await {
                    Ok(response) => return Some(self.noted(ticket, &holder, response)),
                    Err(Miss) => gone.push(holder),
                },
                Place::FreeFor(holder) => match self.at(&peers, &holder, Some(&gone)).await {
                    Ok(response) => return Some(self.noted(ticket, &holder, response)),
                    Err(Miss) => gone.push(holder),
                },
            }
        }
        // Replicas come and go faster than they can be asked. Nothing was sent anywhere.
        Some(answer::not_heard())
    }

    /// The client of a request in a session that follows a task, or the answer of the replica that keeps the task. That one
    /// is asked before the session's holder: what was handed on once stays where it is, and the two can differ, as while a
    /// replica drains that has work to finish. `None` when the request is of another kind, or that replica is gone.
    pub(super) async fn follower(
        &self,
        request: &server::Request<'_>,
    ) -> Option<Result<Arc<Client>, Box<Response<Body>>>> {
        let place = conversation::task_followed(&self.visit, &self.principal, request)?;
        let ticket = self.session(&request.context, Some(request)).ok()??;
        match place {
            _ if self.visit.holds(&ticket) => None,
            TaskPlace::Here => Some(Ok(Arc::new(Client::of_ticket(&ticket, self.principal.clone())))),
            TaskPlace::At(owner) => self.of_task(&owner).await.map(|response| Err(Box::new(response))),
        }
    }

    /// Another replica has sent the request here: either because it takes us for the holder, or because we are to be.
    async fn handed_over(&self, ticket: &Ticket) -> Option<Response<Body>> {
        let gone = self.arrived.parts.headers.get(ADOPT).and_then(|gone| gone.to_str().ok());
        let Some(gone) = gone else { return Some(answer::misdirected()) };
        let gone: Vec<String> = gone.split(SEPARATOR).map(ToOwned::to_owned).collect();
        let _one = self.visit.shared.adoptions.claiming(ticket.key).await;
        match adopt(&self.visit, &self.principal, ticket, &gone).await {
            Adopted::Yes => None,
            Adopted::ByAnother => Some(answer::misdirected()),
            Adopted::Ended => Some(self.ended(ticket)),
        }
    }

    /// Where the session is; [`Place::Free`] when it was adopted here just now.
    async fn claim(&self, ticket: &Ticket, gone: &[String]) -> Place {
        let _one = self.visit.shared.adoptions.claiming(ticket.key).await;
        if self.visit.holds(ticket) {
            return Place::Free;
        }
        for _ in 0..TRIES {
            match find(&self.visit, ticket, gone).await {
                Place::Free => match adopt(&self.visit, &self.principal, ticket, gone).await {
                    Adopted::Yes => return Place::Free,
                    Adopted::Ended => return Place::Ended,
                    Adopted::ByAnother => {}
                },
                place => return place,
            }
        }
        Place::Free
    }

    /// The answer of `holder`; `adopting` names the holders that were found gone, when this one is to take their place.
    async fn at(
        &self,
        peers: &Arc<Peers>,
        holder: &str,
        adopting: Option<&[String]>,
    ) -> Result<Response<Body>, Miss> {
        let shared = &self.visit.shared;
        if holder.is_empty() || holder == shared.own_address() || shared.absent.has(holder) {
            return Err(Miss);
        }
        let mut request = Request::from_parts(self.arrived.parts.clone(), self.arrived.body.clone());
        request.headers_mut().remove(ADOPT);
        if let Some(gone) = adopting {
            request
                .headers_mut()
                .insert(ADOPT, HeaderValue::from_str(&gone.join(SEPARATOR)).map_err(|_| Miss)?);
        }
        match peers.forward(holder, request).await {
            Ok(response) if response.status() == StatusCode::MISDIRECTED_REQUEST => Err(Miss),
            Ok(response) => Ok(relay::guarded(response, &self.arrived.body, holder)),
            Err(PeerError::Unreachable { .. }) => {
                shared.absent.note(holder);
                Err(Miss)
            }
            Err(error @ PeerError::Interrupted { .. }) => Ok(relay::interrupted(&self.arrived.body, &error)),
            Err(error @ PeerError::Busy { .. }) => Ok(answer::peer_failed(&error)),
        }
    }

    fn noted(&self, ticket: &Ticket, holder: &str, response: Response<Body>) -> Response<Body> {
        self.visit.shared.adoptions.note(ticket.key, holder);
        response
    }

    fn ended(&self, ticket: &Ticket) -> Response<Body> {
        self.visit.server.sessions.end(ticket.key);
        answer::refusal(&Refusal::session_unknown(relay::id_of(&self.arrived.body).as_ref()))
    }
}
