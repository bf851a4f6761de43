use crate::{
    children::{Blueprint, Child, ChildKind, all},
    fixtures::{BUNDLE, UID, defaults, observed, server, tool},
};
use serde_json::{Value, json};

/// The objects of program `files` of `support`; `stdio` is laid over it, `spec` over the server.
fn program(spec: Value, stdio: Value) -> Vec<Child> {
    let mut declared = json!({"image": "files:1", "command": ["files-mcp", "/data"]});
    if let (Some(base), Value::Object(over)) = (declared.as_object_mut(), stdio) {
        base.extend(over);
    }
    let mut spec = spec;
    spec["upstreams"] = json!([{"name": "files", "stdio": declared}]);
    let observed = observed(server(spec), &[tool("hello", json!({}))]);
    let product = observed.compilation.product.as_ref().unwrap();
    let (accepted, bundle, defaults) = (observed.accepted.as_ref(), BUNDLE.into(), defaults());
    let blueprint =
        Blueprint { server: &observed.server, product, accepted, bundle: &bundle, defaults: &defaults };
    let mut children = all(&blueprint).unwrap();
    children.retain(|child| child.upstream.as_deref() == Some("files"));
    children
}

fn plain() -> Vec<Child> {
    program(json!({}), json!({}))
}

fn manifest(children: &[Child], kind: ChildKind) -> Value {
    children.iter().find(|child| child.kind == kind).unwrap().manifest.clone()
}

fn pod(children: &[Child]) -> Value {
    manifest(children, ChildKind::Deployment)["spec"]["template"]["spec"].clone()
}

fn environment(pod: &Value, name: &str) -> Option<Value> {
    let variables = pod["containers"][0]["env"].as_array().unwrap();
    let mut found = variables.iter().filter(|variable| variable["name"] == json!(name));
    let first = found.next().cloned();
    assert_eq!(found.next(), None, "{name} stands twice");
    first
}

#[test]
fn every_object_is_owned_by_the_server_and_selected_by_none_of_its_selectors() {
    let children = plain();
    let kinds: Vec<ChildKind> = children.iter().map(|child| child.kind).collect();
    assert_eq!(
        kinds,
        [ChildKind::ServiceAccount, ChildKind::Service, ChildKind::NetworkPolicy, ChildKind::Deployment]
    );
    let labels = json!({
        "app.kubernetes.io/name": "mcp-bridge", "app.kubernetes.io/instance": "support-files",
        "app.kubernetes.io/managed-by": "mcpfleet-operator", "mcpfleet.dev/server": "support",
        "mcpfleet.dev/upstream": "files",
    });
    for child in &children {
        let metadata = &child.manifest["metadata"];
        assert_eq!((&metadata["name"], &metadata["namespace"]), (&json!("support-files"), &json!("agents")));
        assert_eq!(metadata["ownerReferences"][0]["uid"], json!(UID));
        assert_eq!(metadata["labels"], labels);
    }
    let deployment = manifest(&children, ChildKind::Deployment);
    assert_eq!(deployment["spec"]["template"]["metadata"]["labels"], labels);
    let own = json!({"app.kubernetes.io/name": "mcp-bridge", "app.kubernetes.io/instance": "support-files"});
    assert_eq!(deployment["spec"]["selector"]["matchLabels"], own);
    assert_eq!(manifest(&children, ChildKind::Service)["spec"]["selector"], own);
}

#[test]
fn the_bridge_is_copied_in_and_starts_the_program() {
    let pod = pod(&program(json!({}), json!({"processes": "PerSession"})));
    let install = &pod["initContainers"][0];
    assert_eq!(install["image"], json!("runtime:1"));
    assert_eq!(install["args"], json!(["install", "/mcpfleet/mcp-runtime"]));
    let container = &pod["containers"][0];
    assert_eq!(container["image"], json!("files:1"));
    let command: Vec<&str> =
        container["command"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(command[..2], ["/mcpfleet/mcp-runtime", "bridge"]);
    let after = |flag: &str| command[command.iter().position(|arg| *arg == flag).unwrap() + 1];
    assert_eq!((after("--listen"), after("--admin")), ("0.0.0.0:8080", "0.0.0.0:9090"));
    assert_eq!((after("--processes"), after("--name")), ("per-session", "files"));
    assert!(command.ends_with(&["--", "files-mcp", "/data"]), "{command:?}");
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], json!("/readyz"));
}

