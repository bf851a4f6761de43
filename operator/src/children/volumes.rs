//! What pods mount. Secrets are optional: one that is missing costs its tool, never the pod's start, and the
//! kubelet mounts it when it appears.

use super::Blueprint;
use k8s_openapi::{
    api::core::v1::{
        ConfigMapVolumeSource, EmptyDirVolumeSource, ProjectedVolumeSource, SecretVolumeSource,
        ServiceAccountTokenProjection, Volume, VolumeMount, VolumeProjection,
    },
    apimachinery::pkg::api::resource::Quantity,
};
use kube::ResourceExt;
use mcpfleet_config::{ConfigHash, stream::AUDIENCE};

/// Directory of the configuration. A directory, since a file mounted by `subPath` never changes again.
pub(super) const CONFIG_DIR: &str = "/etc/mcpfleet/config";
/// Directory with a directory for each credential Secret.
pub(super) const CREDENTIALS_DIR: &str = "/etc/mcpfleet/credentials";
/// Directory of the token that proves the pod to the operator, and to nobody else.
pub(super) const TOKEN_DIR: &str = "/var/run/mcpfleet";
/// Its file.
pub(super) const TOKEN: &str = "token";
/// Lifetime of a token in seconds; the kubelet renews it after four fifths.
const TOKEN_SECONDS: i64 = 3_600;
/// Directory where the runtime keeps the configuration that it serves, over restarts of the container.
pub(super) const STATE_DIR: &str = "/var/lib/mcpfleet";
/// Room there: a configuration, and the next one while it is written.
const STATE_SIZE: &str = "8Mi";
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
    let fixed = [(config, CONFIG_DIR), (token(), TOKEN_DIR), (state(), STATE_DIR)];
    fixed
        .map(|(volume, path)| (volume, path.to_owned()))
        .into_iter()
        .chain(credentials)
        .chain(tls)
        .map(|(volume, path)| {
            let mount = VolumeMount {
                name: volume.name.clone(),
                mount_path: path,
                // The API server leaves out what is false.
                read_only: volume.empty_dir.is_none().then_some(true),
                ..VolumeMount::default()
            };
            (volume, mount)
        })
        .unzip()
}

fn token() -> Volume {
    let projection = VolumeProjection {
        service_account_token: Some(ServiceAccountTokenProjection {
            audience: Some(AUDIENCE.into()),
            expiration_seconds: Some(TOKEN_SECONDS),
            path: TOKEN.into(),
        }),
        ..VolumeProjection::default()
    };
    let projected =
        ProjectedVolumeSource { sources: Some(vec![projection]), ..ProjectedVolumeSource::default() };
    Volume { name: "operator-token".into(), projected: Some(projected), ..Volume::default() }
}

fn state() -> Volume {
    let empty = EmptyDirVolumeSource { size_limit: Some(Quantity(STATE_SIZE.into())), medium: None };
    Volume { name: "state".into(), empty_dir: Some(empty), ..Volume::default() }
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
