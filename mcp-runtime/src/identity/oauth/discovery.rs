//! Where an issuer's keys are, and what is there: metadata (RFC 8414, `OpenID` Connect Discovery 1.0), then the set.

use super::jwks::KeySet;
use crate::egress::{Egress, EgressError, read_whole};
use bytes::Bytes;
use http::{Method, header::ACCEPT};
use mcpfleet_config::Issuer;
use reqwest::Url;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::timeout;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Largest document, in bytes.
const MAX_DOCUMENT: usize = 256 * 1024;

/// Why there are no keys; for logs.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoKeys {
    #[error(transparent)]
    Egress(#[from] EgressError),
    #[error("it did not answer within {} s", PATIENCE.as_secs())]
    Timeout,
    #[error("{url} is answered with HTTP {status}")]
    Status { url: String, status: u16 },
    #[error("{0} is no key set (RFC 7517) with keys that can verify")]
    NoSet(String),
    #[error("the issuer has no metadata at {0}")]
    NoMetadata(String),
    #[error("the metadata at {url} is that of issuer {found:?}")]
    ForeignMetadata { url: String, found: String },
    #[error(
        "the issuer's metadata names keys on another host ({0}); if that is right, set jwksUri to it: an issuer alone may \
         not send us anywhere"
    )]
    Elsewhere(String),
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// The issuer's keys as they are now.
pub(super) async fn keys(egress: &Egress, issuer: &Issuer) -> Result<KeySet, NoKeys> {
    let fetching = async {
        let url = match &issuer.jwks_uri {
            Some(url) => parse(url)?,
            None => jwks_uri(egress, &issuer.issuer).await?,
        };
        let document = get(egress, &url).await?;
        KeySet::read(&document).filter(|keys| keys.len() > 0).ok_or_else(|| NoKeys::NoSet(url.into()))
    };
    timeout(PATIENCE, fetching).await.unwrap_or(Err(NoKeys::Timeout))
}

async fn jwks_uri(egress: &Egress, issuer: &str) -> Result<Url, NoKeys> {
    let places = places(&parse(issuer)?);
    for place in &places {
        let document = match get(egress, place).await {
            Ok(document) => document,
            // There it is not; the next place may have it.
            Err(NoKeys::Status { .. }) => continue,
            Err(error) => return Err(error),
        };
        if let Ok(metadata) = serde_json::from_slice::<Metadata>(&document) {
            return checked(&metadata, issuer, place);
        }
    }
    Err(NoKeys::NoMetadata(places.iter().map(Url::as_str).collect::<Vec<_>>().join(", ")))
}

/// RFC 8414, section 3.3: metadata of another issuer must not be used.
fn checked(metadata: &Metadata, issuer: &str, place: &Url) -> Result<Url, NoKeys> {
    if metadata.issuer != issuer {
        let found = metadata.issuer.chars().take(200).collect();
        return Err(NoKeys::ForeignMetadata { url: place.to_string(), found });
    }
    let url = parse(&metadata.jwks_uri)?;
    if url.origin() != place.origin() {
        return Err(NoKeys::Elsewhere(url.host_str().unwrap_or_default().to_owned()));
    }
    Ok(url)
}

/// RFC 8414, section 3.1; then as MCP (authorization server discovery) asks of clients for issuers with and without a path.
fn places(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let paths = [
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("/.well-known/openid-configuration{path}"),
        format!("{path}/.well-known/openid-configuration"),
    ];
    let mut places: Vec<Url> = Vec::new();
    for path in paths {
        let mut place = issuer.clone();
        place.set_path(&path);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

async fn get(egress: &Egress, url: &Url) -> Result<Bytes, NoKeys> {
    let request = egress.request(Method::GET, url.clone()).header(ACCEPT, "application/json");
    let response = egress.send(request).await?;
    if !response.status().is_success() {
        return Err(NoKeys::Status { url: url.to_string(), status: response.status().as_u16() });
    }
    Ok(read_whole(response, MAX_DOCUMENT).await?)
}

fn parse(url: &str) -> Result<Url, NoKeys> {
    Url::parse(url).map_err(|_| EgressError::Unsendable.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_for_in_the_order_of_the_clauses() {
        let of = |issuer: &str| {
            places(&Url::parse(issuer).unwrap()).iter().map(Url::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            of("https://idp/realms/a"),
            [
                "https://idp/.well-known/oauth-authorization-server/realms/a",
                "https://idp/.well-known/openid-configuration/realms/a",
                "https://idp/realms/a/.well-known/openid-configuration",
            ]
        );
        assert_eq!(
            of("https://idp/"),
            [
                "https://idp/.well-known/oauth-authorization-server",
                "https://idp/.well-known/openid-configuration"
            ]
        );
    }

    #[test]
    fn metadata_is_of_its_issuer_and_leads_nowhere_else() {
        let place = Url::parse("https://idp/.well-known/openid-configuration").unwrap();
        let metadata = |issuer: &str, uri: &str| Metadata { issuer: issuer.into(), jwks_uri: uri.into() };
        let check = |metadata: Metadata| checked(&metadata, "https://idp", &place);
        assert!(check(metadata("https://idp", "https://idp/keys")).is_ok());
        assert!(matches!(
            check(metadata("https://idp/", "https://idp/keys")),
            Err(NoKeys::ForeignMetadata { .. })
        ));
        for elsewhere in
            ["https://other/keys", "http://idp/keys", "https://idp:8443/keys", "http://10.0.0.1/"]
        {
            assert!(
                matches!(check(metadata("https://idp", elsewhere)), Err(NoKeys::Elsewhere(_))),
                "{elsewhere}"
            );
        }
    }
}
