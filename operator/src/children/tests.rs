use super::{Blueprint, Child, ChildKind, all};
use crate::fixtures::{BUNDLE, defaults, observed, server, tool, tool_with_secret};
use mcpfleet_crds::v1alpha1::{McpServer, McpTool};
use serde_json::{Value, json};

fn build(server: McpServer, tools: &[McpTool]) -> Vec<Child> {
    let observed = observed(server, tools);
    let defaults = defaults();
    let product = observed.compilation.product.as_ref().unwrap();
    let (accepted, bundle) = (observed.accepted.as_ref(), BUNDLE.into());
    all(&Blueprint { server: &observed.server, product, accepted, bundle: &bundle, defaults: &defaults })
        .unwrap()
}

fn manifest(children: &[Child], kind: ChildKind) -> &Value {
    &children.iter().find(|child| child.kind == kind).unwrap().manifest
}

fn template(children: &[Child]) -> Value {
    manifest(children, ChildKind::Deployment)["spec"]["template"].clone()
}

fn plain() -> Vec<Child> {
    build(server(json!({})), &[tool("hello", json!({}))])
}

#[test]
fn every_child_is_owned_labelled_and_hashed() {
    for child in plain() {
        let metadata = &child.manifest["metadata"];
        let owner = &metadata["ownerReferences"][0];
        assert_eq!(
            (&owner["uid"], &owner["controller"], &owner["blockOwnerDeletion"]),
            (&json!(crate::fixtures::UID), &json!(true), &json!(true))
        );
        assert_eq!(
            metadata["labels"],
            json!({
                "app.kubernetes.io/name": "mcp-runtime", "app.kubernetes.io/instance": "support",
                "app.kubernetes.io/managed-by": "mcpfleet-operator", "mcpfleet.dev/server": "support",
            })
        );
        assert_eq!(metadata["annotations"]["mcpfleet.dev/applied-hash"], json!(child.hash.as_str()));
        assert!(
            child.manifest["apiVersion"].is_string() && child.manifest["kind"] == json!(child.kind.as_str())
        );
    }
}

#[test]
fn pods_meet_the_restricted_standard_and_get_no_token() {
    let pod = &template(&plain())["spec"];
    assert_eq!(pod["automountServiceAccountToken"], json!(false));
    assert_eq!(pod["securityContext"]["runAsNonRoot"], json!(true));
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], json!("RuntimeDefault"));
    assert_eq!(
        pod["containers"][0]["securityContext"],
        json!({
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "runAsNonRoot": true,
            "capabilities": {"drop": ["ALL"]},
        })
    );
    let volumes = pod["volumes"].as_array().unwrap();
    let tokens: Vec<&Value> = volumes.iter().filter_map(|volume| volume.get("projected")).collect();
    let token = &tokens[0]["sources"][0]["serviceAccountToken"];
    assert_eq!((tokens.len(), &token["audience"]), (1, &json!("mcpfleet.dev/operator")), "no other token");
    let kinds = ["configMap", "secret", "projected", "emptyDir"];
    assert!(volumes.iter().all(|volume| kinds.iter().any(|kind| volume.get(kind).is_some())), "{volumes:?}");
    assert_eq!(manifest(&plain(), ChildKind::ServiceAccount)["automountServiceAccountToken"], json!(false));
}

#[test]
fn a_hot_change_changes_the_config_map_alone() {
    let before = plain();
    let longer = tool("slow", json!({"timeout": "10m", "description": "Takes its time."}));
    let after = build(
        server(json!({"admission": {"concurrency": 7}})),
        &[tool("hello", json!({"description": "New."})), longer],
    );
    for (old, new) in before.iter().zip(&after) {
        assert_eq!(old.hash == new.hash, old.kind != ChildKind::ConfigMap, "{:?}", old.kind);
    }
}

#[test]
fn a_secret_not_named_before_rolls_pods_and_is_optional() {
    let with = build(server(json!({})), &[tool_with_secret("a", "orders.example.com-with-a-very-long-name")]);
    assert_ne!(template(&plain()), template(&with));
    let pod = &template(&with)["spec"];
    let volume =
        pod["volumes"].as_array().unwrap().iter().find(|volume| !volume["secret"].is_null()).unwrap();
    assert_eq!(volume["secret"]["optional"], json!(true));
    let name = volume["name"].as_str().unwrap();
    assert!(
        name.len() <= 63 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
        "{name}"
    );
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    let mount = mounts.iter().find(|mount| mount["name"] == volume["name"]).unwrap();
    assert_eq!(
        mount["mountPath"],
        json!("/etc/mcpfleet/credentials/orders.example.com-with-a-very-long-name")
    );
    assert!(
        pod["containers"][0]["volumeMounts"][0].get("subPath").is_none(),
        "a subPath mount is never updated"
    );
}

