//! Looks for whoever holds a session whose known holders are gone, or is to.

use super::{
    question::{self, State},
    record,
};
use crate::{
    conversation::Visit,
    peer::Peers,
    session::{SessionKey, Ticket},
    store::StoreError,
};
use futures::future::join_all;
use sha2::{Digest as _, Sha256};
use std::{net::SocketAddr, sync::Arc};

/// Replicas that are asked whether they take a session which begins here when this one is about to go.
const HEIRS: usize = 3;

/// Where a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// It was deleted.
    Ended,
    /// This replica (`ip:port`) has adopted it.
    At(String),
    /// Nobody holds it: this process is to adopt it.
    Free,
    /// Nobody holds it: that replica is to adopt it.
    FreeFor(String),
}

/// Where a session is whose holders so far are all `gone`.
pub async fn find(visit: &Visit, ticket: &Ticket, gone: &[String]) -> Place {
    let Some(peers) = &visit.shared.peers else { return Place::Free };
    if visit.server.store.is_shared() {
        match recorded(visit, ticket.key, gone).await {
            Ok(Place::Free) if !visit.shared.is_draining() => return Place::Free,
            Ok(Place::Free) => {}
            Ok(place) => return place,
            Err(error) => tracing::debug!(%error, "the store is not asked who holds a session"),
        }
    }
    asked(visit, peers, ticket.key, gone).await
}

async fn recorded(visit: &Visit, key: SessionKey, gone: &[String]) -> Result<Place, StoreError> {
    let store = &visit.server.store;
    if record::is_ended(store, key).await? {
        return Ok(Place::Ended);
    }
    let own = visit.shared.own_address();
    let holder = record::read(store, key).await?.map(|record| record.holder);
    let living = holder.filter(|holder| !holder.is_empty() && *holder != own && !gone.contains(holder));
    Ok(living.map_or(Place::Free, Place::At))
}

async fn asked(visit: &Visit, peers: &Arc<Peers>, key: SessionKey, gone: &[String]) -> Place {
    let absent = &visit.shared.absent;
    let others = peers.others().into_iter().filter(|other| {
        let name = other.to_string();
        !gone.contains(&name) && !absent.has(&name)
    });
    let answers = join_all(others.map(|other| async move {
        let state = question::ask(peers, other, &visit.server.name, key).await;
        if state.is_none() {
            absent.note(&other.to_string());
        }
        (other, state)
    }))
    .await;
    let own = (!visit.shared.is_draining()).then(|| peers.own_address());
    place(key, &answers, own)
}

/// A session that begins while this process is about to go: another replica's, when there is one that takes it.
pub async fn bequeathed(visit: &Visit, ticket: Ticket) -> Ticket {
    let Some(peers) = &visit.shared.peers else { return ticket };
    let (own, absent) = (peers.own_address(), &visit.shared.absent);
    let mut heirs = peers.others();
    heirs.retain(|heir| *heir != own && !absent.has(&heir.to_string()));
    heirs.sort_by_key(|replica| std::cmp::Reverse(rank(ticket.key, *replica)));
    for heir in heirs.into_iter().take(HEIRS) {
        match question::ask(peers, heir, &visit.server.name, ticket.key).await {
            Some(State::Free) => return Ticket { owner: heir.to_string(), ..ticket },
            Some(_) => {}
            None => absent.note(&heir.to_string()),
        }
    }
    ticket
}

/// What the answers of the others come to. Pure.
fn place(key: SessionKey, answers: &[(SocketAddr, Option<State>)], own: Option<SocketAddr>) -> Place {
    let such = |wanted: State| answers.iter().find(|(_, state)| *state == Some(wanted));
    if such(State::Ended).is_some() {
        return Place::Ended;
    }
    if let Some((holder, _)) = such(State::Holds) {
        return Place::At(holder.to_string());
    }
    let free = answers.iter().filter(|(_, state)| *state == Some(State::Free)).map(|(other, _)| *other);
    match free.chain(own).max_by_key(|replica| rank(key, *replica)) {
        Some(first) if Some(first) != own => Place::FreeFor(first.to_string()),
        _ => Place::Free,
    }
}

/// The same for everybody who computes it, and another order for each session (rendezvous hashing).
fn rank(key: SessionKey, replica: SocketAddr) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(key);
    hash.update(replica.to_string());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(n: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, n], 8082))
    }

    /// Where a replica finds a session, and the address that this means.
    fn chosen(key: SessionKey, own: u8, all: &[u8]) -> SocketAddr {
        let answers: Vec<_> =
            all.iter().filter(|n| **n != own).map(|n| (replica(*n), Some(State::Free))).collect();
        match place(key, &answers, Some(replica(own))) {
            Place::Free => replica(own),
            Place::FreeFor(other) => other.parse().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn all_that_see_the_same_replicas_choose_the_same_and_sessions_are_spread() {
        let mut chosen_by = std::collections::BTreeMap::<SocketAddr, usize>::new();
        for n in 0..=255 {
            let key = [n; 16];
            let first = chosen(key, 1, &[1, 2, 3]);
            assert_eq!([chosen(key, 2, &[1, 2, 3]), chosen(key, 3, &[1, 2, 3])], [first; 2]);
            *chosen_by.entry(first).or_default() += 1;
        }
        assert!(chosen_by.len() == 3 && chosen_by.values().all(|count| *count > 40), "{chosen_by:?}");
    }

    #[test]
    fn a_holder_goes_before_rank_an_end_before_a_holder_and_who_leaves_is_not_chosen() {
        let key = [1; 16];
        let own = Some(replica(1));
        let free = (replica(2), Some(State::Free));
        let holds = (replica(3), Some(State::Holds));
        assert_eq!(place(key, &[free, holds], own), Place::At(replica(3).to_string()));
        assert_eq!(place(key, &[free, holds, (replica(4), Some(State::Ended))], own), Place::Ended);
        let rest = [(replica(2), Some(State::Leaving)), (replica(3), None)];
        assert_eq!(place(key, &rest, own), Place::Free);
        assert_eq!(place(key, &[free], None), Place::FreeFor(replica(2).to_string()));
        assert_eq!(place(key, &rest, None), Place::Free, "nobody else is there");
    }
}
