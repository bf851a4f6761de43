//! What a token says, and whether it may be believed. Pure but for the clock.

use crate::{
    credentials::Secret,
    identity::{Principal, Scopes},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, errors::ErrorKind};
use mcpfleet_config::{Issuer, TokenAlgorithm};
use serde::Deserialize;
use serde_json::{Map, Value};

/// How far the issuer's clock may be from ours, in seconds.
const LEEWAY: u64 = 30;
/// Longest value of a claim that becomes part of a principal, in bytes.
const MAX_CLAIM: usize = 512;
/// Most scopes of one token.
const MAX_SCOPES: usize = 256;

/// What the token says of itself, before anything is believed.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) issuer: String,
    pub(super) kid: Option<String>,
    pub(super) algorithm: Algorithm,
}

/// Why a token is refused. The texts go to the client; they repeat no part of the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::identity) enum TokenError {
    #[error("it is no signed JWT")]
    Malformed,
    #[error("it is no access token (RFC 9068): its type is another")]
    WrongType,
    #[error("it has a header parameter that must be understood and is not (crit)")]
    Critical,
    #[error("its issuer is none of this server's")]
    ForeignIssuer,
    #[error("it is signed with an algorithm that is not accepted")]
    WrongAlgorithm,
    #[error("it is signed with a key that its issuer does not have")]
    UnknownKey,
    #[error("its signature is wrong")]
    BadSignature,
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet")]
    NotYet,
    #[error("it was issued for another audience")]
    WrongAudience,
    #[error("it lacks the claim {0:?}, or that is no usable text")]
    MissingClaim(String),
}

#[derive(Deserialize)]
struct Unverified {
    iss: String,
}

impl Claimed {
    pub(super) fn read(token: &str) -> Result<Self, TokenError> {
        // Fails for an algorithm that the library does not know, `none` among them.
        let header = decode_header(token).map_err(|_| TokenError::WrongAlgorithm.unless_malformed(token))?;
        if header.crit.is_some() {
            return Err(TokenError::Critical);
        }
        let typ = header.typ.as_deref().map(str::to_ascii_lowercase);
        if !matches!(typ.as_deref(), None | Some("jwt" | "at+jwt" | "application/at+jwt")) {
            return Err(TokenError::WrongType);
        }
        let payload = token.split('.').nth(1).ok_or(TokenError::Malformed)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| TokenError::Malformed)?;
        let Unverified { iss } = serde_json::from_slice(&payload).map_err(|_| TokenError::Malformed)?;
        Ok(Self { issuer: iss, kid: header.kid, algorithm: header.alg })
    }

    /// The algorithm is the issuer's choice by configuration, never the token's (RFC 8725, section 3.1).
    pub(super) fn check_algorithm(&self, issuer: &Issuer) -> Result<(), TokenError> {
        let accepted = issuer.algorithms.iter().any(|accepted| algorithm(*accepted) == self.algorithm);
        if accepted { Ok(()) } else { Err(TokenError::WrongAlgorithm) }
    }

    /// Believes the token, or not.
    pub(super) fn verify(
        &self,
        token: &str,
        issuer: &Issuer,
        key: &DecodingKey,
    ) -> Result<Principal, TokenError> {
        let mut rules = Validation::new(self.algorithm);
        rules.leeway = LEEWAY;
        rules.validate_nbf = true;
        rules.set_issuer(&[&issuer.issuer]);
        rules.set_audience(&issuer.audiences);
        rules.set_required_spec_claims(&["exp", "iss", "aud"]);
        let claims =
            decode::<Map<String, Value>>(token, key, &rules).map_err(|error| refusal(error.kind()))?.claims;
        principal(issuer, &claims, token)
    }
}

impl TokenError {
    /// A header that cannot be read is either of a foreign algorithm or no header at all.
    fn unless_malformed(self, token: &str) -> Self {
        let header = token.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok());
        let header: Option<Map<String, Value>> = header.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        match header {
            Some(header) if token.split('.').count() == 3 && header.contains_key("alg") => self,
            _ => Self::Malformed,
        }
    }
}

