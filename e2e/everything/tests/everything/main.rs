//! The upstream fixture, over HTTP.

// The lint spares test functions, not what they share.
#![allow(clippy::expect_used)]

mod client;
mod eras;
mod ledger;
