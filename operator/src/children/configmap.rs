//! The configuration that pods boot from. It is mounted as a directory and read again when it changes, so a
//! change rolls nothing.

use super::{Blueprint, CONFIG_HASH, ChildKind, metadata};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use mcpfleet_config::ConfigHash;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// File name of the configuration.
pub(super) const KEY: &str = "config.json";

pub(super) fn build(blueprint: &Blueprint<'_>) -> ConfigMap {
    let encoded = &blueprint.product.encoded;
    let mut config = ConfigMap {
        metadata: metadata(blueprint.server),
        data: Some(BTreeMap::from([(KEY.into(), encoded.json.clone())])),
        ..ConfigMap::default()
    };
    config.annotations_mut().insert(CONFIG_HASH.into(), encoded.hash.to_string());
    config
}

/// Replaces the data by its hashes: enough to compare, and a watch of a thousand configurations stays small.
pub fn digest_data(config: &mut ConfigMap) {
    for text in config.data.iter_mut().flat_map(BTreeMap::values_mut) {
        *text = digest(text);
    }
    config.binary_data = None;
}

/// The same for a manifest; other kinds stay as they are.
pub fn digest_value(kind: ChildKind, manifest: &mut Value) {
    if kind != ChildKind::ConfigMap {
        return;
    }
    for value in manifest.get_mut("data").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
    {
        if let Value::String(text) = value {
            *text = digest(text);
        }
    }
}

fn digest(text: &str) -> String {
    ConfigHash::of(text.as_bytes()).to_string()
}
