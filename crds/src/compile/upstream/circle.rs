//! The servers that references can lead to, and the circles that they can make, through which lists would never end.

use super::discovery;
use crate::{
    compile::{
        Inputs,
        report::{Reason, Scope, namespace_of},
    },
    foreign::{Target, TargetKind},
    v1alpha1::McpServer,
};
use kube::ResourceExt;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

/// Namespace and name of a server.
pub(super) type ServerKey = (String, String);

/// The servers around the one that is compiled, looked at once for all its upstreams.
pub(super) struct Neighbours<'a> {
    by_key: BTreeMap<ServerKey, &'a McpServer>,
    /// Those from which following references arrives at the server that is compiled; itself among them.
    leading_back: BTreeSet<ServerKey>,
}

impl<'a> Neighbours<'a> {
    pub(super) fn of(inputs: &Inputs<'a>) -> Self {
        let by_key: BTreeMap<_, _> = inputs.servers.iter().map(|server| (key_of(server), *server)).collect();
        let mut referrers: BTreeMap<ServerKey, Vec<&ServerKey>> = BTreeMap::new();
        for (key, server) in &by_key {
            for target in targets(inputs, server) {
                referrers.entry(target).or_default().push(key);
            }
        }
        let own = key_of(inputs.server);
        let mut leading_back = BTreeSet::new();
        let mut open = vec![&own];
        while let Some(key) = open.pop() {
            if leading_back.insert(key.clone()) {
                open.extend(referrers.get(key).into_iter().flatten());
            }
        }
        Self { by_key, leading_back }
    }

    pub(super) fn server(&self, target: &Target) -> Option<&'a McpServer> {
        self.by_key.get(&(target.namespace.clone(), target.name.clone())).copied()
    }

    /// `None`, and an error at `field`, when what is `called` so leads back to the server that is compiled.
    pub(super) fn refuse_circle(
        &self,
        scope: &mut Scope<'_>,
        field: &str,
        (called, target): (&dyn Display, &Target),
    ) -> Option<()> {
        if !self.leading_back.contains(&(target.namespace.clone(), target.name.clone())) {
            return Some(());
        }
        let message = format!("{called} leads back to this server, so that lists would never end");
        scope.error(field, Reason::Cycle, message, "remove one of the references of the circle");
        None
    }
}

/// The servers that a server's references arrive at. A reference that nobody granted leads nowhere.
fn targets(inputs: &Inputs<'_>, server: &McpServer) -> BTreeSet<ServerKey> {
    let home = namespace_of(server);
    let granted = |target: &Target| {
        target.namespace == home || inputs.surroundings.grants.iter().any(|grant| grant.allows(&home, target))
    };
    // A server's Service has its name: one is as good as the other for a circle.
    let declared = Target::all_of(server)
        .filter(|target| target.kind != TargetKind::Lifecycle && granted(target))
        .map(|target| (target.namespace, target.name));
    let is_declared = |name: &str| server.spec.upstreams.iter().any(|upstream| upstream.name == name);
    let found = discovery::servers(server, inputs.servers).unwrap_or_default().into_iter();
    declared.chain(found.map(key_of).filter(|(_, name)| !is_declared(name))).collect()
}

fn key_of(server: &McpServer) -> ServerKey {
    (namespace_of(server), server.name_any())
}
