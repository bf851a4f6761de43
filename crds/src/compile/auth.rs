//! Headers and credentials of anything that speaks HTTP.

use super::report::{Reason, Scope};
use crate::v1alpha1::{HttpAuth, SecretKeyRef};
use mcpfleet_config::{CredentialRef, Header, HeaderValue};

/// Headers that belong to the connection (RFC 9110 section 7.6.1) or that the runtime writes itself.
const RESERVED: [&str; 14] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// The headers that `auth` asks for: one, or none when it is absent or refused.
pub(super) fn headers(scope: &mut Scope<'_>, field: &str, auth: Option<&HttpAuth>) -> Vec<Header> {
    let Some(auth) = auth else { return Vec::new() };
    match (&auth.bearer, &auth.header) {
        (Some(secret), None) => {
            let from = credential(scope, &format!("{field}.bearer.secretRef"), &secret.secret_ref);
            vec![Header {
                name: "authorization".into(),
                value: HeaderValue::Credential { prefix: "Bearer ".into(), from },
            }]
        }
        (None, Some(header)) => {
            let from = credential(scope, &format!("{field}.header.secretRef"), &header.secret_ref);
            let name = header_name(scope, &format!("{field}.header.name"), &header.name);
            vec![Header { name, value: HeaderValue::Credential { prefix: String::new(), from } }]
        }
        _ => {
            scope.error(
                field,
                Reason::SecretRefMissing,
                "needs exactly one of bearer and header",
                "set one of them",
            );
            Vec::new()
        }
    }
}

/// A header's name in lower case; a refused one is reported.
pub(super) fn header_name(scope: &mut Scope<'_>, field: &str, name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    if http_token(&lower) && !lower.starts_with("mcp-") && !RESERVED.contains(&lower.as_str()) {
        return lower;
    }
    let message = format!("{name:?} cannot be set");
    scope.error(
        field,
        Reason::InvalidHeader,
        message,
        "use a header that belongs neither to the connection nor to MCP",
    );
    lower
}

/// A header's value; a refused one is reported.
pub(super) fn header_value(scope: &mut Scope<'_>, field: &str, value: &str) -> String {
    if value.bytes().any(|b| (b < 0x20 && b != b'\t') || b == 0x7f) {
        let message = "contains a control character";
        scope.error(field, Reason::InvalidHeader, message, "write the value on one line");
    }
    value.to_owned()
}

/// A header that stands twice would be sent twice, and what the other end reads is its choice.
pub(super) fn refuse_repeats(scope: &mut Scope<'_>, field: &str, headers: &[Header]) {
    let mut seen = std::collections::BTreeSet::new();
    for header in headers {
        if !seen.insert(&header.name) {
            let message = format!("{:?} stands twice, auth included", header.name);
            scope.error(
                field,
                Reason::InvalidHeader,
                message,
                "set each header once; names are not case-sensitive",
            );
        }
    }
}

fn http_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// A Secret's name is a DNS subdomain (RFC 1123); it becomes a path segment and a part of the pod template.
pub(super) fn secret_name(scope: &mut Scope<'_>, field: &str, name: &str) {
    let label = |label: &str| {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        edge(label.chars().next())
            && edge(label.chars().last())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if name.len() > 253 || !name.split('.').all(label) {
        let message = format!("{name:?} is no name that a Secret can have");
        scope.error(field, Reason::InvalidName, message, "name an existing Secret");
    }
}

fn credential(scope: &mut Scope<'_>, field: &str, reference: &SecretKeyRef) -> CredentialRef {
    secret_name(scope, &format!("{field}.name"), &reference.name);
    // The key becomes a file name; names that start with `..` are Kubernetes' own.
    let key = &reference.key;
    let harmless = (1..=253).contains(&key.len())
        && !key.starts_with("..")
        && key != "."
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if !harmless {
        let message = format!("{key:?} is no key of a Secret");
        scope.error(&format!("{field}.key"), Reason::InvalidName, message, "name one of the Secret's keys");
    }
    CredentialRef { secret: reference.name.clone(), key: reference.key.clone() }
}
