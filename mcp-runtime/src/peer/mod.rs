//! Replicas of one server among themselves: a request that only its owner can answer goes there, whichever replica the
//! client has reached.
//!
//! ```text
//! Peers::forward -> pool (a few HTTP/2 connections a peer) -> TLS 1.3 ==> listener -> the owner's own routes
//! ```
//! Both ends prove that they hold a session key of the server ([`identity`]); there is no authority and no name. The
//! client's headers travel as they are: the owner authenticates the client itself. What came from a peer is marked
//! [`Forwarded`], and is never forwarded again.

mod connection;
mod dial;
pub mod identity;
pub mod listener;
mod pool;
mod threshold;

pub use pool::{MAX_OTHERS, Peers};

use std::{net::SocketAddr, time::Duration};

/// From the first packet to the peer's word that it has verified us.
const DIAL_TIMEOUT: Duration = Duration::from_secs(2);
/// How often a peer that owes an answer, or is owed one, is asked whether it is still there.
const PING: Duration = Duration::from_secs(3);
/// How long it may take to say so. With [`PING`]: a peer that has died is noticed within 7 s.
const PONG: Duration = Duration::from_secs(4);
/// Requests at once on one connection.
const STREAMS: u32 = 128;
/// Bytes that may be under way in one answer, or one request.
const WINDOW: u32 = 64 * 1024;
/// Enough for every stream's own window: a client that reads slowly holds up nobody else's answer.
const CONNECTION_WINDOW: u32 = STREAMS * WINDOW;
/// Bytes of all headers of a request or an answer. A sealed session id may be one of them.
const HEADERS: u32 = 128 * 1024;
/// First byte from the listener once it has verified who dials. In TLS 1.3 the dialler is done before its own proof was
/// looked at; without this byte it could not tell a request that was refused from one that ran.
const WELCOME: u8 = 1;
/// The one protocol.
const ALPN: &[u8] = b"h2";

/// Marks a request, in its extensions, that another replica has forwarded: it is answered here or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forwarded;

/// Why a forwarded request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// Nothing of the request was sent, and its owner is most likely gone: another replica may take its place.
    #[error("replica {peer} cannot be reached: {why}")]
    Unreachable {
        /// As it was named.
        peer: String,
        /// What happened.
        why: Unreached,
    },
    /// Nothing of the request was sent; its owner lives, and has more to do than it can take. To be tried again later.
    #[error("replica {peer} has too many forwarded requests already; try again in a moment")]
    Busy {
        /// Its address.
        peer: SocketAddr,
    },
    /// The request was sent, and its answer will never come. It may have run: it must not be repeated.
    #[error("replica {peer} was lost while it worked on the request ({why})")]
    Interrupted {
        /// Its address.
        peer: SocketAddr,
        /// What happened.
        why: String,
    },
}

/// Why a peer cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreached {
    /// It is not named by `ip:port`.
    #[error("that is no ip:port")]
    NoAddress,
    /// This process has no shared session key, so nobody could know it.
    #[error("this process has no session keys yet by which replicas know each other")]
    NoKeys,
    /// It does not answer in time.
    #[error("it does not answer within {} s", DIAL_TIMEOUT.as_secs())]
    Timeout,
    /// Nobody listens there, or the network refuses.
    #[error("{0}")]
    Connect(String),
    /// Who listens there does not prove to be a replica of this server, or does not believe that we are.
    #[error("it is no replica of this server, or does not know the session keys of this one: {0}")]
    Unproved(String),
    /// Its connections end as soon as they are there.
    #[error("it closes its connections as soon as they are open")]
    Closing,
}
