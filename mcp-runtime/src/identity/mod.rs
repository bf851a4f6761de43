//! Who calls.
//!
//! In: the headers of a request, before its body is read. Out: a [`Principal`], or a [`Challenge`] that says how to get in.
//!
//! ```text
//! presented (which credential) -> keyring (a key of ours) | oauth (an access token) | nobody -> Principal
//! ```
//! A [`Gatekeeper`] belongs to one configuration and its secrets; what issuers' keys it has fetched goes on to the next.
//! The clauses: MCP 2026-07-28, basic/authorization (the same rules since 2025-06-18); RFC 6750 (bearer tokens and
//! challenges); RFC 9728 (resource metadata); RFC 9068 and RFC 8725 (what makes a JWT an access token).

mod challenge;
mod elsewhere;
mod gatekeeper;
pub mod keys;
mod oauth;
mod pass;
mod presented;
mod principal;
mod resource;

pub use challenge::Challenge;
pub use elsewhere::is_admitted;
pub use gatekeeper::{Fit, Gatekeeper};
pub use pass::{Bearer, Door, Pass};
pub use principal::{Principal, Right, Scopes, ToolPatterns, matches};
pub use resource::is_well_known;

use aws_lc_rs::digest::{SHA256, digest};

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}
