//! What a caller who is not let in is told.
//!
//! | why | status | `error` (RFC 6750, section 3.1) |
//! |---|---|---|
//! | no credential | 401 | none: the client has done nothing wrong |
//! | a credential that is expired, forged, unknown, for somebody else | 401 | `invalid_token` |
//! | two credentials that disagree | 400 | `invalid_request` |
//! | a token without the scopes that are needed | 403 | `insufficient_scope`, and all scopes needed |
//! | the issuer's keys cannot be had | 503, `Retry-After` | none: the client is to try again, not to log in anew |

use crate::{
    model::Body,
    transport::answer::{full, with_type},
};
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde_json::json;

/// Longest list of scopes that goes into a header, in bytes: proxies bound headers, and the metadata has them all.
const MAX_SCOPES: usize = 2_048;

/// A refusal at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub(super) kind: Kind,
    /// What is wrong and what to do, for people. Repeats no part of a credential.
    pub(super) message: String,
    /// URL of the resource metadata, where there is an issuer to go to.
    pub(super) metadata: Option<String>,
    /// Scopes to ask for.
    pub(super) scopes: Vec<String>,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    NoCredential,
    InvalidToken,
    InvalidRequest,
    InsufficientScope,
    /// Nobody can tell now; the number of seconds after which it is worth trying again.
    Unavailable(u32),
}

impl Kind {
    /// The error code that the header carries, if it carries one.
    fn error(self) -> Option<&'static str> {
        match self {
            Self::NoCredential | Self::Unavailable(_) => None,
            Self::InvalidToken => Some("invalid_token"),
            Self::InvalidRequest => Some("invalid_request"),
            Self::InsufficientScope => Some("insufficient_scope"),
        }
    }
}

impl Challenge {
    /// Whether nobody can tell now if the credential is good.
    pub(super) fn is_undecided(&self) -> bool {
        matches!(self.kind, Kind::Unavailable(_))
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self.kind {
            Kind::NoCredential | Kind::InvalidToken => StatusCode::UNAUTHORIZED,
            Kind::InvalidRequest => StatusCode::BAD_REQUEST,
            Kind::InsufficientScope => StatusCode::FORBIDDEN,
            Kind::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// One word for bodies, logs and metrics.
    pub fn label(&self) -> &'static str {
        match self.kind {
            Kind::NoCredential => "unauthorized",
            Kind::Unavailable(_) => "temporarily_unavailable",
            kind => kind.error().unwrap_or("unauthorized"),
        }
    }

    /// What is wrong and what to do.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The whole answer, with a body as OAuth's endpoints write theirs (RFC 6749, section 5.2).
    pub fn response(&self) -> Response<Body> {
        let body = json!({"error": self.label(), "error_description": self.message}).to_string();
        let json = HeaderValue::from_static("application/json");
        self.dress(with_type(self.status(), json, full(body)))
    }

    /// Puts the challenge on an answer that somebody else has written.
    pub fn dress(&self, mut response: Response<Body>) -> Response<Body> {
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Kind::Unavailable(seconds) = self.kind {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        } else if let Ok(value) = HeaderValue::from_str(&self.www_authenticate()) {
            headers.insert(WWW_AUTHENTICATE, value);
        }
        response
    }

    fn www_authenticate(&self) -> String {
        let mut params: Vec<(&str, &str)> = Vec::new();
        if let Some(error) = self.kind.error() {
            params.push(("error", error));
            params.push(("error_description", &self.message));
        }
        let scopes = self.scopes.join(" ");
        if (1..=MAX_SCOPES).contains(&scopes.len()) && self.kind != Kind::InvalidRequest {
            params.push(("scope", &scopes));
        }
        if let Some(metadata) = &self.metadata {
            params.push(("resource_metadata", metadata));
        }
        if params.is_empty() {
            // A scheme with nothing behind it reads as a token68 to some: the realm says nothing, as it may.
            params.push(("realm", "mcpfleet"));
        }
        let written: Vec<String> =
            params.iter().map(|(name, value)| format!("{name}=\"{}\"", quotable(value))).collect();
        format!("Bearer {}", written.join(", "))
    }
}

/// RFC 6750, section 3: of the characters of a quoted string, those that need no escape.
fn quotable(text: &str) -> String {
    text.chars().map(|c| if matches!(c, ' '..='~') && !matches!(c, '"' | '\\') { c } else { '\'' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(kind: Kind) -> Challenge {
        Challenge {
            kind,
            message: "say \"who\"\n".into(),
            metadata: Some("https://s/.well-known/oauth-protected-resource".into()),
            scopes: vec!["a".into(), "b".into()],
        }
    }

    #[test]
    fn each_kind_has_its_header() {
        let header = |kind| challenge(kind).www_authenticate();
        let metadata = "resource_metadata=\"https://s/.well-known/oauth-protected-resource\"";
        assert_eq!(header(Kind::NoCredential), format!("Bearer scope=\"a b\", {metadata}"));
        assert_eq!(
            header(Kind::InsufficientScope),
            format!(
                "Bearer error=\"insufficient_scope\", error_description=\"say 'who''\", scope=\"a b\", {metadata}"
            )
        );
        assert!(header(Kind::InvalidToken).starts_with("Bearer error=\"invalid_token\""));
        let plain = Challenge { metadata: None, scopes: Vec::new(), ..challenge(Kind::NoCredential) };
        assert_eq!(plain.www_authenticate(), "Bearer realm=\"mcpfleet\"");
    }

    #[test]
    fn an_issuer_that_is_down_is_no_reason_to_log_in_again() {
        let response = challenge(Kind::Unavailable(5)).response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "5");
        assert!(!response.headers().contains_key("www-authenticate"));
    }
}
