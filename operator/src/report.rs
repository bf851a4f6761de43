//! Writing the status of a resource, whatever its kind, and the Events that go with a change.

use crate::{children::FIELD_MANAGER, context::Context, error::Error, world::Custom};
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
};
use mcpfleet_crds::v1alpha1::Condition;
use serde::Serialize;
use serde_json::json;

/// Writes a status that is known to differ, keeps the answer, and tells what is different.
///
/// # Errors
/// The API server does not take it.
pub async fn write<K: Custom>(
    context: &Context,
    object: &K,
    status: &impl Serialize,
    before: &[Condition],
    after: &[Condition],
) -> Result<(), Error> {
    let api: Api<K> = Api::namespaced(context.client.clone(), &object.namespace().unwrap_or_default());
    // The uid keeps the status of one object from being written to its successor of the same name.
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"name": object.name_any(), "uid": object.uid()},
        "status": status,
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    match api.patch_status(&object.name_any(), &params, &Patch::Apply(&patch)).await {
        Ok(mut written) => {
            written.managed_fields_mut().clear();
            // Nobody but us is concerned: the next look sees it before the watch brings it.
            let _ = context.world.objects.put(written);
        }
        // Deleted, or deleted and made anew meanwhile: the watch tells.
        Err(kube::Error::Api(refused)) if matches!(refused.code, 404 | 409) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    context.events.publish(&object.object_ref(&()), before, after).await;
    Ok(())
}
