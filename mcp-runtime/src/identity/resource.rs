//! The protected resource that a server is to OAuth clients, and the document that describes it (RFC 9728).

use mcpfleet_config::Restricted;
use serde_json::json;
use url::Url;

/// Where the document is: between host and path of the resource (RFC 9728, section 3.1).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// One server as a resource.
#[derive(Debug)]
pub(super) struct Resource {
    /// URL of the document.
    pub(super) metadata_url: String,
    /// The document.
    pub(super) document: String,
    /// Path of the resource, without a slash at its end; empty for the root.
    path: String,
    /// Host and port of the resource.
    authority: String,
}

impl Resource {
    /// `None` where there is no issuer to get a token from. `scopes`: all that any tool needs.
    pub(super) fn of(access: &Restricted, name: &str, scopes: &[String]) -> Option<Self> {
        let public_url = access.public_url.as_deref().filter(|_| !access.issuers.is_empty())?;
        let url = Url::parse(public_url).ok()?;
        let path = url.path().trim_end_matches('/').to_owned();
        let origin = url.origin().ascii_serialization();
        let issuers: Vec<&str> = access.issuers.iter().map(|issuer| issuer.issuer.as_str()).collect();
        let mut document = json!({
            "resource": public_url,
            "authorization_servers": issuers,
            "bearer_methods_supported": ["header"],
            "resource_name": name,
        });
        if let (false, Some(members)) = (scopes.is_empty(), document.as_object_mut()) {
            members.insert("scopes_supported".into(), json!(scopes));
        }
        Some(Self {
            metadata_url: format!("{origin}{WELL_KNOWN}{path}"),
            document: document.to_string(),
            path,
            authority: url[url::Position::BeforeHost..url::Position::AfterPort].to_owned(),
        })
    }

    /// Whether `path` on `host` asks for this document.
    pub(super) fn is_at(&self, host: &str, path: &str) -> bool {
        self.is_below(path) && (host.eq_ignore_ascii_case(&self.authority))
    }

    /// Whether `path` asks for this document, whatever the host: a proxy may have written its own.
    pub(super) fn is_below(&self, path: &str) -> bool {
        path.strip_prefix(WELL_KNOWN).is_some_and(|rest| rest.trim_end_matches('/') == self.path)
    }
}

/// Whether `path` is one where documents about protected resources are (RFC 9728, section 3).
pub fn is_well_known(path: &str) -> bool {
    path.strip_prefix(WELL_KNOWN).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether `path` names no resource: the document of the only one is meant.
pub(super) fn is_root(path: &str) -> bool {
    path.trim_end_matches('/') == WELL_KNOWN
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcpfleet_config::{Issuer, Strangers, TokenAlgorithm};

    fn resource(url: &str) -> Resource {
        let issuer = Issuer {
            issuer: "https://idp".into(),
            audiences: vec!["a".into()],
            jwks_uri: None,
            tenant_claim: None,
            user_claim: "sub".into(),
            agent_claim: None,
            scopes_claim: None,
            algorithms: vec![TokenAlgorithm::ES256],
        };
        let access = Restricted {
            public_url: Some(url.into()),
            issuers: vec![issuer],
            keys: None,
            strangers: Strangers::Refused,
        };
        Resource::of(&access, "agents/support", &["read".to_owned()]).unwrap()
    }

    #[test]
    fn the_path_goes_behind_the_well_known_part() {
        let deep = resource("https://s.example.com:8443/a/mcp");
        assert_eq!(
            deep.metadata_url,
            "https://s.example.com:8443/.well-known/oauth-protected-resource/a/mcp"
        );
        assert!(deep.is_at("S.example.com:8443", "/.well-known/oauth-protected-resource/a/mcp"));
        assert!(!deep.is_below("/.well-known/oauth-protected-resource"));
        let root = resource("https://s.example.com");
        assert_eq!(root.metadata_url, "https://s.example.com/.well-known/oauth-protected-resource");
        assert!(root.is_below("/.well-known/oauth-protected-resource/"));
        assert!(!is_well_known("/.well-known/oauth-protected-resources"));
        assert!(root.document.contains("\"scopes_supported\":[\"read\"]"), "{}", root.document);
    }
}