fn refusal(kind: &ErrorKind) -> TokenError {
    match kind {
        ErrorKind::ExpiredSignature => TokenError::Expired,
        ErrorKind::ImmatureSignature => TokenError::NotYet,
        ErrorKind::InvalidAudience => TokenError::WrongAudience,
        ErrorKind::InvalidIssuer => TokenError::ForeignIssuer,
        ErrorKind::InvalidAlgorithm => TokenError::WrongAlgorithm,
        ErrorKind::MissingRequiredClaim(name) | ErrorKind::InvalidClaimFormat(name) => {
            TokenError::MissingClaim(name.clone())
        }
        ErrorKind::InvalidSignature
        | ErrorKind::InvalidEcdsaKey
        | ErrorKind::InvalidRsaKey(_)
        | ErrorKind::InvalidKeyFormat
        | ErrorKind::InvalidEddsaKey => TokenError::BadSignature,
        _ => TokenError::Malformed,
    }
}

/// A claim that the configuration names must be there: a caller without a tenant is nobody's, not everybody's.
fn principal(issuer: &Issuer, claims: &Map<String, Value>, token: &str) -> Result<Principal, TokenError> {
    let required = |name: &String| text(claims, name).ok_or_else(|| TokenError::MissingClaim(name.clone()));
    let expires = claims.get("exp").and_then(|exp| exp.as_i64().or_else(|| exp.as_f64().map(truncated)));
    let expires = expires.and_then(|seconds| Timestamp::from_second(seconds).ok());
    Ok(Principal {
        issuer: Some(issuer.issuer.clone()),
        tenant: issuer.tenant_claim.as_ref().map(required).transpose()?,
        user: Some(required(&issuer.user_claim)?),
        key: None,
        agent: issuer.agent_claim.as_ref().map(required).transpose()?,
        scopes: scopes(issuer, claims),
        tools: None,
        token: Some(Secret(token.as_bytes().to_vec())),
        // It was found to lie ahead; where no calendar holds it, the last day of ours does.
        expires: Some(expires.unwrap_or(Timestamp::MAX)),
    })
}

#[allow(clippy::cast_possible_truncation, reason = "saturates, and what follows checks the range")]
fn truncated(seconds: f64) -> i64 {
    seconds as i64
}

/// A text or a whole number, as some issuers number their users.
pub(in crate::identity) fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let text = match claims.get(name)? {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return None,
    };
    (1..=MAX_CLAIM).contains(&text.len()).then_some(text)
}

/// A list, or a text with spaces (RFC 8693, section 4.2).
fn scopes(issuer: &Issuer, claims: &Map<String, Value>) -> Scopes {
    let claim = match &issuer.scopes_claim {
        Some(name) => claims.get(name),
        None => claims.get("scope").or_else(|| claims.get("scp")),
    };
    match claim {
        Some(Value::String(text)) => {
            text.split(' ').filter(|scope| !scope.is_empty()).take(MAX_SCOPES).collect()
        }
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).take(MAX_SCOPES).collect(),
        _ => Scopes::default(),
    }
}

/// The library's name of an algorithm.
pub(super) fn algorithm(named: TokenAlgorithm) -> Algorithm {
    match named {
        TokenAlgorithm::RS256 => Algorithm::RS256,
        TokenAlgorithm::RS384 => Algorithm::RS384,
        TokenAlgorithm::RS512 => Algorithm::RS512,
        TokenAlgorithm::PS256 => Algorithm::PS256,
        TokenAlgorithm::PS384 => Algorithm::PS384,
        TokenAlgorithm::PS512 => Algorithm::PS512,
        TokenAlgorithm::ES256 => Algorithm::ES256,
        TokenAlgorithm::ES384 => Algorithm::ES384,
        TokenAlgorithm::EdDSA => Algorithm::EdDSA,
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
