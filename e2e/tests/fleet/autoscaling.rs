//! Replicas follow calls that really wait in real pods; nothing here writes a signal.

use mcpfleet_crds::v1alpha1::McpServer;
use mcpfleet_e2e::harness::{Era, Fleet, call_tool, eventually, repository};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

/// The example, with less patience.
fn manifests() -> String {
    let path = repository().join("examples/autoscaling/server.yaml");
    std::fs::read_to_string(path).unwrap().replace("scaleDownDelay: 20s", "scaleDownDelay: 5s")
}

async fn server(fleet: &Fleet) -> McpServer {
    fleet.api::<McpServer>().get("reports").await.unwrap()
}

async fn ready_at(fleet: &Fleet, replicas: i32) {
    eventually(&format!("{replicas} replicas, all Ready"), || async {
        let server = server(fleet).await;
        let ready = server.status.map_or(0, |status| status.ready_replicas);
        if server.spec.replicas == replicas && ready == replicas {
            Ok(())
        } else {
            Err((server.spec.replicas, ready))
        }
    })
    .await;
}

/// As many callers as the burst is wide, each with one call after the other.
async fn burst(url: &str, callers: usize, stop: &Arc<AtomicBool>, answered: &Arc<AtomicUsize>) -> usize {
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let (url, stop, answered) = (url.to_owned(), stop.clone(), answered.clone());
            tokio::spawn(async move {
                let mut sent = 0;
                while !stop.load(Ordering::Relaxed) {
                    let call = caller * 1_000_000 + sent;
                    let (text, failed) =
                        call_tool(&url, Era::Modern, "build_report", json!({"ms": 500, "call": call}))
                            .await
                            .expect("no call is lost");
                    assert!(!failed, "{text}");
                    sent += 1;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                sent
            })
        })
        .collect();
    let mut sent = 0;
    for task in tasks {
        sent += task.await.unwrap();
    }
    sent
}

/// Numbers of the calls that reached the backend.
async fn ran(fleet: &Fleet) -> usize {
    let url = format!("{}/ledger", fleet.service_url("orders").await.unwrap());
    let ledger: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let targets: std::collections::BTreeSet<&str> =
        ledger.as_array().unwrap().iter().filter_map(|request| request["target"].as_str()).collect();
    assert_eq!(targets.len(), ledger.as_array().unwrap().len(), "no call ran twice");
    targets.len()
}

#[tokio::test]
async fn replicas_rise_with_calls_that_wait_and_fall_again_and_no_call_is_lost() {
    let fleet = Fleet::new("autoscaling").await.unwrap();
    fleet.apply_path(&repository().join("examples/support/backends.yaml")).await.unwrap();
    fleet.apply(&manifests()).await.unwrap();
    fleet.server_condition("reports", "Ready", "True").await;
    fleet.server_condition("reports", "ScalingActive", "True").await;
    fleet.kubectl(&["rollout", "status", "deployment/orders", "--timeout=150s"]).await.unwrap();
    assert_eq!(server(&fleet).await.spec.replicas, 1, "turning it on changes nothing");

    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let url = format!("{}/mcp", fleet.service_url("reports").await.unwrap());
    let load = {
        let (stop, answered) = (stop.clone(), answered.clone());
        tokio::spawn(async move { burst(&url, 24, &stop, &answered).await })
    };
    ready_at(&fleet, 3).await;
    let so_far = answered.load(Ordering::Relaxed);
    eventually("calls are answered by more pods", || async {
        let answered = answered.load(Ordering::Relaxed);
        if answered >= so_far + 48 { Ok(()) } else { Err(answered) }
    })
    .await;
    stop.store(true, Ordering::Relaxed);
    let sent = load.await.unwrap();
    assert_eq!(ran(&fleet).await, sent, "each call ran exactly once");

    ready_at(&fleet, 1).await;
    assert_eq!(ran(&fleet).await, sent);
    let written_by =
        fleet.kubectl(&["get", "mcpserver", "reports", "-o", "json", "--show-managed-fields"]).await.unwrap();
    let written_by: Value = serde_json::from_str(&written_by).unwrap();
    let owner = written_by["metadata"]["managedFields"].as_array().unwrap().iter().find(|entry| {
        entry["subresource"] == "scale" && !entry["fieldsV1"]["f:spec"]["f:replicas"].is_null()
    });
    assert_eq!(owner.map(|entry| entry["manager"].clone()), Some(json!("mcpfleet-operator-scaler")));
    let events =
        fleet.kubectl(&["get", "events", "--field-selector=reason=Scaled", "-o", "name"]).await.unwrap();
    assert!(!events.trim().is_empty(), "scaling is told");

    // Off again, the number is the user's.
    fleet.patch::<McpServer>("reports", json!({"spec": {"autoscaling": null}})).await.unwrap();
    fleet.kubectl(&["scale", "mcpserver", "reports", "--replicas=2"]).await.unwrap();
    ready_at(&fleet, 2).await;
    let conditions = server(&fleet).await.status.unwrap().conditions;
    assert!(conditions.iter().all(|condition| condition.type_ != "ScalingActive"), "{conditions:?}");
    fleet.delete().await.unwrap();
}

#[tokio::test]
async fn a_server_that_was_stopped_by_hand_stays_stopped() {
    let fleet = Fleet::new("stopped").await.unwrap();
    fleet.apply(&manifests().replacen("  auth:", "  replicas: 0\n  auth:", 1)).await.unwrap();
    let condition = fleet.server_condition_for("reports", "ScalingActive", "False", "ScalingPaused").await;
    assert!(condition.message.contains("spec.replicas is 0"), "{}", condition.message);
    fleet.server_condition_for("reports", "Ready", "True", "Idle").await;
    assert_eq!(server(&fleet).await.spec.replicas, 0);
    fleet.delete().await.unwrap();
}
