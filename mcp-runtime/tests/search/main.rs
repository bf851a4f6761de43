//! Tool search and the registry, seen from outside: the real binary, clients of every revision, a provider with faults.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "scripts read better so")]

mod callers;
mod finding;
#[allow(dead_code, reason = "shared with other test targets")]
#[path = "../identity/idp.rs"]
mod idp;
#[allow(dead_code, reason = "shared with other test targets")]
#[path = "../runtime/manifests.rs"]
mod manifests;
mod meaning;
mod neighbours;
#[allow(dead_code, reason = "shared with other test targets")]
#[path = "../runtime/process.rs"]
mod process;
mod registry;
#[allow(dead_code, reason = "shared with other test targets")]
#[path = "../edges/server.rs"]
mod server;
mod shop;
#[allow(dead_code, reason = "shared with other test targets")]
#[path = "../identity/signing.rs"]
mod signing;
mod tasks;
