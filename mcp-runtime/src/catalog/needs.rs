//! Which parts of a configuration need which credential.

use mcpfleet_config::{
    Backend, CredentialRef, Header, RuntimeConfig, UpstreamTransport, WHOLE_SECRET, status::CredentialUser,
};
use std::collections::BTreeMap;

/// Every credential with its users, sorted.
pub fn credential_users(config: &RuntimeConfig) -> BTreeMap<CredentialRef, Vec<CredentialUser>> {
    let tools = config.tools.iter().map(|tool| {
        let headers: &[Header] = match &tool.backend {
            Backend::Http(http) => &http.headers,
            Backend::Static(_) => &[],
        };
        (CredentialUser::Tool(tool.object.clone()), headers)
    });
    let upstreams = config.upstreams.iter().map(|upstream| {
        let UpstreamTransport::StreamableHttp { headers, .. } = &upstream.transport;
        (CredentialUser::Upstream(upstream.name.clone()), headers.as_slice())
    });
    let providers = config
        .providers
        .iter()
        .map(|provider| (CredentialUser::Route(provider.route.clone()), provider.headers.as_slice()));
    let mut users: BTreeMap<CredentialRef, Vec<CredentialUser>> = BTreeMap::new();
    for (user, headers) in tools.chain(upstreams).chain(providers) {
        for credential in headers.iter().flat_map(Header::credentials) {
            users.entry(credential.clone()).or_default().push(user.clone());
        }
    }
    if let Some(secret) = config.access.keys() {
        let whole = CredentialRef { secret: secret.to_owned(), key: WHOLE_SECRET.into() };
        users.entry(whole).or_default().push(CredentialUser::Access);
    }
    for list in users.values_mut() {
        list.sort();
        list.dedup();
    }
    users
}
