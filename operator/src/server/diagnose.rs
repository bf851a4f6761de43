//! Why a rollout does not finish: its pods are listed, once it has had time, and only then.

pub(super) mod programs;

use super::Observed;
use crate::{children::selector_labels, condition, context::Context, error::Error, world::Key};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::{Api, ResourceExt, api::ListParams};
use std::collections::BTreeMap;

/// How long a rollout may take before anyone asks why.
pub(super) const PATIENCE: SignedDuration = SignedDuration::from_secs(10);
/// Label of a pod with the hash of its template.
const TEMPLATE: &str = "pod-template-hash";
/// Pods that are looked at; the others will say the same.
const MAX_PODS: u32 = 50;

/// What keeps a pod from starting.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trouble {
    /// Reason for a condition.
    pub reason: &'static str,
    /// What the kubelet or the scheduler says, and what to do.
    pub message: String,
}

/// Looks at the pods of a rollout that has been going on for [`PATIENCE`].
pub(super) async fn diagnose(context: &Context, observed: &Observed) -> Result<Option<Trouble>, Error> {
    let rollout = observed.rollout();
    let waited =
        waiting_since(observed).is_some_and(|since| Timestamp::now().duration_since(since) >= PATIENCE);
    if rollout.complete || rollout.wanted == 0 || !waited {
        return Ok(None);
    }
    let key = Key::of(observed.server.as_ref());
    let pods: Api<Pod> = Api::namespaced(context.client.clone(), &key.namespace);
    let selector = selector_text(&selector_labels(&key.name));
    let found = pods.list(&ListParams::default().labels(&selector).limit(MAX_PODS)).await?;
    Ok(newest(&found.items).filter_map(|pod| of_pod(pod, "spec.template")).min())
}

/// Pods of the template that came last: troubles of the one before are history.
fn newest<'a>(pods: impl IntoIterator<Item = &'a Pod, IntoIter: Clone>) -> impl Iterator<Item = &'a Pod> {
    let pods = pods.into_iter();
    let template = |pod: &Pod| pod.labels().get(TEMPLATE).cloned();
    let last = pods.clone().max_by_key(|pod| pod.creation_timestamp()).and_then(template);
    pods.filter(move |pod| template(pod) == last)
}

/// Since when the server is on its way, as its status says.
fn waiting_since(observed: &Observed) -> Option<Timestamp> {
    let conditions = &observed.server.status.as_ref()?.conditions;
    let current = condition::find(conditions, "Reconciling")
        .or_else(|| condition::find(conditions, "Ready").filter(|ready| ready.status == "False"))?;
    Some(current.last_transition_time.0)
}

pub(super) fn selector_text(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// The trouble of one pod, if it has any. `at` is the field that says what it is.
fn of_pod(pod: &Pod, at: &str) -> Option<Trouble> {
    if pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let status = pod.status.as_ref()?;
    let mut containers = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    containers.find_map(|container| of_container(container, at)).or_else(|| unscheduled(pod, at))
}

fn unscheduled(pod: &Pod, at: &str) -> Option<Trouble> {
    let conditions = pod.status.as_ref()?.conditions.iter().flatten();
    let refused = conditions
        .filter(|condition| condition.type_ == "PodScheduled" && condition.status == "False")
        .find(|condition| condition.reason.as_deref() == Some("Unschedulable"))?;
    let message = refused.message.clone().unwrap_or_else(|| "no node takes the pod".into());
    Some(Trouble { reason: "Unschedulable", message: format!("{message}; free resources, or mend {at}") })
}

fn of_container(container: &ContainerStatus, at: &str) -> Option<Trouble> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let said = waiting.message.clone().unwrap_or_default();
    let name = &container.name;
    let (reason, message) = match waiting.reason.as_deref()? {
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => {
            let image = &container.image;
            let said = pull_error(&said);
            (
                "ImagePullFailed",
                format!("image {image} cannot be pulled: {said}; mend {at}.image or imagePullSecrets"),
            )
        }
        "CrashLoopBackOff" => {
            ("CrashLoopBackOff", format!("container {name} ends again and again: {}", last_end(container)))
        }
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            ("CreateContainerConfigError", format!("container {name} cannot be made: {said}"))
        }
        _ => return None,
    };
    Some(Trouble { reason, message })
}

