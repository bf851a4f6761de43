//! Hands out what comes on a session's own stream: what belongs to a call goes to it; news go to those who keep the lists;
//! what a request that comes while no call could be asked is for is [`Outside`].

use super::{
    inbox::{Inbox, MAX_NOTICE, Recipient},
    news,
    outside::{Mouth, Outside},
    session::id_of,
};
use crate::{exchange::Question, upstream::bell::Bell};
use bytes::Bytes;
use mcpfleet_protocol::{
    json::{JsonText, Members},
    jsonrpc::{self, Id, Message},
};
use std::sync::Arc;

/// Whoever hands out.
pub(super) struct Delivery {
    pub(super) mouth: Mouth,
    pub(super) outside: Outside,
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
                news::tell(&self.bell, id_of(&self.mouth.peer), &method, params);
            }
            Ok(Message::Notification { method, params }) if method == "notifications/cancelled" => {
                let id = params.and_then(Members::read).and_then(|params| params.get("requestId"));
                id.and_then(Id::read).into_iter().for_each(|id| self.outside.withdraw(&id));
            }
            Ok(Message::Request { id, method, .. }) if method == "ping" => {
                self.mouth.say(jsonrpc::success(&id, &JsonText::empty_object())).await;
            }
            Ok(Message::Request { id, method, params }) => {
                let question =
                    Question { method: method.into_owned(), params: params.map(ToOwned::to_owned) };
                self.outside.ask(&self.mouth, &id, question).await;
            }
            _ => {}
        }
    }
}
