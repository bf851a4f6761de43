//! What pods boot from: the configuration that a runtime has accepted, compressed, with its place in the order, and the
//! certificates that they know the operator by. Mounted as a directory and read again when it changes.

use super::{Blueprint, CONFIG_HASH, CONFIG_REVISION, ChildKind, metadata};
use crate::fleet::{Config, decompress};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use k8s_openapi::{ByteString, api::core::v1::ConfigMap};
use kube::ResourceExt;
use mcpfleet_config::ConfigHash;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// File name of the configuration.
pub const KEY: &str = "config.json.gz";
/// File name of its revision.
const REVISION: &str = "revision";
/// File name of the certificates.
pub(super) const BUNDLE: &str = "ca.crt";

pub(super) fn build(blueprint: &Blueprint<'_>, accepted: &Config) -> ConfigMap {
    let revision = accepted.revision.to_string();
    let text = [(REVISION, revision.clone()), (BUNDLE, blueprint.bundle.to_string())];
    let compressed = ByteString(accepted.compressed().to_vec());
    let mut config = ConfigMap {
        metadata: metadata(blueprint.server),
        data: Some(text.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        binary_data: Some(BTreeMap::from([(KEY.into(), compressed)])),
        ..ConfigMap::default()
    };
    config.annotations_mut().insert(CONFIG_HASH.into(), accepted.hash().to_string());
    config.annotations_mut().insert(CONFIG_REVISION.into(), revision);
    config
}

/// Replaces the data by hashes: enough to compare, and a watch of a thousand configurations stays small.
pub fn digest_data(config: &mut ConfigMap) {
    for text in config.data.iter_mut().flat_map(BTreeMap::values_mut) {
        *text = digest(text.as_bytes());
    }
    for ByteString(bytes) in config.binary_data.iter_mut().flat_map(BTreeMap::values_mut) {
        *bytes = digest_compressed(bytes).into_bytes();
    }
}

/// The same for a manifest; other kinds stay as they are.
pub fn digest_value(kind: ChildKind, manifest: &mut Value) {
    if kind != ChildKind::ConfigMap {
        return;
    }
    for text in strings(manifest, "data") {
        *text = digest(text.as_bytes());
    }
    for text in strings(manifest, "binaryData") {
        let bytes = BASE64_STANDARD.decode(text.as_bytes()).unwrap_or_default();
        *text = BASE64_STANDARD.encode(digest_compressed(&bytes));
    }
}

fn strings<'a>(manifest: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut String> {
    let members =
        manifest.get_mut(field).and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut);
    members.filter_map(|value| match value {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// Of what was compressed; of the bytes as they are when they are no gzip of ours.
fn digest_compressed(bytes: &[u8]) -> String {
    decompress(bytes).map_or_else(|_| digest(bytes), |plain| digest(&plain))
}

fn digest(bytes: &[u8]) -> String {
    ConfigHash::of(bytes).to_string()
}
