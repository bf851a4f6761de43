//! Bringing the wanted configuration to the pods that run: as a candidate, until one of them has accepted it.

use super::Observed;
use crate::{
    children::{CONFIG_HASH, CONFIG_KEY, CONFIG_REVISION, ChildKind},
    context::Context,
    error::{Error, is_not_found},
    fleet::{Config, decompress},
    world::{Key, Seen},
};
use k8s_openapi::{ByteString, api::core::v1::ConfigMap};
use kube::Api;
use mcpfleet_config::{ConfigHash, Encoded};
use std::sync::Arc;

/// Offers it; what is accepted may be another by then.
///
/// # Errors
/// The API server could not be asked for the ConfigMap.
pub(super) async fn offer(context: &Context, observed: Observed) -> Result<Observed, Error> {
    let Some(product) = &observed.compilation.product else { return Ok(observed) };
    let key = Key::of(observed.server.as_ref());
    context.fleet.claim(&key, observed.uid());
    if context.fleet.accepted(&key).is_none()
        && let Some(stored) = recall(context, &key, &observed).await?
    {
        context.fleet.recall(&key, stored);
    }
    context.fleet.desire(&key, &product.encoded);
    let answers = context.fleet.answers(&key, &context.world.endpoints(&key));
    let accepted = context.fleet.accepted(&key);
    Ok(Observed { accepted, answers, ..observed })
}

/// What the ConfigMap holds. Its bytes are asked for only when they are not what is wanted anyway.
async fn recall(context: &Context, key: &Key, observed: &Observed) -> Result<Option<Config>, Error> {
    let ours = |seen: &&Seen| seen.kind == ChildKind::ConfigMap && seen.is_controlled_by(observed.uid());
    let Some(seen) = observed.children.iter().find(ours) else { return Ok(None) };
    let annotation = |name: &str| seen.metadata.annotations.as_ref()?.get(name).cloned();
    let revision = annotation(CONFIG_REVISION).and_then(|text| text.parse().ok()).unwrap_or_default();
    let wanted = observed.compilation.product.as_ref().map(|product| product.encoded.clone());
    if let Some(same) =
        wanted.filter(|wanted| annotation(CONFIG_HASH).as_deref() == Some(wanted.hash.as_str()))
    {
        return Ok(Some(Config::new(revision, same)));
    }
    let api: Api<ConfigMap> = Api::namespaced(context.client.clone(), &key.namespace);
    match api.get(&key.name).await {
        Ok(config) => Ok(read(&config).map(|encoded| Config::new(revision, Arc::new(encoded)))),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The configuration in a ConfigMap; `None` when it is not what its annotation says.
fn read(config: &ConfigMap) -> Option<Encoded> {
    let ByteString(compressed) = config.binary_data.as_ref()?.get(CONFIG_KEY)?;
    let json = String::from_utf8(decompress(compressed).ok()?).ok()?;
    let hash = ConfigHash::of(json.as_bytes());
    let said = config.metadata.annotations.as_ref()?.get(CONFIG_HASH)?;
    (hash.as_str() == said).then_some(Encoded { json, hash })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{applied, observed, server, tool};
    use serde_json::json;

    #[test]
    fn what_was_written_is_what_is_recalled_and_damage_is_not() {
        let wanted = observed(server(json!({})), &[tool("hello", json!({}))]);
        let accepted = wanted.accepted.clone().unwrap();
        let seen = applied(wanted);
        let config = seen.children.iter().find(|child| child.kind == ChildKind::ConfigMap).unwrap();
        let mut stored: ConfigMap = serde_json::from_value(config.object.clone()).unwrap();
        stored.binary_data = Some([(CONFIG_KEY.into(), ByteString(accepted.compressed().to_vec()))].into());
        assert_eq!(read(&stored).as_ref(), Some(accepted.encoded.as_ref()));
        stored.binary_data = Some([(CONFIG_KEY.into(), ByteString(b"damage".to_vec()))].into());
        assert_eq!(read(&stored), None);
    }
}
