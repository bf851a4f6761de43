//! Model calls, sans-IO: what a request asks for, which provider answers it, and what clients are told.
//!
//! ```text
//! body bytes -> inspect -> Inspected { model, stream } -> choose -> Provider
//! provider's chunks -> sse::Relay -> the same bytes, and a truthful end when they are cut
//! ```
//!
//! A request in the dialect of its provider passes through untyped: nothing here rewrites it, so fields that are newer
//! than this code reach the provider.

mod choose;
pub mod embeddings;
mod inspect;
pub mod openai;
pub mod sse;

pub use choose::{ChooseError, choose};
pub use inspect::{Answer, BadRequest, Inspected, inspect};
