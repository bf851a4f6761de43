//! Commands of the binary.

pub mod call;