#[test]
fn what_a_program_is_told_means_the_same_as_on_a_laptop() {
    let pod = pod(&program(json!({}), json!({"command": ["sh", "-c", "echo $(id) $HOME"]})));
    let command = pod["containers"][0]["command"].as_array().unwrap();
    assert_eq!(command.last().unwrap(), &json!("echo $$(id) $$HOME"), "the kubelet expands $(NAME)");
}

#[test]
fn secrets_reach_the_program_by_the_kubelet_and_nobody_else() {
    let key = json!({"name": "files", "key": "token"});
    let env =
        json!([{"name": "TOKEN", "valueFrom": {"secretKeyRef": key}}, {"name": "HOME", "value": "/data"}]);
    let children = program(json!({}), json!({"env": env}));
    let pod = pod(&children);
    assert_eq!(environment(&pod, "TOKEN").unwrap()["valueFrom"], json!({"secretKeyRef": key}));
    assert_eq!(environment(&pod, "HOME").unwrap()["value"], json!("/data"), "what is declared wins");
    assert_eq!(environment(&pod, "TMPDIR").unwrap()["value"], json!("/tmp"));
    let volumes = pod["volumes"].as_array().unwrap();
    assert!(volumes.iter().all(|volume| volume["emptyDir"]["sizeLimit"].is_string()), "{volumes:?}");
}

#[test]
fn pods_meet_the_restricted_standard_and_get_no_token() {
    let children = plain();
    let pod = pod(&children);
    assert_eq!(pod["automountServiceAccountToken"], json!(false));
    assert_eq!(pod["securityContext"]["runAsNonRoot"], json!(true));
    assert!(pod["securityContext"]["runAsUser"].as_i64().unwrap() > 0);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], json!("RuntimeDefault"));
    for container in [&pod["containers"][0], &pod["initContainers"][0]] {
        let security = &container["securityContext"];
        assert_eq!(security["allowPrivilegeEscalation"], json!(false));
        assert_eq!(security["capabilities"], json!({"drop": ["ALL"]}));
    }
    assert_eq!(pod["initContainers"][0]["securityContext"]["readOnlyRootFilesystem"], json!(true));
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    let binary = mounts.iter().find(|mount| mount["mountPath"] == json!("/mcpfleet")).unwrap();
    assert_eq!(binary["readOnly"], json!(true), "a program does not change what starts it");
    let account = manifest(&children, ChildKind::ServiceAccount);
    assert_eq!(account["automountServiceAccountToken"], json!(false));
}

#[test]
fn only_the_servers_own_pods_reach_a_program() {
    let policy = manifest(&plain(), ChildKind::NetworkPolicy)["spec"].clone();
    let server = json!({"app.kubernetes.io/name": "mcp-runtime", "app.kubernetes.io/instance": "support"});
    assert_eq!(
        policy["ingress"],
        json!([{
            "ports": [{"port": 8080, "protocol": "TCP"}],
            "from": [{"podSelector": {"matchLabels": server}}],
        }])
    );
    assert_eq!((&policy["policyTypes"], policy.get("egress")), (&json!(["Ingress"]), None));
}

#[test]
fn there_is_one_process_while_the_server_has_a_pod_and_none_without() {
    let replicas = |wanted: i32| {
        let children = program(json!({"replicas": wanted}), json!({}));
        manifest(&children, ChildKind::Deployment)["spec"]["replicas"].clone()
    };
    assert_eq!([replicas(0), replicas(1), replicas(5)], [json!(0), json!(1), json!(1)]);
}

#[test]
fn it_runs_where_the_server_may_and_takes_what_it_is_given() {
    let spec = json!({"template": {
        "nodeSelector": {"disk": "fast"}, "imagePullSecrets": [{"name": "runtime"}], "image": "mine:2",
    }});
    let resources = json!({"limits": {"memory": "2Gi"}});
    let stdio = json!({"imagePullSecrets": [{"name": "files"}], "resources": resources});
    let pod = pod(&program(spec, stdio));
    assert_eq!(pod["nodeSelector"], json!({"disk": "fast"}));
    assert_eq!(pod["imagePullSecrets"], json!([{"name": "files"}, {"name": "runtime"}]));
    assert_eq!(pod["containers"][0]["resources"], resources);
    assert_eq!(pod["initContainers"][0]["image"], json!("mine:2"));
}
