//! Identity of the pods. It has no rights, and no pod gets a token for it.

use super::{Blueprint, metadata};
use k8s_openapi::api::core::v1::ServiceAccount;

pub(super) fn build(blueprint: &Blueprint<'_>) -> ServiceAccount {
    ServiceAccount {
        metadata: metadata(blueprint.server),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}
