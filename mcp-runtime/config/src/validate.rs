//! What makes a configuration servable beyond its shape. `compile` never produces anything else, so a
//! refusal here means a damaged or hand-written configuration; it is refused whole.

use crate::{Backend, Header, RuntimeConfig, UpstreamTransport, schema::ArgumentSchema, tool_name};
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
        self.check_secrets()?;
        self.check_tools()?;
        self.check_offers()?;
        self.check_upstreams()?;
        self.check_providers()
    }

    fn check_admission(&self) -> Result<(), Invalid> {
        if !(1..=65_536).contains(&self.admission.concurrency) {
            return Err(invalid("admission.concurrency", "is outside 1..=65536"));
        }
        if self.format < self.admission.oldest_format() {
            return Err(invalid("format", format!("{} knows no admission.maxStreams", self.format)));
        }
        if self.admission.max_streams > 65_536 {
            return Err(invalid("admission.maxStreams", "is outside 0..=65536"));
        }
        if self.admission.queue_length > 1_000_000 {
            return Err(invalid("admission.queueLength", "is above 1000000"));
        }
        Ok(())
    }

    /// Names of Secrets and keys become paths below the credentials directory.
    fn check_secrets(&self) -> Result<(), Invalid> {
        let harmless = |text: &str| !matches!(text, "" | "." | "..") && !text.contains(['/', '\0']);
        let named = self.credentials().into_iter().flat_map(|c| [c.secret.as_str(), c.key.as_str()]);
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
            ArgumentSchema::new(&tool.input_schema).map_err(|e| invalid(at("inputSchema"), e.to_string()))?;
            if let Some(schema) = &tool.output_schema {
                ArgumentSchema::new(schema).map_err(|e| invalid(at("outputSchema"), e.to_string()))?;
            }
            if let Backend::Http(http) = &tool.backend {
                check_headers(&http.headers).map_err(|reason| invalid(at("backend.http.headers"), reason))?;
            }
        }
        Ok(())
    }

    fn check_offers(&self) -> Result<(), Invalid> {
        if self.format < self.oldest_format() {
            let reason = format!("{} knows no prompts, resources or guidance on tools", self.format);
            return Err(invalid("format", reason));
        }
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
            let UpstreamTransport::StreamableHttp { url, headers } = &upstream.transport;
            check_url(url).map_err(|reason| invalid(format!("upstreams[{}].url", upstream.name), reason))?;
            check_headers(headers)
                .map_err(|reason| invalid(format!("upstreams[{}].headers", upstream.name), reason))?;
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
            check_headers(&provider.headers).map_err(|reason| invalid(at("headers"), reason))?;
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

fn check_url(text: &str) -> Result<(), String> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(()),
        Ok(url) => Err(format!("has scheme {}", url.scheme())),
        Err(error) => Err(error.to_string()),
    }
}

fn check_headers(headers: &[Header]) -> Result<(), String> {
    match headers.iter().find(|h| !is_token(&h.name)) {
        Some(header) => Err(format!("{:?} is no header name", header.name)),
        None => Ok(()),
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
