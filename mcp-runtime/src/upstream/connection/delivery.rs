//! Hands out what comes on a session's own stream: what belongs to a call goes to it; news go to those who keep the lists;
//! a request that comes while no call could be asked is answered here.

use super::{
    inbox::{Inbox, MAX_NOTICE, Recipient},
    news,
    outlet::Outlet,
    questions::body as answer,
    session::{FAREWELL, id_of, unasked},
};
use crate::{exchange::Unanswered, upstream::bell::Bell};
use bytes::Bytes;
use mcpfleet_protocol::{
    client::Peer,
    json::JsonText,
    jsonrpc::{self, Message},
};
use std::sync::Arc;
use tokio::time::timeout;

/// Whoever hands out.
pub(super) struct Delivery {
    pub(super) outlet: Outlet,
    pub(super) peer: Peer,
    pub(super) inbox: Arc<Inbox>,
    pub(super) bell: Arc<Bell>,
}

impl Delivery {
    /// Hands out one message; waits for a call that must get it.
    pub(super) async fn deliver(&self, message: Bytes) {
        match self.inbox.recipient(&message) {
            // Whoever has left by now wants nothing.
            Recipient::Call(call) => drop(call.send(message).await),
            Recipient::Room(room) => drop(room.send(message)),
            Recipient::IfRoom(call) if message.len() <= MAX_NOTICE => drop(call.try_send(message)),
            Recipient::IfRoom(_) => {}
            Recipient::Nobody => self.unclaimed(&message).await,
        }
    }

    /// Nothing will come any more.
    pub(super) fn close(&self) {
        self.inbox.close();
        self.bell.lists_changed();
    }

    async fn unclaimed(&self, message: &[u8]) {
        match jsonrpc::parse(message) {
            Ok(Message::Notification { method, params }) if news::is_news(&method) => {
                news::tell(&self.bell, id_of(&self.peer), &method, params);
            }
            Ok(Message::Request { id, method, .. }) => {
                let body = match method.as_ref() {
                    "ping" => jsonrpc::success(&id, &JsonText::empty_object()),
                    // There is a client, but no call through which it could be asked.
                    _ => answer(&id, Err(Unanswered::NotOffered { method: method.into_owned() })),
                };
                let _ = timeout(FAREWELL, self.outlet.send(unasked(&self.peer, body))).await;
            }
            _ => {}
        }
    }
}
