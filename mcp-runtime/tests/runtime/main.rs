//! The real binary, started on files of its own and spoken to over sockets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::unnecessary_wraps, reason = "scripts read better so")]

mod aggregation;
mod backend;
mod bad_input;
mod certificate;
mod drain;
mod lint;
mod listener;
mod manifests;
mod notifications;
mod pin;
mod process;
mod protocol;
mod questions;
mod queue;
mod readiness;
mod reload;
mod replicas;
#[path = "../edges/server.rs"]
#[allow(dead_code, reason = "shared with another test")]
mod server;
mod standalone;
mod uplink;
