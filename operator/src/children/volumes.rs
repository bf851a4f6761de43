//! What pods mount. Secrets are optional: one that is missing costs its tool, never the pod's start, and the
//! kubelet mounts it when it appears.

use super::Blueprint;
use k8s_openapi::api::core::v1::{ConfigMapVolumeSource, SecretVolumeSource, Volume, VolumeMount};
use kube::ResourceExt;
use mcpfleet_config::ConfigHash;

/// Directory of the configuration. A directory, since a file mounted by `subPath` never changes again.
pub(super) const CONFIG_DIR: &str = "/etc/mcpfleet/config";
/// Directory with a directory for each credential Secret.
pub(super) const CREDENTIALS_DIR: &str = "/etc/mcpfleet/credentials";
/// Directory of the serving certificate.
pub(super) const TLS_DIR: &str = "/etc/mcpfleet/tls";

pub(super) fn build(blueprint: &Blueprint<'_>) -> (Vec<Volume>, Vec<VolumeMount>) {
    let needs = &blueprint.product.pod;
    let config = Volume {
        name: "config".into(),
        config_map: Some(ConfigMapVolumeSource {
            name: blueprint.server.name_any(),
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    };
    let credentials = needs.credentials.iter().map(|secret| {
        (secret_volume(credential_volume(secret), secret), format!("{CREDENTIALS_DIR}/{secret}"))
    });
    let tls = needs.tls_secret.iter().map(|secret| (secret_volume("tls".into(), secret), TLS_DIR.into()));
    std::iter::once((config, CONFIG_DIR.to_owned()))
        .chain(credentials)
        .chain(tls)
        .map(|(volume, path)| {
            let mount = VolumeMount {
                name: volume.name.clone(),
                mount_path: path,
                read_only: Some(true),
                ..VolumeMount::default()
            };
            (volume, mount)
        })
        .unzip()
}

fn secret_volume(name: String, secret: &str) -> Volume {
    let source = SecretVolumeSource {
        secret_name: Some(secret.into()),
        optional: Some(true),
        ..SecretVolumeSource::default()
    };
    Volume { name, secret: Some(source), ..Volume::default() }
}

/// A Secret's name may be longer than a volume's and contain dots; its hash is neither.
fn credential_volume(secret: &str) -> String {
    format!("credential-{}", ConfigHash::of(secret.as_bytes()).short())
}
