//! The headers of one kind of request, made for each request.

use super::{
    endpoint::{TokenError, TokenQuery},
    tokens::{Signer, Wanted},
};
use crate::{
    credentials::{Credentials, Missing},
    egress::{Egress, EgressError},
    identity::Principal,
};
use http::{HeaderMap, HeaderName, HeaderValue as HttpHeaderValue, StatusCode};
use mcpfleet_config::{ClientId, Header, HeaderValue, TokenRequest};
use reqwest::{RequestBuilder, Response};
use std::sync::Arc;

/// Gives requests their headers. Two that are equal give the same ones. Cheap to clone but for the fixed headers.
#[derive(Clone, Debug)]
pub struct CredentialSource {
    fixed: HeaderMap,
    tokens: Vec<(HeaderName, Token)>,
    signer: Signer,
}

/// Where a bearer token comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Own(Arc<TokenQuery>),
    Exchanged(Arc<TokenQuery>),
    Caller,
}

/// Why a request cannot be sent as it should be. The texts hold no secret; a model may read them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCredential {
    /// A secret.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// The request is to carry the caller's token, and there is none: the caller has a key, or no credential.
    #[error("it acts in the name of the caller, who came without an access token: connect with OAuth")]
    NoCallerToken,
    /// The token endpoint gives none.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token is none that a header can carry.
    #[error("the token endpoint gave a token that no HTTP header can carry")]
    NotAHeaderValue,
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Nothing was sent.
    #[error(transparent)]
    Credential(#[from] NoCredential),
    /// It was, or was tried.
    #[error(transparent)]
    Egress(#[from] EgressError),
}

impl PartialEq for CredentialSource {
    fn eq(&self, other: &Self) -> bool {
        self.fixed == other.fixed && self.tokens == other.tokens
    }
}

impl Signer {
    /// A source for requests that carry `headers`.
    ///
    /// # Errors
    /// [`Missing`]: a secret that one of them needs.
    pub fn source(&self, headers: &[Header], credentials: &Credentials) -> Result<CredentialSource, Missing> {
        let mut source = CredentialSource::fixed(credentials.fixed_headers(headers)?, self.clone());
        for header in headers {
            let token = match &header.value {
                HeaderValue::ClientCredentials(request) => Token::Own(resolve(request, credentials)?),
                HeaderValue::TokenExchange(request) => Token::Exchanged(resolve(request, credentials)?),
                HeaderValue::PassThrough => Token::Caller,
                HeaderValue::Literal(_) | HeaderValue::Credential { .. } | HeaderValue::Basic { .. } => {
                    continue;
                }
            };
            // A configuration with another kind of name has been refused when it was loaded.
            if let Ok(name) = HeaderName::from_bytes(header.name.as_bytes()) {
                source.tokens.push((name, token));
            }
        }
        Ok(source)
    }
}

fn resolve(request: &TokenRequest, credentials: &Credentials) -> Result<Arc<TokenQuery>, Missing> {
    let client_id = match &request.client_id {
        ClientId::Literal(id) => crate::credentials::Secret(id.clone().into_bytes()),
        ClientId::Credential(from) => credentials.secret(from)?.clone(),
    };
    Ok(Arc::new(TokenQuery {
        url: request.token_url.clone(),
        client_id,
        client_secret: credentials.secret(&request.client_secret)?.clone(),
        scopes: request.scopes.join(" "),
        audience: request.audience.clone(),
        resource: request.resource.clone(),
    }))
}

impl CredentialSource {
    /// The same headers every time.
    pub fn fixed(fixed: HeaderMap, signer: Signer) -> Self {
        Self { fixed, tokens: Vec::new(), signer }
    }

    /// The headers of one request. `caller` is `None` when the runtime asks for itself: an exchange then gives a token of
    /// the runtime's own, and what would carry the caller's carries none.
    ///
    /// # Errors
    /// [`NoCredential`].
    pub async fn headers(&self, caller: Option<&Principal>) -> Result<HeaderMap, NoCredential> {
        let mut headers = self.fixed.clone();
        for (name, token) in &self.tokens {
            if let Some(bearer) = self.bearer(token, caller).await? {
                let mut value = HttpHeaderValue::from_bytes(&[b"Bearer ", bearer.as_slice()].concat())
                    .map_err(|_| NoCredential::NotAHeaderValue)?;
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        Ok(headers)
    }

    async fn bearer(
        &self,
        token: &Token,
        caller: Option<&Principal>,
    ) -> Result<Option<Vec<u8>>, NoCredential> {
        match (token, caller) {
            (Token::Own(query), _) | (Token::Exchanged(query), None) => {
                Ok(Some(self.fetched(Wanted::own(query)).await?))
            }
            (Token::Exchanged(query), Some(caller)) => {
                Ok(Some(self.fetched(Wanted::exchanged(query, token_of(caller)?)).await?))
            }
            (Token::Caller, Some(caller)) => token_of(caller).map(Some),
            (Token::Caller, None) => Ok(None),
        }
    }

    /// Boxed: most requests carry no such token, and should not carry the room for fetching one.
    async fn fetched(&self, wanted: Wanted<'_>) -> Result<Vec<u8>, TokenError> {
        Box::pin(self.signer.token(&wanted)).await
    }

    /// Forgets the fetched tokens that `caller`'s requests carry.
    async fn forget(&self, caller: Option<&Principal>) -> Forgotten {
        let mut forgotten = Forgotten::Nothing;
        let subject = caller.and_then(|caller| caller.token.as_ref()).map(|token| token.0.clone());
        for (_, token) in &self.tokens {
            let wanted = match (token, &subject) {
                (Token::Own(query), _) | (Token::Exchanged(query), None) => Wanted::own(query),
                (Token::Exchanged(query), Some(subject)) => Wanted::exchanged(query, subject.clone()),
                (Token::Caller, _) => continue,
            };
            Box::pin(self.signer.forget(&wanted)).await;
            forgotten = Forgotten::Something;
        }
        forgotten
    }

    /// Sends what `make` makes of the headers. When it is answered with 401 and carried a token that was fetched, the token
    /// is fetched anew and the request sent once more: who says 401 has not looked at it (RFC 9110, section 15.5.2).
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(
        &self,
        egress: &Egress,
        caller: Option<&Principal>,
        make: impl Fn(HeaderMap) -> RequestBuilder,
    ) -> Result<Response, SendError> {
        let response = egress.send(make(self.headers(caller).await?)).await?;
        if response.status() != StatusCode::UNAUTHORIZED || self.forget(caller).await == Forgotten::Nothing {
            return Ok(response);
        }
        drop(response);
        Ok(egress.send(make(self.headers(caller).await?)).await?)
    }
}

fn token_of(caller: &Principal) -> Result<Vec<u8>, NoCredential> {
    caller.token.as_ref().map(|token| token.0.clone()).ok_or(NoCredential::NoCallerToken)
}

/// Whether there was a token that can be fetched anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Forgotten {
    Something,
    Nothing,
}
