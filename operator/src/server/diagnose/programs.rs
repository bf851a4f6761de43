//! Why the program of an upstream does not run: the pods of all of a server's programs, listed at once.

use super::{PATIENCE, Trouble, newest, of_pod, selector_text};
use crate::{
    children::{UPSTREAM_LABEL, bridge_labels},
    context::Context,
    error::Error,
    server::Observed,
    world::Key,
};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, ResourceExt, api::ListParams};
use mcpfleet_crds::compile::Bridge;
use std::collections::BTreeMap;

/// Pods that are looked at: of each upstream that a server may have, those of three templates.
const MAX_PODS: u32 = 192;

/// Looks at the pods of programs that have been on their way for [`PATIENCE`]; what it finds, by upstream.
pub(in crate::server) async fn diagnose(
    context: &Context,
    observed: &Observed,
) -> Result<BTreeMap<String, Trouble>, Error> {
    let bridges = observed.compilation.product.iter().flat_map(|product| &product.bridges);
    let late: Vec<&Bridge> = bridges.filter(|bridge| is_late(observed, bridge, Timestamp::now())).collect();
    if late.is_empty() {
        return Ok(BTreeMap::new());
    }
    let key = Key::of(observed.server.as_ref());
    let pods: Api<Pod> = Api::namespaced(context.client.clone(), &key.namespace);
    let selector = selector_text(&bridge_labels(&key.name));
    let found = pods.list(&ListParams::default().labels(&selector).limit(MAX_PODS)).await?;
    Ok(late
        .into_iter()
        .filter_map(|bridge| Some((bridge.upstream.clone(), of(bridge, &found.items)?)))
        .collect())
}

/// Whether its pod should have been there by now, as the status says.
fn is_late(observed: &Observed, bridge: &Bridge, now: Timestamp) -> bool {
    let rollout = observed.bridge_rollout(bridge);
    let reported = observed.server.status.iter().flat_map(|status| &status.upstreams);
    let since =
        reported.filter(|upstream| upstream.name == bridge.upstream).map(|upstream| upstream.since.0).next();
    !rollout.complete
        && rollout.wanted > 0
        && since.is_some_and(|since| now.duration_since(since) >= PATIENCE)
}

fn of(bridge: &Bridge, pods: &[Pod]) -> Option<Trouble> {
    let own: Vec<&Pod> =
        pods.iter().filter(|pod| pod.labels().get(UPSTREAM_LABEL) == Some(&bridge.upstream)).collect();
    let at = format!("spec.upstreams[{}].stdio", bridge.upstream);
    newest(own.iter().copied()).filter_map(|pod| of_pod(pod, &at)).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{observed, server};
    use serde_json::json;

    #[test]
    fn each_program_has_the_troubles_of_its_own_pods() {
        let spec = json!({"upstreams": [
            {"name": "bad", "stdio": {"image": "gone:1", "command": ["a"]}},
            {"name": "good", "stdio": {"image": "fine:1", "command": ["a"]}},
        ]});
        let observed = observed(server(spec), &[]);
        let pod = |upstream: &str, waiting: &str| -> Pod {
            serde_json::from_value(json!({
                "metadata": {"name": upstream, "labels": {UPSTREAM_LABEL: upstream}},
                "status": {"containerStatuses": [{
                    "name": "program", "image": "gone:1", "imageID": "", "ready": false, "restartCount": 0,
                    "state": {"waiting": {"reason": waiting}},
                }]},
            }))
            .unwrap()
        };
        let pods = [pod("bad", "ImagePullBackOff"), pod("good", "ContainerCreating")];
        let bridges = &observed.compilation.product.as_ref().unwrap().bridges;
        let trouble = of(&bridges[0], &pods).unwrap();
        assert_eq!(trouble.reason, "ImagePullFailed");
        assert!(trouble.message.contains("mend spec.upstreams[bad].stdio.image"), "{}", trouble.message);
        assert_eq!(of(&bridges[1], &pods), None);
    }
}
