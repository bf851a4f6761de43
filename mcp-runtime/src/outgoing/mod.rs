//! What requests to others carry: fixed credentials, tokens of our own, tokens for the caller.
//!
//! In: the headers that the configuration asks for, the secrets that it names, and who calls. Out: a [`CredentialSource`]
//! that gives the headers of each request, and sends it once more when a token was refused that can be had anew.
//! The caller's own token never leaves but through `passThrough` (to an upstream) and `tokenExchange` (to the token
//! endpoint): MCP, security best practices, "Token Passthrough".

mod endpoint;
mod source;
mod tokens;

pub use endpoint::TokenError;
pub use source::{CredentialSource, NoCredential, SendError};
pub use tokens::Signer;

use crate::{credentials::Credentials, identity::Principal};
use mcpfleet_config::Header;

/// For whom a request is made, and with whose secrets.
#[derive(Clone, Copy, Debug)]
pub struct Behalf<'a> {
    /// The server's secrets.
    pub credentials: &'a Credentials,
    /// Its tokens.
    pub signer: &'a Signer,
    /// Who calls; `None` when the runtime asks for itself.
    pub caller: Option<&'a Principal>,
}

impl Behalf<'_> {
    /// What gives a request the headers that it asks for.
    ///
    /// # Errors
    /// [`NoCredential::Missing`]: a secret is not there, or no header can carry it.
    pub fn source(&self, headers: &[Header]) -> Result<CredentialSource, NoCredential> {
        Ok(self.signer.source(headers, self.credentials)?)
    }
}
