//! `input_required`: what a client is asked, and the state that it brings back (2026-07-28, basic/patterns/mrtr).
//!
//! The state is sealed: it says whose request it belongs to, which request that was, and until when it is worth
//! anything. A client can neither read nor change it, nor use it for another request or as another principal.

use crate::{
    exchange::{Answer, Ask, Question, Unanswered},
    seal::{Keyring, NotSealed, Purpose},
};
use mcpfleet_protocol::{
    json::JsonText,
    mrtr::{InputMethod, InputResponses, MAX_INPUTS, write_requests},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use sha2::{Digest as _, Sha256};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot;

/// How long a client may take to bring what it was asked for. A person reads, thinks and types.
pub(super) const PATIENCE: Duration = Duration::from_mins(10);

/// What makes a request the same when it is retried: server, method, name or URI, arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest([u8; 16]);

impl Digest {
    /// The digest of what is asked. Arguments that mean the same are the same, however they are written.
    pub(super) fn of(server: &str, ask: &Ask) -> Self {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        };
        add(server);
        add(ask.method());
        let (name, arguments) = match ask {
            Ask::CallTool { name, arguments } => (name.as_str(), Some(arguments)),
            Ask::GetPrompt { name, arguments } => (name.as_str(), arguments.as_ref()),
            Ask::ReadResource { uri } => (uri.as_str(), None),
            Ask::Complete { argument, .. } => ("", Some(argument)),
            Ask::Task { id, .. } => (id.as_str(), None),
        };
        add(name);
        // Read into a tree, an object's members are in order.
        let arguments = arguments.and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
        add(&arguments.unwrap_or(Value::Object(serde_json::Map::new())).to_string());
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash.finalize()[..16]);
        Self(digest)
    }
}

/// What a `requestState` of ours says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sealed {
    /// The work waits in one replica.
    Suspended {
        /// Under which name.
        key: [u8; 16],
        /// `ip:port` of the peer listener of that replica; empty when it has none.
        owner: String,
    },
    /// Nothing waits: an upstream gave this state of its own.
    Upstream {
        /// Its `requestState`.
        state: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    partition: [u8; 16],
    digest: [u8; 16],
    until: u64,
    state: Sealed,
}

/// Why a `requestState` cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Forged, changed, of another request, or of another caller.
    #[error("requestState does not belong to this request: send the request again without it")]
    Foreign,
    /// Too old.
    #[error("requestState has expired: send the request again without it")]
    Expired,
    /// The work that waited for it has ended, or was resumed already.
    #[error(
        "what waited for this input has ended or was resumed already; it is not run a second time: look before you send \
         the request again without requestState"
    )]
    Over,
    /// The replica in which the work waited is gone.
    #[error(
        "the replica in which this request waited for input is gone; it is not run a second time, for it may have taken \
         effect: look before you send it again without requestState"
    )]
    OwnerGone,
}

impl Sealed {
    /// The text for the client.
    ///
    /// # Errors
    /// When an upstream's state is longer than a client may be given to carry.
    pub(super) fn seal(
        self,
        keys: &Keyring,
        partition: [u8; 16],
        digest: Digest,
    ) -> Result<String, NotSealed> {
        let until = now() + PATIENCE.as_secs();
        let envelope = Envelope { partition, digest: digest.0, until, state: self };
        let text = serde_json::to_vec(&envelope).map_err(|_| NotSealed::Library)?;
        keys.seal(Purpose::RequestState, &text)
    }

    /// What the client's text says, for the same request by the same caller.
    ///
    /// # Errors
    /// [`Unusable::Foreign`], [`Unusable::Expired`].
    pub(super) fn open(
        text: &str,
        keys: &Keyring,
        partition: [u8; 16],
        digest: Digest,
    ) -> Result<Self, Unusable> {
        let bytes = keys.open(Purpose::RequestState, text).map_err(|_| Unusable::Foreign)?;
        let envelope: Envelope = serde_json::from_slice(&bytes).map_err(|_| Unusable::Foreign)?;
        if envelope.partition != partition || envelope.digest != digest.0 {
            return Err(Unusable::Foreign);
        }
        if now() >= envelope.until { Err(Unusable::Expired) } else { Ok(envelope.state) }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Questions that wait for a modern client, by the key under which it is asked.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    asked: u32,
    open: Vec<(String, Question, oneshot::Sender<Answer>)>,
}

impl Waiting {
    /// Nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// One more; one that no client of this era can be asked is refused at once.
    pub(super) fn add(&mut self, question: Question, reply: oneshot::Sender<Answer>) {
        if InputMethod::parse(&question.method).is_none() || self.open.len() >= MAX_INPUTS {
            // Whoever asked may be gone.
            let _ = reply.send(Err(Unanswered::NotOffered { method: question.method }));
            return;
        }
        self.asked += 1;
        self.open.push((format!("input_{}", self.asked), question, reply));
    }

    /// Drops what whoever asked wants no longer.
    pub(super) fn forget_withdrawn(&mut self) {
        self.open.retain(|(_, _, reply)| !reply.is_closed());
    }

    /// What the client is asked.
    pub(super) fn requests(&self) -> JsonText {
        write_requests(self.open.iter().filter_map(|(key, question, _)| {
            let method = InputMethod::parse(&question.method)?;
            Some((key.as_str(), method, question.params.as_deref().map(RawValue::get)))
        }))
    }

    /// Hands on what the client has brought. What it has not brought waits on.
    pub(super) fn answer(&mut self, responses: &InputResponses<'_>) {
        let open = std::mem::take(&mut self.open);
        for (key, question, reply) in open {
            match responses.get(&key) {
                // Whoever asked may have given up.
                Some(answer) => drop(reply.send(Ok(answer.to_owned()))),
                None => self.open.push((key, question, reply)),
            }
        }
    }
}
