//! What makes a configuration servable beyond its shape. `compile` never produces anything else, so a
//! refusal here means a damaged or hand-written configuration; it is refused whole.

use crate::{
    Access, AsyncCalls, Backend, Header, HeaderValue, RuntimeConfig, Upstream, UpstreamTransport,
    is_reserved, is_scope, neighbour, schema::ArgumentSchema, tool_name,
};
use std::collections::BTreeSet;

/// The first thing that is wrong, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Invalid {
    /// JSON path into the configuration.
    pub field: String,
    /// What is wrong there.
    pub reason: String,
}

fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Invalid {
    Invalid { field: field.into(), reason: reason.into() }
}

impl RuntimeConfig {
    /// Checks everything that serving relies on.
    pub fn validate(&self) -> Result<(), Invalid> {
        self.check_admission()?;
        self.check_access()?;
        self.check_secrets()?;
        self.check_tools()?;
        self.check_offers()?;
        self.check_upstreams()?;
        self.check_providers()?;
        self.check_search()
    }

    fn check_search(&self) -> Result<(), Invalid> {
        neighbour::check(&self.neighbours)?;
        let Some(search) = &self.tool_search else { return Ok(()) };
        match self.tools.iter().find(|tool| is_reserved(&tool.name)) {
            Some(tool) => Err(invalid(format!("tools[{}].name", tool.name), "belongs to tool search")),
            None => search.check(&self.providers),
        }
    }

    fn check_admission(&self) -> Result<(), Invalid> {
        if !(1..=65_536).contains(&self.admission.concurrency) {
            return Err(invalid("admission.concurrency", "is outside 1..=65536"));
        }
        let oldest = self.oldest_format();
        if self.format < oldest {
            let why = format!("{} does not know what is declared, which {oldest} does", self.format);
            return Err(invalid("format", why));
        }
        if self.admission.max_streams > 65_536 {
            return Err(invalid("admission.maxStreams", "is outside 0..=65536"));
        }
        if self.admission.queue_length > 1_000_000 {
            return Err(invalid("admission.queueLength", "is above 1000000"));
        }
        Ok(())
    }

    fn check_access(&self) -> Result<(), Invalid> {
        let Access::Restricted(access) = &self.access else { return Ok(()) };
        if access.issuers.is_empty() && access.keys.is_none() {
            return Err(invalid("access", "lets nobody in"));
        }
        if !access.issuers.is_empty() && access.public_url.is_none() {
            return Err(invalid("access.publicUrl", "is missing"));
        }
        if let Some(url) = &access.public_url {
            check_url(url).map_err(|reason| invalid("access.publicUrl", reason))?;
        }
        for issuer in &access.issuers {
            let at = |field: &str| format!("access.issuers[{}].{field}", issuer.issuer);
            check_url(&issuer.issuer).map_err(|reason| invalid(at("issuer"), reason))?;
            if let Some(url) = &issuer.jwks_uri {
                check_url(url).map_err(|reason| invalid(at("jwksUri"), reason))?;
            }
            if issuer.audiences.is_empty() || issuer.algorithms.is_empty() {
                return Err(invalid(at("audiences"), "accepts no token"));
            }
        }
        Ok(())
    }

    /// Names of Secrets and keys become paths below the credentials directory.
    fn check_secrets(&self) -> Result<(), Invalid> {
        let harmless = |text: &str| !matches!(text, "" | "." | "..") && !text.contains(['/', '\0']);
        let credentials = self.credentials().into_iter().flat_map(|c| [c.secret.as_str(), c.key.as_str()]);
        let named = credentials.chain(self.access.keys());
        let tls = self.listener.tls.iter().map(|tls| tls.secret.as_str());
        match named.chain(tls).find(|name| !harmless(name)) {
            Some(name) => Err(invalid("credentials", format!("{name:?} is no name of a Secret or key"))),
            None => Ok(()),
        }
    }

    fn check_tools(&self) -> Result<(), Invalid> {
        let mut names = BTreeSet::new();
        for tool in &self.tools {
            let at = |field: &str| format!("tools[{}].{field}", tool.name);
            if let Some(reason) = tool_name::refusal(&tool.name) {
                return Err(invalid(at("name"), reason));
            }
            if !names.insert(&tool.name) {
                return Err(invalid(at("name"), "stands twice"));
            }
            if tool.timeout_ms == 0 {
                return Err(invalid(at("timeoutMs"), "is 0"));
            }
            if let Some(flaw) = tool.asynchronous.and_then(AsyncCalls::flaw) {
                return Err(invalid(at("async.ttlMs"), flaw));
            }
            check_scopes(&tool.scopes).map_err(|reason| invalid(at("scopes"), reason))?;
            ArgumentSchema::new(&tool.input_schema).map_err(|e| invalid(at("inputSchema"), e.to_string()))?;
            if let Some(schema) = &tool.output_schema {
                ArgumentSchema::new(schema).map_err(|e| invalid(at("outputSchema"), e.to_string()))?;
            }
            if let Backend::Http(http) = &tool.backend {
                check_own_headers(&http.headers)
                    .map_err(|reason| invalid(at("backend.http.headers"), reason))?;
            }
        }
        Ok(())
    }