#[test]
fn tls_moves_the_port_and_mounts_the_certificate() {
    let children =
        build(server(json!({"tls": {"secretRef": {"name": "cert"}}})), &[tool("hello", json!({}))]);
    let port = &manifest(&children, ChildKind::Service)["spec"]["ports"][0];
    assert_eq!(
        (&port["port"], &port["appProtocol"], &port["targetPort"]),
        (&json!(443), &json!("https"), &json!("mcp"))
    );
    let args = template(&children)["spec"]["containers"][0]["args"].clone();
    assert!(args.as_array().unwrap().ends_with(&[json!("--tls-dir"), json!("/etc/mcpfleet/tls")]), "{args}");
}

#[test]
fn scaling_changes_the_deployment_but_no_pod() {
    let scaled = build(server(json!({"replicas": 5})), &[tool("hello", json!({}))]);
    assert_eq!(manifest(&scaled, ChildKind::Deployment)["spec"]["replicas"], json!(5));
    assert_eq!(template(&scaled), template(&plain()));
}

#[test]
fn rollouts_and_drains_lose_nothing() {
    let children = plain();
    let deployment = &manifest(&children, ChildKind::Deployment)["spec"];
    assert_eq!(deployment["strategy"]["rollingUpdate"], json!({"maxUnavailable": 0, "maxSurge": "25%"}));
    let pod = &deployment["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(container["lifecycle"]["preStop"], json!({"sleep": {"seconds": 5}}));
    assert_eq!(pod["terminationGracePeriodSeconds"], json!(310));
    let probe = |name: &str| container[name]["httpGet"]["path"].clone();
    assert_eq!(
        [probe("startupProbe"), probe("readinessProbe"), probe("livenessProbe")],
        ["/startupz", "/readyz", "/livez"]
    );
    let budget = &manifest(&children, ChildKind::PodDisruptionBudget)["spec"];
    assert_eq!(
        (&budget["maxUnavailable"], &budget["unhealthyPodEvictionPolicy"]),
        (&json!(1), &json!("AlwaysAllow"))
    );
}

#[test]
fn nobody_but_replicas_reaches_the_peer_port_and_nobody_but_the_kubelet_the_admin_port() {
    let children = plain();
    let policy = &manifest(&children, ChildKind::NetworkPolicy)["spec"];
    let replicas = json!([{"podSelector": policy["podSelector"]}]);
    assert_eq!(
        policy["ingress"],
        json!([
            {"ports": [{"port": 8080, "protocol": "TCP"}]},
            {"ports": [{"port": 8082, "protocol": "TCP"}], "from": replicas},
        ])
    );
    assert_eq!(policy["policyTypes"], json!(["Ingress"]));
}

#[test]
fn a_runtime_is_told_where_to_dial_and_whom_to_believe() {
    let pod = template(&plain())["spec"].clone();
    let args: Vec<&str> =
        pod["containers"][0]["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let after = |flag: &str| args[args.iter().position(|arg| *arg == flag).unwrap() + 1];
    assert_eq!(after("--operator"), "https://mcpfleet-operator.mcpfleet-system.svc:8443");
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    for file in [after("--operator-ca"), after("--operator-token"), after("--config"), after("--state")] {
        assert!(mounts.iter().any(|mount| file.starts_with(mount["mountPath"].as_str().unwrap())), "{file}");
    }
    assert_eq!(manifest(&plain(), ChildKind::ConfigMap)["data"], json!({"ca.crt": BUNDLE, "revision": "1"}));
}

#[test]
fn the_template_of_users_wins() {
    let spec = json!({"template": {
        "image": "mine:2", "nodeSelector": {"disk": "fast"}, "imagePullSecrets": [{"name": "pull"}],
        "resources": {"requests": {"cpu": "1"}},
        "topologySpreadConstraints": [{"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}],
    }});
    let pod = template(&build(server(spec), &[tool("hello", json!({}))]))["spec"].clone();
    assert_eq!(pod["containers"][0]["image"], json!("mine:2"));
    assert_eq!(pod["containers"][0]["resources"], json!({"requests": {"cpu": "1"}}));
    assert_eq!(
        (&pod["nodeSelector"], &pod["imagePullSecrets"]),
        (&json!({"disk": "fast"}), &json!([{"name": "pull"}]))
    );
    assert_eq!(pod["topologySpreadConstraints"].as_array().unwrap().len(), 1);
}

#[test]
fn replicas_reach_each_other_by_their_pods_addresses() {
    let children = plain();
    let container = template(&children)["spec"]["containers"][0].clone();
    let port = container["ports"].as_array().unwrap().iter().find(|port| port["name"] == "peer").unwrap();
    assert_eq!(port["containerPort"], json!(8082));
    let args: Vec<&str> = container["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let told = |flag: &str| args.windows(2).find(|pair| pair[0] == flag).map(|pair| pair[1]);
    assert_eq!((told("--peer"), told("--peer-advertise")), (Some("0.0.0.0:8082"), Some("$(POD_IP)")));
    assert_eq!(container["env"][0]["valueFrom"]["fieldRef"]["fieldPath"], json!("status.podIP"));
    let service = &manifest(&children, ChildKind::Service)["spec"]["ports"];
    assert_eq!(service.as_array().map(Vec::len), Some(1), "a Service would lead to any replica");
}
