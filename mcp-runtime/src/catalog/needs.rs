//! Which parts of a configuration need which credential, and which of these are not there.

use super::Snapshot;
use mcpfleet_config::{
    Backend, CredentialRef, EnvVar, Header, RuntimeConfig, WHOLE_SECRET,
    status::{CredentialUser, MissingCredential},
};
use std::collections::BTreeMap;

/// Every credential with its users, sorted.
pub fn credential_users(config: &RuntimeConfig) -> BTreeMap<CredentialRef, Vec<CredentialUser>> {
    let tools = config.tools.iter().flat_map(|tool| {
        let headers: &[Header] = match &tool.backend {
            Backend::Http(http) => &http.headers,
            Backend::Static(_) => &[],
        };
        let user = CredentialUser::Tool(tool.object.clone());
        headers.iter().flat_map(Header::credentials).map(move |credential| (user.clone(), credential))
    });
    let upstreams = config.upstreams.iter().flat_map(|upstream| {
        let headers = upstream.transport.headers().into_iter().flatten().flat_map(Header::credentials);
        let variables = upstream.transport.environment().iter().filter_map(EnvVar::credential);
        let user = CredentialUser::Upstream(upstream.name.clone());
        headers.chain(variables).map(move |credential| (user.clone(), credential))
    });
    let providers = config.providers.iter().flat_map(|provider| {
        let user = CredentialUser::Route(provider.route.clone());
        provider
            .headers
            .iter()
            .flat_map(Header::credentials)
            .map(move |credential| (user.clone(), credential))
    });
    let mut users: BTreeMap<CredentialRef, Vec<CredentialUser>> = BTreeMap::new();
    for (user, credential) in tools.chain(upstreams).chain(providers) {
        users.entry(credential.clone()).or_default().push(user);
    }
    if let Some(secret) = config.access.keys() {
        let whole = CredentialRef { secret: secret.to_owned(), key: WHOLE_SECRET.into() };
        users.entry(whole).or_default().push(CredentialUser::Access);
    }
    if let Some(store) = &config.store {
        users.entry(store.credential().clone()).or_default().push(CredentialUser::Store);
    }
    for list in users.values_mut() {
        list.sort();
        list.dedup();
    }
    users
}

impl Snapshot {
    /// Entries of the keys' Secret that are there and cannot be read.
    fn unusable_keys(&self) -> impl Iterator<Item = MissingCredential> {
        let secret = self.parts.config.access.keys().unwrap_or_default();
        self.parts.gate.unusable_keys().map(|(key, _)| MissingCredential {
            credential: CredentialRef { secret: secret.to_owned(), key: key.to_owned() },
            used_by: vec![CredentialUser::Access],
        })
    }

    /// Credentials that are named and not there, with what does not work for want of them.
    pub fn missing_credentials(&self) -> Vec<MissingCredential> {
        let missing = self.parts.credentials.missing();
        let users = credential_users(&self.parts.config);
        let of = |(credential, used_by)| MissingCredential { credential, used_by };
        let named = users.into_iter().filter(|(credential, _)| missing.contains(credential)).map(of);
        named.chain(self.unusable_keys()).collect()
    }
}
