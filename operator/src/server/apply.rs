//! Writing children: server-side apply of what differs.

use super::{Change, Observed, Plan, plan::is_as_wanted};
use crate::{
    children::{Child, ChildKind, FIELD_MANAGER},
    context::Context,
    error::{Error, is_not_found},
    world::{Key, Seen},
};
use futures::future::join_all;
use kube::{
    Api,
    api::{DeleteParams, DynamicObject, Patch, PatchParams, Preconditions},
};
use serde_json::Value;

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Applied {
    /// Objects of others under the names of children that are missing.
    pub conflicts: Vec<Conflict>,
    /// What a former server of this name left is still being deleted.
    pub waits_for_deletion: bool,
    /// The first write that failed.
    pub failure: Option<Error>,
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

/// Carries a plan out. Pods come last, when all they need is there. A name that is taken keeps everything
/// else that is missing from being made: half a server helps nobody. What exists is kept up to date.
pub(super) async fn apply(context: &Context, observed: &Observed, plan: Plan) -> Applied {
    let api = Writer { context, server: Key::of(observed.server.as_ref()), uid: observed.uid() };
    let mut applied = Applied::default();
    let (creations, mut writes): (Vec<Change>, Vec<Change>) =
        plan.changes.into_iter().partition(|change| matches!(change, Change::Create(_)));
    let mut missing = Vec::new();
    for (child, found) in join_all(creations.into_iter().filter_map(|change| match change {
        Change::Create(child) => Some(api.look(child)),
        Change::Update(_) | Change::Prune { .. } => None,
    }))
    .await
    {
        match found {
            Ok(Found::Nothing) => missing.push(Change::Update(child)),
            Ok(Found::Ours { as_wanted: true }) => {}
            Ok(Found::Ours { as_wanted: false }) => writes.push(Change::Update(child)),
            Ok(Found::Leftover) => applied.waits_for_deletion = true,
            Ok(Found::Foreign(conflict)) => applied.conflicts.push(conflict),
            Err(error) => applied.failure = Some(error),
        }
    }
    if applied.conflicts.is_empty() && !applied.waits_for_deletion && applied.failure.is_none() {
        writes.extend(missing);
    }
    let failure = api.write_all(writes).await.err();
    applied.failure = applied.failure.or(failure);
    applied
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
            Change::Prune { kind, name, uid } => {
                let preconditions = Some(Preconditions { uid: Some(uid), resource_version: None });
                let params = DeleteParams { preconditions, ..DeleteParams::background() };
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
    /// What stands in the way, and what to do.
    pub fn sentence(&self) -> String {
        let controller = self.controller.as_ref().map_or_else(
            || "which no McpServer controls".to_owned(),
            |controller| format!("which {controller} controls"),
        );
        let Self { kind, name, .. } = self;
        let kind = kind.as_str();
        format!(
            "there is already a {kind} {name}, {controller}; delete it, or give the McpServer another name"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_names_the_object_and_the_remedy() {
        let conflict = Conflict { kind: ChildKind::Service, name: "a".into(), controller: None };
        let sentence = conflict.sentence();
        assert!(sentence.contains("Service a") && sentence.contains("delete it"), "{sentence}");
    }
}
