//! The gateway as its clients and upstreams see it: real processes over loopback, raw HTTP, every status, header and
//! frame asserted. `MCPFLEET_RUNTIME` names the binary of the runtime.
//!
//! ```text
//!  test ──raw HTTP or a pipe──► mcp-runtime (one or several) ──► everything, with its ledger; or a scripted upstream
//! ```
//!
//! Nothing here measures time: whatever is awaited is awaited for a minute, and then the test says what did not come.

// The lint spares test functions, not what they share.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod bad_input;
mod batches;
mod cancelling;
mod crossing;
mod exactly_once;
mod forged_retries;
mod harness;
mod headers;
mod http_sse;
mod misbehaviour;
mod pairs;
mod program_ends;
mod program_faults;
mod programs;
mod replicas;
mod sessions;
mod standard_io;
mod startup;
mod streams;
