//! `spec.auth` and `spec.publicURL`: who may call.

use super::{
    auth,
    report::{Reason, Scope},
    upstream::http_url,
};
use crate::v1alpha1::{self, Issuer, McpServer, TokenAlgorithm};
use mcpfleet_config::{self as config, Access, Restricted, Strangers};
use std::collections::BTreeSet;

/// What is said about callers; a refused part is reported.
pub(super) fn compile(scope: &mut Scope<'_>, server: &McpServer) -> Access {
    let spec = &server.spec;
    let (oauth, keys) = (&spec.auth.oauth, &spec.auth.keys);
    let public_url = spec.public_url.as_ref().and_then(|url| public_url(scope, url));
    if oauth.is_empty() && spec.public_url.is_some() {
        let remedy = "leave it out, or add auth.oauth";
        scope.warning("spec.publicURL", Reason::NotSupported, "is used only with spec.auth.oauth", remedy);
    }
    if oauth.is_empty() && keys.is_none() {
        if spec.auth.anonymous.is_none() {
            let remedy =
                "add oauth or keys, or write anonymous: {} to let in everyone who reaches the Service";
            scope.error("spec.auth", Reason::AuthMissing, "does not say who may call", remedy);
        }
        return Access::Anonymous;
    }
    if !oauth.is_empty() && spec.public_url.is_none() {
        let message = "is missing, and clients learn from it where to get a token, and for which resource";
        let remedy = "write the URL that clients connect to, such as https://support.example.com";
        scope.error("spec.publicURL", Reason::AuthMissing, message, remedy);
    }
    let keys = keys.as_ref().map(|keys| {
        auth::secret_name(scope, "spec.auth.keys.secretRef.name", &keys.secret_ref.name);
        keys.secret_ref.name.clone()
    });
    let strangers = if spec.auth.anonymous.is_some() { Strangers::Admitted } else { Strangers::Refused };
    Access::Restricted(Box::new(Restricted { public_url, issuers: issuers(scope, oauth), keys, strangers }))
}

/// A resource identifier carries no query and no fragment here (RFC 9728, section 1.2), and no trailing slash (MCP,
/// authorization, "Canonical Server URI").
fn public_url(scope: &mut Scope<'_>, text: &str) -> Option<String> {
    let url = http_url(scope, "spec.publicURL", text)?;
    if url.query().is_some() {
        let remedy = "end it with the path";
        scope.error("spec.publicURL", Reason::InvalidUrl, format!("{text:?} has a query"), remedy);
    }
    Some(url.as_str().trim_end_matches('/').to_owned())
}

fn issuers(scope: &mut Scope<'_>, oauth: &[Issuer]) -> Vec<config::Issuer> {
    let mut taken = BTreeSet::new();
    let mut issuers = Vec::new();
    for issuer in oauth {
        if !taken.insert(&issuer.issuer) {
            let field = format!("spec.auth.oauth[{}]", issuer.issuer);
            let remedy = "write one entry with all its audiences";
            scope.error(&field, Reason::DuplicateName, "stands twice", remedy);
        }
        issuers.push(one_issuer(scope, issuer));
    }
    issuers.sort_by(|a, b| a.issuer.cmp(&b.issuer));
    issuers
}