/// The cause. The kubelet says it first as it is and then behind `Back-off pulling image "x": ErrImagePull: `;
/// a message that changes with each try would be a write each time.
fn pull_error(said: &str) -> &str {
    let cause = said.split_once("ErrImagePull: ").map_or(said, |(_, cause)| cause);
    if cause.is_empty() || cause.starts_with("Back-off pulling image") {
        "the registry does not give it"
    } else {
        cause
    }
}

/// How a container ended last: its exit code and last line.
fn last_end(container: &ContainerStatus) -> String {
    let ended = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    let Some(ended) = ended else { return "see its logs".into() };
    let said = ended.message.as_deref().unwrap_or_default();
    let line = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("see its logs");
    let line: String = line.trim().chars().take(512).collect();
    format!("exit code {}: {line}", ended.exit_code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(status: &serde_json::Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"name": "p"}, "status": status})).unwrap()
    }

    fn waiting(reason: &str, message: &str) -> Pod {
        pod(&json!({"containerStatuses": [{
            "name": "runtime", "image": "x:1", "imageID": "", "ready": false, "restartCount": 3,
            "state": {"waiting": {"reason": reason, "message": message}},
            "lastState": {"terminated": {"exitCode": 2, "message": "starting\ncannot bind\n"}},
        }]}))
    }

    #[test]
    fn a_failing_pull_reads_the_same_at_each_try() {
        let cause = "rpc error: code = NotFound desc = not found";
        let first = of_pod(&waiting("ErrImagePull", cause), "spec.template").unwrap();
        let then = format!("Back-off pulling image \"x:1\": ErrImagePull: {cause}");
        assert_eq!(of_pod(&waiting("ImagePullBackOff", &then), "spec.template").unwrap(), first);
        assert_eq!(first.reason, "ImagePullFailed");
        assert!(first.message.contains("x:1") && first.message.contains("not found"), "{}", first.message);
    }

    #[test]
    fn a_crash_shows_the_last_line_not_the_back_off() {
        let trouble =
            of_pod(&waiting("CrashLoopBackOff", "back-off 40s restarting"), "spec.template").unwrap();
        assert_eq!(trouble.reason, "CrashLoopBackOff");
        assert!(trouble.message.ends_with("exit code 2: cannot bind"), "{}", trouble.message);
    }

    #[test]
    fn a_pod_that_fits_nowhere_says_what_the_scheduler_says() {
        let pod = pod(&json!({"conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes: no memory",
        }]}));
        let trouble = of_pod(&pod, "spec.template").unwrap();
        assert_eq!(trouble.reason, "Unschedulable");
        assert!(trouble.message.starts_with("0/1 nodes"));
    }

    #[test]
    fn troubles_of_the_template_before_are_history() {
        let at = |second: &str, template: &str| -> Pod {
            let created = format!("2026-01-01T00:00:{second}Z");
            serde_json::from_value(json!({"metadata": {
                "name": second, "creationTimestamp": created, "labels": {"pod-template-hash": template},
            }}))
            .unwrap()
        };
        let pods = [at("02", "new"), at("01", "old"), at("03", "new")];
        assert_eq!(newest(&pods).map(ResourceExt::name_any).collect::<Vec<_>>(), ["02", "03"]);
    }

    #[test]
    fn a_pod_that_merely_starts_is_no_trouble() {
        assert_eq!(of_pod(&waiting("ContainerCreating", ""), "spec.template"), None);
        assert_eq!(of_pod(&pod(&json!({})), "spec.template"), None);
    }
}
