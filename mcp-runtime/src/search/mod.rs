//! Tool search: a short list, and a way to find the rest.
//!
//! In: the catalogue of one snapshot, and a query of a caller's. Out: the definitions that fit best, of those that he may
//! use. A caller who may use no more tools than `toolSearch.above` sees the whole list, as without search.
//!
//! ```text
//! tools/list -> Finder::shortens -> search_tools, call_tool, high priority, `always`      (catalog::lists)
//! search_tools -> words (BM25) + meaning (embeddings, when a model is there) -> fused -> answer
//! call_tool {name, arguments} -> the same as tools/call of that name                      (search::unwrapped)
//! ```

mod answer;
mod document;
mod find;
mod fuse;
mod index;
mod kin;
mod meaning;
mod nearest;
mod offered;
mod unwrap;
mod vectors;
mod words;

#[cfg(test)]
mod relevance;

pub use answer::{Found, Ranking, Wanted};
pub use document::Document;
pub use find::Finder;
pub use index::{Hit, Index};
pub use meaning::Meaning;
pub use offered::Helper;
pub use unwrap::{refusal, unwrapped};