    fn check_offers(&self) -> Result<(), Invalid> {
        match self.offer_flaw() {
            Some((at, flaw)) => Err(invalid(format!("{at}.{}", flaw.field), flaw.fault.to_string())),
            None => Ok(()),
        }
    }

    fn check_upstreams(&self) -> Result<(), Invalid> {
        let mut names = BTreeSet::new();
        for upstream in &self.upstreams {
            if !names.insert(&upstream.name) {
                return Err(invalid(format!("upstreams[{}].name", upstream.name), "stands twice"));
            }
            check_transport(upstream)?;
            if let Some(flaw) = upstream.tools.flaws().first() {
                let field = format!("upstreams[{}].tools.{}", upstream.name, flaw.field);
                return Err(invalid(field, flaw.fault.to_string()));
            }
            for (tool, wanted) in &upstream.tools.overrides {
                if let Some(flaw) = wanted.asynchronous.and_then(AsyncCalls::flaw) {
                    let at = format!("upstreams[{}].tools.overrides[{tool}].async.ttlMs", upstream.name);
                    return Err(invalid(at, flaw));
                }
            }
            check_scopes(&upstream.scopes)
                .map_err(|reason| invalid(format!("upstreams[{}].scopes", upstream.name), reason))?;
            if upstream.timeout_ms == 0 {
                return Err(invalid(format!("upstreams[{}].timeoutMs", upstream.name), "is 0"));
            }
        }
        Ok(())
    }

    fn check_providers(&self) -> Result<(), Invalid> {
        let mut models = BTreeSet::new();
        for provider in &self.providers {
            let at = |field: &str| format!("providers[{}].{field}", provider.name);
            check_url(&provider.base_url).map_err(|reason| invalid(at("baseUrl"), reason))?;
            check_own_headers(&provider.headers).map_err(|reason| invalid(at("headers"), reason))?;
            for model in &provider.models {
                if !models.insert(model) {
                    return Err(invalid(
                        format!("providers[{}].models", provider.name),
                        format!("{model:?} stands twice"),
                    ));
                }
            }
        }
        Ok(())
    }
}

fn check_transport(upstream: &Upstream) -> Result<(), Invalid> {
    let at = |field: &str| format!("upstreams[{}].{field}", upstream.name);
    match &upstream.transport {
        UpstreamTransport::StreamableHttp { url, headers } => {
            check_url(url).map_err(|reason| invalid(at("url"), reason))?;
            check_headers(headers).map_err(|reason| invalid(at("headers"), reason))
        }
        UpstreamTransport::Stdio { command, .. } if command.first().is_none_or(String::is_empty) => {
            Err(invalid(at("command"), "is empty"))
        }
        UpstreamTransport::Stdio { .. } => Ok(()),
    }
}

fn check_url(text: &str) -> Result<(), String> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(()),
        Ok(url) => Err(format!("has scheme {}", url.scheme())),
        Err(error) => Err(error.to_string()),
    }
}

fn check_headers(headers: &[Header]) -> Result<(), String> {
    for header in headers {
        if !is_token(&header.name) {
            return Err(format!("{:?} is no header name", header.name));
        }
        if let HeaderValue::ClientCredentials(request) | HeaderValue::TokenExchange(request) = &header.value {
            check_url(&request.token_url).map_err(|reason| format!("tokenUrl {reason}"))?;
        }
    }
    Ok(())
}

/// Of what is no upstream: a caller's token must not reach what the caller cannot know of.
fn check_own_headers(headers: &[Header]) -> Result<(), String> {
    check_headers(headers)?;
    match headers.iter().find(|header| header.value == HeaderValue::PassThrough) {
        Some(header) => {
            Err(format!("{:?} hands a caller's token to something else than an upstream", header.name))
        }
        None => Ok(()),
    }
}

fn check_scopes(scopes: &[String]) -> Result<(), String> {
    match scopes.iter().find(|scope| !is_scope(scope)) {
        Some(scope) => Err(format!("{scope:?} is no scope")),
        None => Ok(()),
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
