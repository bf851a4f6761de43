//! Replicas among themselves, in one process but over real sockets: who is believed, how answers stream, what is said
//! when a peer is lost. Nothing here measures time; where order matters, one side waits for the other.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod faults;
mod proof;
mod replica;
mod streaming;
mod wire;
