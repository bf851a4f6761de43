//! Tasks (extension `io.modelcontextprotocol/tasks`) through the real binary, in front of upstreams of both eras that the
//! test scripts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "scripts read better so")]

mod asynchronous;
mod client;
mod durable;
mod held;
mod legacy_upstream;
#[path = "../runtime/manifests.rs"]
#[allow(dead_code, reason = "shared with another test")]
mod manifests;
mod modern_upstream;
#[path = "../runtime/process.rs"]
#[allow(dead_code, reason = "shared with another test")]
mod process;
mod redis;
mod replicas;
mod script;
#[path = "../edges/server.rs"]
#[allow(dead_code, reason = "shared with another test")]
mod server;
