//! `spec.registry`: other servers that this one lists to those whom they would let in.

use super::{
    Inputs, Placement, access, endpoint,
    report::{Collector, ObjectKey, Reason, namespace_of},
    select,
};
use crate::v1alpha1::McpServer;
use kube::ResourceExt;
use mcpfleet_config::{MAX_NEIGHBOURS, Neighbour, mcp_endpoint};

/// The servers that are selected, itself aside, sorted by name. What is wrong with one of them is said to its own author.
///
/// Standalone there are none: servers of one process ask each other's doors, which know more.
pub(super) fn compile(inputs: &Inputs<'_>, collector: &mut Collector) -> Vec<Neighbour> {
    let Some(selection) = &inputs.server.spec.registry else { return Vec::new() };
    if *inputs.placement != Placement::Cluster {
        return Vec::new();
    }
    let own = inputs.server.name_any();
    let namespace = namespace_of(inputs.server);
    let mut scope = collector.scope(ObjectKey::server(inputs.server));
    let field = "spec.registry.selector";
    let mut selected = select::select(&mut scope, field, selection, &namespace, inputs.servers);
    selected.retain(|server| server.name_any() != own);
    selected.sort_by_key(|server| server.name_any());
    if selected.len() > MAX_NEIGHBOURS {
        let message = format!("selects {} servers; the first {MAX_NEIGHBOURS} are listed", selected.len());
        scope.warning(field, Reason::TooLarge, message, "select fewer");
        selected.truncate(MAX_NEIGHBOURS);
    }
    selected.into_iter().filter_map(neighbour).collect()
}

/// `None` for one that is refused: it lets nobody in.
fn neighbour(server: &McpServer) -> Option<Neighbour> {
    let mut elsewhere = Collector::default();
    let mut scope = elsewhere.scope(ObjectKey::server(server));
    let access = access::compile(&mut scope, server);
    if !scope.clean() {
        return None;
    }
    let url = server.spec.public_url.as_deref().map_or_else(|| endpoint(server), mcp_endpoint);
    let name = format!("{}/{}", namespace_of(server), server.name_any());
    Some(Neighbour::new(name, url, &access)).filter(|it| it.admits_anybody() && it.can_be_reached())
}
