//! The controllers of McpTools and ProviderRoutes: both are parts of servers, and both report the same. They
//! own nothing. What is said rests on the compiles of the servers that select them, which are shared.

mod judge;
mod route;
mod tool;

#[cfg(test)]
mod tests;

pub use judge::{Host, Verdicts, judge};

use crate::{
    condition,
    context::Context,
    error::Error,
    fleet::Summary,
    malformed,
    queue::Next,
    report,
    world::{Custom, Key},
};
use jiff::Timestamp;
use kube::ResourceExt;
use mcpfleet_config::status::CredentialUser;
use mcpfleet_crds::{
    compile::{ObjectKey, Report},
    v1alpha1::{Condition, Membership},
};
use serde::Serialize;
use std::sync::Arc;

/// A kind that servers select.
pub trait Member: Custom {
    /// Its status.
    type Status: Serialize + PartialEq + Send + Sync;

    /// Its name in reports.
    fn object_key(&self) -> ObjectKey;
    /// Its name in what runtimes say of credentials.
    fn credential_user(&self) -> CredentialUser;
    /// Its check by itself.
    fn check(&self) -> Report;
    /// What was reported last.
    fn last_status(&self) -> Option<LastStatus<'_>>;
    /// A status from its parts.
    fn status_of(
        generation: Option<i64>,
        servers: Vec<Membership>,
        conditions: Vec<Condition>,
    ) -> Self::Status;
}

/// A status by its parts.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct LastStatus<'a> {
    pub observed_generation: Option<i64>,
    pub servers: &'a [Membership],
    pub conditions: &'a [Condition],
}

/// Reports what became of one tool or route.
///
/// # Errors
/// The API server could not be asked.
pub async fn reconcile<K: Member>(context: Arc<Context>, key: Key) -> Result<Next, Error> {
    if let Some(object) = context.world.objects.malformed(K::KIND, &key) {
        return malformed::report::<K>(&context, &key, &object).await;
    }
    let Some(object) = context.world.objects.get::<K>(&key) else { return Ok(Next::AwaitChange) };
    if object.meta().deletion_timestamp.is_some() {
        return Ok(Next::AwaitChange);
    }
    let hosts = hosts(&context, object.as_ref(), &key);
    let last = object.last_status();
    let Verdicts { servers, ready } = judge(object.as_ref(), &hosts);
    let before = last.map_or(&[][..], |last| last.conditions);
    let generation = object.meta().generation;
    let ours: Vec<Condition> =
        before.iter().filter(|condition| condition.type_ == "Ready").cloned().collect();
    let conditions = condition::settle(&ours, vec![ready], generation, Timestamp::now());
    let unchanged = last.is_some_and(|last| {
        last.observed_generation == generation && last.servers == servers && ours == conditions
    });
    if unchanged {
        return Ok(Next::AwaitChange);
    }
    let status = K::status_of(generation, servers, conditions.clone());
    report::write(&context, object.as_ref(), &status, &ours, &conditions).await?;
    Ok(Next::AwaitChange)
}

/// The servers that select it.
fn hosts<K: Member>(context: &Context, object: &K, key: &Key) -> Vec<Host> {
    let selecting = context.world.objects.selecting(K::KIND, &key.namespace, object.labels());
    selecting
        .into_iter()
        .filter_map(|server| {
            let key = Key::of(server.as_ref());
            let compilation = context.compile(&key)?;
            let answers = context.fleet.answers(&key, &context.world.endpoints(&key));
            let summary = match (&compilation.product, &answers) {
                (Some(product), Some(answers)) => {
                    let accepted = context.fleet.accepted(&key);
                    let accepted = accepted.as_ref().map(crate::fleet::Config::hash);
                    Summary::of(answers, &product.encoded.hash, accepted)
                }
                _ => Summary::default(),
            };
            let idle = server.spec.replicas == 0;
            Some(Host { name: key.name, compilation, summary, idle, asked: answers.is_some() })
        })
        .collect()
}
