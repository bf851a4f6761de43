//! ProviderRoute as a member.

use super::{LastStatus, Member};
use kube::ResourceExt;
use mcpfleet_config::status::CredentialUser;
use mcpfleet_crds::{
    compile::{ObjectKey, Report, check_route},
    v1alpha1::{Condition, Membership, ProviderRoute, ProviderRouteStatus},
};

impl Member for ProviderRoute {
    type Status = ProviderRouteStatus;

    fn object_key(&self) -> ObjectKey {
        ObjectKey::route(self)
    }

    fn credential_user(&self) -> CredentialUser {
        CredentialUser::Route(self.name_any())
    }

    fn check(&self) -> Report {
        check_route(self)
    }

    fn last_status(&self) -> Option<LastStatus<'_>> {
        let ProviderRouteStatus { observed_generation, servers, conditions } = self.status.as_ref()?;
        Some(LastStatus { observed_generation: *observed_generation, servers, conditions })
    }

    fn status_of(
        generation: Option<i64>,
        servers: Vec<Membership>,
        conditions: Vec<Condition>,
    ) -> ProviderRouteStatus {
        ProviderRouteStatus { observed_generation: generation, servers, conditions }
    }
}
