//! Headers and credentials of anything that speaks HTTP.

use super::{
    access,
    report::{Reason, Scope},
    upstream::http_url,
};
use crate::v1alpha1::{HttpAuth, LoginRef, SecretKeyRef, TokenClient};
use mcpfleet_config::{ClientId, CredentialRef, Header, HeaderValue, TokenRequest};

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

/// To whom requests go: not everybody may be handed a caller's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Toward {
    /// An MCP server behind a server whose callers come with tokens, or not.
    Upstream(CallerTokens),
    /// A service or a provider.
    Service,
}

/// Whether callers come with tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallerTokens {
    Some,
    None,
}

/// The headers that `auth` asks for: one, or none when it is absent or refused.
pub(super) fn headers(
    scope: &mut Scope<'_>,
    field: &str,
    auth: Option<&HttpAuth>,
    toward: Toward,
) -> Vec<Header> {
    let Some(auth) = auth else { return Vec::new() };
    let mut made: Vec<Header> = Vec::new();
    let authorization = |value| Header { name: "authorization".into(), value };
    if let Some(secret) = &auth.bearer {
        let from = credential(scope, &format!("{field}.bearer.secretRef"), &secret.secret_ref);
        made.push(authorization(HeaderValue::Credential { prefix: "Bearer ".into(), from }));
    }
    if let Some(header) = &auth.header {
        let from = credential(scope, &format!("{field}.header.secretRef"), &header.secret_ref);
        let name = header_name(scope, &format!("{field}.header.name"), &header.name);
        made.push(Header { name, value: HeaderValue::Credential { prefix: String::new(), from } });
    }
    if let Some(basic) = &auth.basic {
        made.push(authorization(self::basic(scope, &format!("{field}.basic.secretRef"), &basic.secret_ref)));
    }
    if let Some(client) = &auth.oauth_client_credentials {
        let request = token_request(scope, &format!("{field}.oauthClientCredentials"), client);
        made.push(authorization(HeaderValue::ClientCredentials(Box::new(request))));
    }
    if let Some(client) = &auth.token_exchange {
        let field = format!("{field}.tokenExchange");
        refuse_without_tokens(scope, &field, toward);
        let request = token_request(scope, &field, client);
        if request.audience.is_none() && request.resource.is_none() {
            let remedy = "set audience or resource";
            scope.error(&field, Reason::AuthMissing, "does not say whom the new token is for", remedy);
        }
        made.push(authorization(HeaderValue::TokenExchange(Box::new(request))));
    }
    if auth.pass_through.is_some() {
        made.push(authorization(pass_through(scope, &format!("{field}.passThrough"), toward)));
    }
    if made.len() != 1 {
        let message = "needs exactly one of bearer, header, basic, oauthClientCredentials, tokenExchange and passThrough";
        scope.error(field, Reason::SecretRefMissing, message, "set one of them");
    }
    made
}

fn basic(scope: &mut Scope<'_>, field: &str, login: &LoginRef) -> HeaderValue {
    let mut key =
        |key: &str| credential(scope, field, &SecretKeyRef { name: login.name.clone(), key: key.to_owned() });
    HeaderValue::Basic { username: key(&login.username_key), password: key(&login.password_key) }
}

fn pass_through(scope: &mut Scope<'_>, field: &str, toward: Toward) -> HeaderValue {
    if toward == Toward::Service {
        let message = "hands the caller's token to something that is no MCP server";
        scope.error(field, Reason::NotSupported, message, "use tokenExchange");
    }
    refuse_without_tokens(scope, field, toward);
    HeaderValue::PassThrough
}

fn refuse_without_tokens(scope: &mut Scope<'_>, field: &str, toward: Toward) {
    if toward == Toward::Upstream(CallerTokens::None) {
        let message = "needs the caller's token, and no caller of this server comes with one";
        scope.error(
            field,
            Reason::AuthMissing,
            message,
            "add spec.auth.oauth, or authenticate in another way",
        );
    }
}

fn token_request(scope: &mut Scope<'_>, field: &str, client: &TokenClient) -> TokenRequest {
    http_url(scope, &format!("{field}.tokenUrl"), &client.token_url);
    let client_id = match (&client.client_id, &client.client_id_ref) {
        (Some(id), None) => ClientId::Literal(id.clone()),
        (None, Some(from)) => ClientId::Credential(credential(scope, &format!("{field}.clientIdRef"), from)),
        _ => {
            let message = "needs exactly one of clientId and clientIdRef";
            scope.error(field, Reason::SecretRefMissing, message, "set one of them");
            ClientId::Literal(String::new())
        }
    };
    TokenRequest {
        token_url: client.token_url.clone(),
        client_id,
        client_secret: credential(scope, &format!("{field}.clientSecretRef"), &client.client_secret_ref),
        scopes: access::scopes(scope, &format!("{field}.scopes"), &client.scopes),
        audience: client.audience.clone(),
        resource: client.resource.clone(),
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

/// A key of a Secret; one that no Secret can have is reported.
pub(super) fn credential(scope: &mut Scope<'_>, field: &str, reference: &SecretKeyRef) -> CredentialRef {
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
