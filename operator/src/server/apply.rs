//! Writing children: server-side apply of what differs.

use super::{Change, Observed, Plan, plan::is_as_wanted};
use crate::{
    children::{Child, ChildKind, FIELD_MANAGER},
    context::Context,
    error::{Error, is_not_found},
    world::{Key, Seen},
};
use futures::{StreamExt, future::join_all, stream};
use kube::{
    Api,
    api::{DeleteParams, DynamicObject, Patch, PatchParams, Preconditions},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Applied {
    /// Of what is the server's own.
    pub own: Outcome,
    /// Of the workload of each upstream that something was to be written of.
    pub upstreams: BTreeMap<String, Outcome>,
}

/// What came of the writes for one workload.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Objects of others under the names of children that are missing.
    pub conflicts: Vec<Conflict>,
    /// What a former server of this name left is still being deleted.
    pub waits_for_deletion: bool,
    /// The first write that failed.
    pub failure: Option<Error>,
}

impl Outcome {
    fn is_clear(&self) -> bool {
        self.conflicts.is_empty() && !self.waits_for_deletion && self.failure.is_none()
    }
}

impl Applied {
    /// The first write that failed, those of the server itself first.
    pub fn into_failure(self) -> Option<Error> {
        self.own.failure.or_else(|| self.upstreams.into_values().find_map(|outcome| outcome.failure))
    }
}

/// An object that stands where a child should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Its kind.
    pub kind: ChildKind,
    /// Its name.
    pub name: String,
    /// Who controls it, as `Kind name`.
    pub controller: Option<String>,
}

/// Workloads of upstreams that are written at once.
const WIDTH: usize = 4;

/// Carries a plan out: what is the server's own, then the workloads of its upstreams, none of which is in the way of
/// another.
pub(super) async fn apply(context: &Context, observed: &Observed, plan: Plan) -> Applied {
    let writer = Writer { context, server: Key::of(observed.server.as_ref()), uid: observed.uid() };
    let mut parts: BTreeMap<Option<String>, Vec<Change>> = BTreeMap::new();
    for change in plan.changes {
        parts.entry(change.upstream().map(ToOwned::to_owned)).or_default().push(change);
    }
    let own = writer.workload(parts.remove(&None).unwrap_or_default()).await;
    if !own.is_clear() {
        // Nobody could use what would be made.
        for changes in parts.values_mut() {
            changes.retain(|change| !matches!(change, Change::Create(_)));
        }
    }
    let writer = &writer;
    let upstreams = stream::iter(parts.into_iter().filter_map(|(name, changes)| Some((name?, changes))))
        .map(|(name, changes)| async move { (name, writer.workload(changes).await) })
        .buffer_unordered(WIDTH)
        .collect()
        .await;
    Applied { own, upstreams }
}

enum Found {
    Nothing,
    Ours {
        as_wanted: bool,
    },
    /// Owned by a former server of the same name; the garbage collector takes it.
    Leftover,
    Foreign(Conflict),
}

struct Writer<'a> {
    context: &'a Context,
    server: Key,
    uid: &'a str,
}

