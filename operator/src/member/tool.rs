//! McpTool as a member.

use super::{LastStatus, Member};
use kube::ResourceExt;
use mcpfleet_config::status::CredentialUser;
use mcpfleet_crds::{
    compile::{ObjectKey, Report, check_tool},
    v1alpha1::{Condition, McpTool, McpToolStatus, Membership},
};

impl Member for McpTool {
    type Status = McpToolStatus;

    fn object_key(&self) -> ObjectKey {
        ObjectKey::tool(self)
    }

    fn credential_user(&self) -> CredentialUser {
        CredentialUser::Tool(self.name_any())
    }

    fn check(&self) -> Report {
        check_tool(self)
    }

    fn last_status(&self) -> Option<LastStatus<'_>> {
        let McpToolStatus { observed_generation, servers, conditions } = self.status.as_ref()?;
        Some(LastStatus { observed_generation: *observed_generation, servers, conditions })
    }

    fn status_of(
        generation: Option<i64>,
        servers: Vec<Membership>,
        conditions: Vec<Condition>,
    ) -> McpToolStatus {
        McpToolStatus { observed_generation: generation, servers, conditions }
    }
}
