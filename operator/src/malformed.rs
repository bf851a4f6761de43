//! Objects that cannot be read, such as those stored before their definition changed. One of them must never
//! wedge a watch: it is kept out, told to its author, and everything else goes on. Its children stay.

use crate::{
    children::FIELD_MANAGER,
    condition::{Verdict, settle},
    context::Context,
    error::{Error, is_not_found},
    queue::Next,
    world::{Custom, Key, Malformed},
};
use jiff::Timestamp;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
};
use mcpfleet_crds::v1alpha1::Condition;
use serde_json::{Value, json};

/// Says on the object's own status, and in an Event, what is wrong with it.
///
/// # Errors
/// The API server could not be asked.
pub async fn report<K: Custom>(context: &Context, key: &Key, object: &Malformed) -> Result<Next, Error> {
    let resource = ApiResource::erase::<K>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(context.client.clone(), &key.namespace, &resource);
    let before = match api.get_opt(&key.name).await? {
        Some(current) => conditions(&current.data),
        None => return Ok(Next::AwaitChange),
    };
    let after = settle(&before, verdicts(&object.error), object.metadata.generation, Timestamp::now());
    if after == before {
        return Ok(Next::AwaitChange);
    }
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"name": key.name, "uid": object.metadata.uid},
        "status": {"observedGeneration": object.metadata.generation, "conditions": after},
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    match api.patch_status(&key.name, &params, &Patch::Apply(&patch)).await {
        Ok(_) => {}
        Err(error) if is_not_found(&error) => return Ok(Next::AwaitChange),
        // The definition may refuse the object as a whole; the Event still tells.
        Err(error) => {
            tracing::warn!(object = %key, %error, "the status of a malformed object cannot be written");
        }
    }
    let reference = k8s_openapi::api::core::v1::ObjectReference {
        api_version: Some(K::api_version(&()).into_owned()),
        kind: Some(K::kind(&()).into_owned()),
        namespace: Some(key.namespace.clone()),
        name: Some(key.name.clone()),
        uid: object.metadata.uid.clone(),
        ..Default::default()
    };
    context.events.publish(&reference, &before, &after).await;
    Ok(Next::AwaitChange)
}

fn verdicts(error: &str) -> Vec<Verdict> {
    let message =
        format!("the object cannot be read: {error}; apply it again in the form of the current definition");
    vec![
        Verdict::new("Ready", false, "Malformed", &message),
        Verdict::new("Stalled", true, "Malformed", message),
    ]
}

/// The conditions that stand there, as far as they can be read, without those that would be dropped.
fn conditions(data: &Value) -> Vec<Condition> {
    let all = data.pointer("/status/conditions").cloned().unwrap_or_default();
    let all: Vec<Condition> = serde_json::from_value(all).unwrap_or_default();
    all.into_iter().filter(|condition| matches!(condition.type_.as_str(), "Ready" | "Stalled")).collect()
}