impl Writer<'_> {
    /// Writes one workload. Pods come last, when all they need is there. A name that is taken keeps everything else
    /// that is missing from being made: half a workload helps nobody. What exists is kept up to date.
    async fn workload(&self, changes: Vec<Change>) -> Outcome {
        let mut outcome = Outcome::default();
        let (creations, mut writes): (Vec<Change>, Vec<Change>) =
            changes.into_iter().partition(|change| matches!(change, Change::Create(_)));
        let mut missing = Vec::new();
        for (child, found) in join_all(creations.into_iter().filter_map(|change| match change {
            Change::Create(child) => Some(self.look(child)),
            Change::Update(_) | Change::Prune { .. } => None,
        }))
        .await
        {
            match found {
                Ok(Found::Nothing) => missing.push(Change::Update(child)),
                Ok(Found::Ours { as_wanted: true }) => {}
                Ok(Found::Ours { as_wanted: false }) => writes.push(Change::Update(child)),
                Ok(Found::Leftover) => outcome.waits_for_deletion = true,
                Ok(Found::Foreign(conflict)) => outcome.conflicts.push(conflict),
                Err(error) => outcome.failure = Some(error),
            }
        }
        if outcome.is_clear() {
            writes.extend(missing);
        }
        let failure = self.write_all(writes).await.err();
        outcome.failure = outcome.failure.or(failure);
        outcome
    }

    /// Asks whether a name is free. The stores do not know what does not carry our labels.
    async fn look(&self, child: Child) -> (Child, Result<Found, Error>) {
        let found = match self.api(child.kind).get(&child.name).await {
            Ok(object) => self.judge(&child, object),
            Err(error) if is_not_found(&error) => Ok(Found::Nothing),
            Err(error) => Err(Error::of_child(child.kind, &child.name, error)),
        };
        (child, found)
    }

    fn judge(&self, child: &Child, object: DynamicObject) -> Result<Found, Error> {
        let metadata = object.metadata.clone();
        let mut value = serde_json::to_value(object)?;
        crate::children::digest_value(child.kind, &mut value);
        let seen = Seen { kind: child.kind, metadata, object: value };
        if seen.is_controlled_by(self.uid) {
            // One that is being deleted comes back as missing when it is gone.
            let as_wanted = seen.metadata.deletion_timestamp.is_some() || is_as_wanted(&seen, child);
            return Ok(Found::Ours { as_wanted });
        }
        let owner = seen.controller();
        if owner.is_some_and(|owner| {
            owner.kind == "McpServer"
                && owner.api_version.starts_with("mcpfleet.dev/")
                && owner.name == self.server.name
        }) {
            return Ok(Found::Leftover);
        }
        let controller = owner.map(|owner| format!("{} {}", owner.kind, owner.name));
        Ok(Found::Foreign(Conflict { kind: child.kind, name: child.name.clone(), controller }))
    }

    async fn write_all(&self, writes: Vec<Change>) -> Result<(), Error> {
        let (last, first): (Vec<Change>, Vec<Change>) = writes
            .into_iter()
            .partition(|change| matches!(change, Change::Update(Child { kind: ChildKind::Deployment, .. })));
        for stage in [first, last] {
            join_all(stage.into_iter().map(|change| self.write(change)))
                .await
                .into_iter()
                .collect::<Result<(), Error>>()?;
        }
        Ok(())
    }

    async fn write(&self, change: Change) -> Result<(), Error> {
        match change {
            Change::Create(child) | Change::Update(child) => {
                let params = PatchParams::apply(FIELD_MANAGER).force();
                let patch = Patch::Apply(&child.manifest);
                let answer = self.api(child.kind).patch(&child.name, &params, &patch).await;
                let object = answer.map_err(|error| Error::of_child(child.kind, &child.name, error))?;
                tracing::info!(server = %self.server, kind = child.kind.as_str(), hash = child.hash.short(), "applied");
                let object: Value = serde_json::to_value(object)?;
                Ok(self.context.world.children.put(child.kind, object)?)
            }
            Change::Prune { kind, name, uid, .. } => {
                let preconditions = Some(Preconditions { uid: Some(uid), resource_version: None });
                // A Deployment is there until its pods have gone: what guards them stays as long.
                let propagation = if kind == ChildKind::Deployment {
                    DeleteParams::foreground()
                } else {
                    DeleteParams::background()
                };
                let params = DeleteParams { preconditions, ..propagation };
                match self.api(kind).delete(&name, &params).await {
                    Err(error) if !is_not_found(&error) => Err(Error::of_child(kind, &name, error)),
                    _ => {
                        tracing::info!(server = %self.server, kind = kind.as_str(), name, "pruned");
                        Ok(())
                    }
                }
            }
        }
    }

    fn api(&self, kind: ChildKind) -> Api<DynamicObject> {
        Api::namespaced_with(self.context.client.clone(), &self.server.namespace, &kind.resource())
    }
}

impl Conflict {
    /// What stands in the way, and what to do; `named` is what the name follows from.
    pub fn sentence(&self, named: &str) -> String {
        let controller = self.controller.as_ref().map_or_else(
            || "which no McpServer controls".to_owned(),
            |controller| format!("which {controller} controls"),
        );
        let Self { kind, name, .. } = self;
        let kind = kind.as_str();
        format!("there is already a {kind} {name}, {controller}; delete it, or give the {named} another name")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_names_the_object_and_the_remedy() {
        let conflict = Conflict { kind: ChildKind::Service, name: "a".into(), controller: None };
        let sentence = conflict.sentence("McpServer");
        assert!(sentence.contains("Service a") && sentence.contains("delete it"), "{sentence}");
    }
}
