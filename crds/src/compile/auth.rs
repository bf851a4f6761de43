//! Headers and credentials of anything that speaks HTTP.

use super::report::{Reason, Scope};
use crate::v1alpha1::{HttpAuth, SecretKeyRef};
use mcpfleet_config::{CredentialRef, Header, HeaderValue};

/// Headers that belong to the connection or to the client that sends the request (RFC 9110 section 7.6.1).
const RESERVED: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
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
    if http_token(&lower) && !RESERVED.contains(&lower.as_str()) {
        return lower;
    }
    let message = format!("{name:?} cannot be set");
    scope.error(field, Reason::InvalidHeader, message, "use a header that does not belong to the connection");
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

fn http_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn credential(scope: &mut Scope<'_>, field: &str, reference: &SecretKeyRef) -> CredentialRef {
    // Names become path segments of the credentials directory.
    let harmless = |text: &str| {
        !text.is_empty()
            && !text.starts_with('.')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    if !harmless(&reference.name) || !harmless(&reference.key) {
        let message = format!("Secret {:?}, key {:?} cannot be mounted", reference.name, reference.key);
        scope.error(field, Reason::SecretRefMissing, message, "name an existing Secret and one of its keys");
    }
    CredentialRef { secret: reference.name.clone(), key: reference.key.clone() }
}