fn one_issuer(scope: &mut Scope<'_>, issuer: &Issuer) -> config::Issuer {
    let at = |field: &str| format!("spec.auth.oauth[{}].{field}", issuer.issuer);
    http_url(scope, &at("issuer"), &issuer.issuer);
    if let Some(url) = &issuer.jwks_uri {
        http_url(scope, &at("jwksUri"), url);
    }
    if issuer.audiences.is_empty() || issuer.audiences.iter().any(String::is_empty) {
        let message = "names no audience, or an empty one: tokens for anybody would be accepted";
        scope.error(
            &at("audiences"),
            Reason::AuthMissing,
            message,
            "name the audience that the issuer gives this server",
        );
    }
    let mut algorithms: Vec<_> = issuer.algorithms.iter().map(|named| algorithm(*named)).collect();
    if algorithms.is_empty() {
        algorithms = config::TokenAlgorithm::ALL.to_vec();
    }
    algorithms.sort_unstable();
    algorithms.dedup();
    config::Issuer {
        issuer: issuer.issuer.clone(),
        audiences: sorted(&issuer.audiences),
        jwks_uri: issuer.jwks_uri.clone(),
        tenant_claim: issuer.tenant_claim.clone(),
        user_claim: issuer.user_claim.clone(),
        agent_claim: issuer.agent_claim.clone(),
        scopes_claim: issuer.scopes_claim.clone(),
        algorithms,
    }
}

fn algorithm(named: TokenAlgorithm) -> config::TokenAlgorithm {
    match named {
        TokenAlgorithm::RS256 => config::TokenAlgorithm::RS256,
        TokenAlgorithm::RS384 => config::TokenAlgorithm::RS384,
        TokenAlgorithm::RS512 => config::TokenAlgorithm::RS512,
        TokenAlgorithm::PS256 => config::TokenAlgorithm::PS256,
        TokenAlgorithm::PS384 => config::TokenAlgorithm::PS384,
        TokenAlgorithm::PS512 => config::TokenAlgorithm::PS512,
        TokenAlgorithm::ES256 => config::TokenAlgorithm::ES256,
        TokenAlgorithm::ES384 => config::TokenAlgorithm::ES384,
        TokenAlgorithm::EdDSA => config::TokenAlgorithm::EdDSA,
    }
}

/// Scopes that are needed or asked for; one that no token can carry is reported.
pub(super) fn scopes(scope: &mut Scope<'_>, field: &str, named: &[v1alpha1::Scope]) -> Vec<String> {
    let texts: Vec<String> = named.iter().map(|v1alpha1::Scope(text)| text.clone()).collect();
    for text in texts.iter().filter(|text| !config::is_scope(text)) {
        let remedy = "use 1 to 128 printable characters without space, '\"' and '\\'";
        scope.error(field, Reason::InvalidName, format!("{text:?} is no scope"), remedy);
    }
    sorted(&texts)
}

fn sorted(texts: &[String]) -> Vec<String> {
    texts.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// What callers can never bring, told where the server's author reads it.
pub(super) fn check_reachable(scope: &mut Scope<'_>, config: &config::RuntimeConfig) {
    let open = config.access == Access::Anonymous;
    let scoped = config.tools.iter().find(|tool| !tool.scopes.is_empty()).map(|tool| tool.name.as_str());
    if let (true, Some(tool)) = (open, scoped) {
        let message = format!(
            "lets in anonymous callers only, and they have none of the scopes that tool {tool} needs"
        );
        scope.warning(
            "spec.auth",
            Reason::AuthMissing,
            message,
            "add oauth or keys, or remove the tool's scopes",
        );
    }
    if config.access.takes_tokens() {
        return;
    }
    for (user, headers) in per_caller_users(config) {
        if headers.iter().any(config::Header::is_per_caller) {
            let message = format!("takes no tokens, and {user} needs the caller's");
            scope.warning(
                "spec.auth.oauth",
                Reason::AuthMissing,
                message,
                "add oauth, or another auth there",
            );
        }
    }
}

fn per_caller_users(config: &config::RuntimeConfig) -> impl Iterator<Item = (String, &[config::Header])> {
    let tools = config.tools.iter().filter_map(|tool| match &tool.backend {
        config::Backend::Http(http) => Some((format!("McpTool {}", tool.object), http.headers.as_slice())),
        config::Backend::Static(_) => None,
    });
    let providers = config
        .providers
        .iter()
        .map(|provider| (format!("ProviderRoute {}", provider.route), provider.headers.as_slice()));
    tools.chain(providers)
}
