//! One question to a token endpoint: a token of our own (RFC 6749, section 4.4), or one in exchange for a caller's
//! (RFC 8693, section 2).

use crate::{
    credentials::Secret,
    egress::{Egress, EgressError, read_whole},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{
    Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use reqwest::Url;
use serde::Deserialize;
use std::{borrow::Cow, time::Duration};
use tokio::time::timeout;
use url::form_urlencoded::{Serializer, byte_serialize};

/// How long the endpoint may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Largest answer, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// For an answer that does not say how long its token lives (RFC 6749, section 5.1: it should).
const DEFAULT_LIFETIME: Duration = Duration::from_mins(5);
/// Longest lifetime that is believed.
const MAX_LIFETIME: u64 = 24 * 3_600;
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// What is asked, secrets included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TokenQuery {
    pub(super) url: String,
    pub(super) client_id: Secret,
    pub(super) client_secret: Secret,
    pub(super) scopes: String,
    pub(super) audience: Option<String>,
    pub(super) resource: Option<String>,
}

/// A token, and how long it is good for.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) token: Secret,
    pub(super) lifetime: Duration,
}

/// Why there is no token. The texts repeat nothing of what was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The endpoint cannot be reached.
    #[error("no token can be had for it: {0}")]
    Egress(#[from] EgressError),
    /// It takes too long.
    #[error("no token can be had for it: {host} did not answer within {} s", PATIENCE.as_secs())]
    Timeout {
        /// Host of the endpoint.
        host: String,
    },
    /// It says no.
    #[error(
        "no token can be had for it: {host} answered HTTP {status} ({error}); whoever runs this server must look into it"
    )]
    Refused {
        /// Host of the endpoint.
        host: String,
        /// HTTP status.
        status: u16,
        /// The error code (RFC 6749, section 5.2).
        error: String,
    },
    /// The answer is none that RFC 6749, section 5.1, knows.
    #[error("no token can be had for it: {host} gave an answer without a bearer token")]
    Unusable {
        /// Host of the endpoint.
        host: String,
    },
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: String,
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct Denied {
    error: String,
}

/// Asks.
pub(super) async fn fetch(
    egress: &Egress,
    query: &TokenQuery,
    subject: Option<&Secret>,
) -> Result<Fetched, TokenError> {
    let url = Url::parse(&query.url).map_err(|_| EgressError::Unsendable)?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let request = egress
        .request(Method::POST, url)
        .header(AUTHORIZATION, authorization(query))
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form(query, subject));
    let asking = async {
        let response = egress.send(request).await?;
        let status = response.status();
        Ok::<_, EgressError>((status, read_whole(response, MAX_ANSWER).await?))
    };
    let Ok(answer) = timeout(PATIENCE, asking).await else { return Err(TokenError::Timeout { host }) };
    let (status, body) = answer?;
    if !status.is_success() {
        let denied = serde_json::from_slice(&body).map(|Denied { error }| printable(&error));
        let error = denied.unwrap_or_else(|_| "no error code".into());
        return Err(TokenError::Refused { host, status: status.as_u16(), error });
    }
    granted(&body).ok_or(TokenError::Unusable { host })
}

fn granted(body: &[u8]) -> Option<Fetched> {
    let Granted { access_token, token_type, expires_in } = serde_json::from_slice(body).ok()?;
    let lifetime =
        expires_in.map_or(DEFAULT_LIFETIME, |seconds| Duration::from_secs(seconds.min(MAX_LIFETIME)));
    let usable = token_type.eq_ignore_ascii_case("bearer") && !access_token.is_empty();
    usable.then(|| Fetched { token: Secret(access_token.into_bytes()), lifetime })
}

/// RFC 6749, section 2.3.1: both are form-encoded before they are put together.
fn authorization(query: &TokenQuery) -> String {
    let encoded = |secret: &Secret| byte_serialize(&secret.0).collect::<String>();
    let pair = format!("{}:{}", encoded(&query.client_id), encoded(&query.client_secret));
    format!("Basic {}", STANDARD.encode(pair))
}

fn form(query: &TokenQuery, subject: Option<&Secret>) -> String {
    let mut form = Serializer::new(String::new());
    match subject {
        None => {
            form.append_pair("grant_type", "client_credentials");
        }
        Some(token) => {
            let token: Cow<'_, str> = String::from_utf8_lossy(&token.0);
            form.append_pair("grant_type", EXCHANGE)
                .append_pair("subject_token", &token)
                .append_pair("subject_token_type", ACCESS_TOKEN)
                .append_pair("requested_token_type", ACCESS_TOKEN);
        }
    }
    let optional = [("audience", query.audience.as_deref()), ("resource", query.resource.as_deref())];
    for (name, value) in optional {
        if let Some(value) = value {
            form.append_pair(name, value);
        }
    }
    if !query.scopes.is_empty() {
        form.append_pair("scope", &query.scopes);
    }
    form.finish()
}

/// An error code as RFC 6749, section 5.2, allows it; what else comes is not shown to models.
fn printable(error: &str) -> String {
    error.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query() -> TokenQuery {
        TokenQuery {
            url: "https://idp/token".into(),
            client_id: Secret(b"a b:c".to_vec()),
            client_secret: Secret(b"p&w".to_vec()),
            scopes: "read write".into(),
            audience: Some("crm".into()),
            resource: None,
        }
    }

    #[test]
    fn the_client_is_named_as_the_clause_says() {
        let header = authorization(&query());
        let decoded = STANDARD.decode(header.strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(String::from_utf8(decoded).unwrap(), "a+b%3Ac:p%26w");
    }

    #[test]
    fn each_grant_has_its_form() {
        assert_eq!(form(&query(), None), "grant_type=client_credentials&audience=crm&scope=read+write");
        let exchange = form(&query(), Some(&Secret(b"tok".to_vec())));
        assert!(
            exchange.contains("grant-type%3Atoken-exchange&subject_token=tok&subject_token_type="),
            "{exchange}"
        );
    }

    #[test]
    fn only_bearer_tokens_are_used() {
        let body = br#"{"access_token":"t","token_type":"bearer","expires_in":99999999999}"#;
        assert_eq!(granted(body).unwrap().lifetime, Duration::from_secs(MAX_LIFETIME));
        assert!(granted(br#"{"access_token":"t","token_type":"N_A"}"#).is_none());
        assert!(granted(br#"{"access_token":"","token_type":"Bearer"}"#).is_none());
        assert_eq!(printable("invalid_client\n<b>"), "invalid_clientb");
    }
}
