//! Virtual keys: made by the command, kept as a hash, revoked while it serves.

use crate::{
    answer, call, guarded, header,
    idp::Idp,
    list,
    manifests::{fixed, fleet, write},
    names,
    process::{Runtime, until},
    status,
};
use serde_json::{Value, json};
use std::{path::Path, process::Command};

const AUTH: &str = "{keys: {secretRef: {name: mcp-keys}}}";

/// The key, and its entry.
pub(crate) fn new_key(id: &str, args: &[&str]) -> (String, String) {
    let made = Command::new(env!("CARGO_BIN_EXE_mcp-runtime"))
        .args(["keys", "new", "--id", id])
        .args(args)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let output = String::from_utf8(made.stdout).unwrap();
    let key = output.lines().nth(1).unwrap().trim_start_matches("# ").to_owned();
    let secret: Value = serde_saphyr::from_str(&output).unwrap();
    (key, secret["stringData"][id].as_str().unwrap().to_owned())
}

pub(crate) fn keep(dir: &Path, entries: &[(&str, &str)]) {
    write(dir, "keys.json", &secret(entries));
}

/// The Secret with these entries.
pub(crate) fn secret(entries: &[(&str, &str)]) -> String {
    let data: Value = entries.iter().map(|(id, entry)| ((*id).to_owned(), Value::from(*entry))).collect();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mcp-keys", "namespace": "agents"},
        "stringData": data,
    });
    secret.to_string()
}

#[tokio::test]
async fn a_key_opens_in_either_header_and_nothing_else_does() {
    let dir = fleet(&[fixed("greet", "hello")]);
    guarded(dir.path(), AUTH, "");
    let (key, entry) = new_key("ci", &["--tenant", "acme"]);
    keep(dir.path(), &[("ci", &entry)]);
    assert!(!entry.contains(&key) && entry.contains("sha256:"), "{entry}");
    let runtime = Runtime::on(dir.path()).await;
    assert_eq!(status(list(&runtime).bearer_auth(&key)).await, 200);
    assert_eq!(status(list(&runtime).header("x-api-key", &key)).await, 200);
    assert_eq!(status(list(&runtime).header("x-api-key", &key).bearer_auth(&key)).await, 200);
    let both = list(&runtime).header("x-api-key", &key).bearer_auth("a.b.c").send().await.unwrap();
    assert_eq!(both.status(), 400);
    assert!(header(&both, "www-authenticate").contains("invalid_request"));

    let almost = format!("{}x", &key[..key.len() - 1]);
    for wrong in [almost.as_str(), "mcpf_ci_", "mcpf_", "a.b.c", &key.replace("_ci_", "_co_")] {
        let refused = list(&runtime).bearer_auth(wrong).send().await.unwrap();
        assert_eq!(refused.status(), 401, "{wrong}");
        let challenge = header(&refused, "www-authenticate");
        assert!(
            challenge.contains("invalid_token") && !challenge.contains("resource_metadata"),
            "{challenge}"
        );
    }
    let nothing = list(&runtime).send().await.unwrap();
    assert_eq!(
        (nothing.status().as_u16(), header(&nothing, "www-authenticate").as_str()),
        (401, "Bearer realm=\"mcpfleet\"")
    );
    assert!(runtime.logs().iter().all(|line| !line.contains(&key)), "keys are not logged");
}

#[tokio::test]
async fn a_limited_key_knows_of_its_tools_only() {
    let tools = [fixed("search_a", "a"), fixed("search_b", "b"), fixed("remove", "gone")];
    let dir = fleet(&tools);
    guarded(dir.path(), AUTH, "");
    let (key, entry) = new_key("ci", &["--tool", "search_*"]);
    keep(dir.path(), &[("ci", &entry)]);
    let runtime = Runtime::on(dir.path()).await;
    assert_eq!(names(list(&runtime).bearer_auth(&key)).await, ["search_a", "search_b"]);
    let hidden = answer(call(&runtime, "remove").bearer_auth(&key)).await;
    let absent = answer(call(&runtime, "absent").bearer_auth(&key)).await;
    assert_eq!(hidden["error"]["code"], -32602, "{hidden}");
    let said = |answer: &Value| answer["error"]["message"].as_str().unwrap().to_owned();
    assert_eq!(said(&hidden).replace("remove", "absent"), said(&absent), "one cannot be told from the other");
    assert_eq!(
        answer(call(&runtime, "search_a").bearer_auth(&key)).await["result"]["content"][0]["text"],
        "a"
    );
}

#[tokio::test]
async fn keys_come_go_and_end_while_it_serves() {
    let dir = fleet(&[fixed("greet", "hello")]);
    guarded(dir.path(), AUTH, "");
    let (first, first_entry) = new_key("first", &[]);
    let (second, second_entry) = new_key("second", &[]);
    let (ended, ended_entry) = new_key("ended", &["--expires", "1h"]);
    let past = ended_entry.lines().filter(|line| !line.starts_with("expires")).collect::<Vec<_>>().join("\n");
    let past = format!("{past}\nexpires: 2020-01-01T00:00:00Z\n");
    keep(dir.path(), &[("first", &first_entry), ("ended", &past)]);
    let runtime = Runtime::on(dir.path()).await;
    let opens = |key: String| {
        let request = list(&runtime).bearer_auth(key);
        async move { status(request).await }
    };
    assert_eq!((opens(first.clone()).await, opens(second.clone()).await), (200, 401));
    let expired = list(&runtime).bearer_auth(&ended).send().await.unwrap();
    assert!(header(&expired, "www-authenticate").contains("expired"));

    keep(dir.path(), &[("second", &second_entry), ("ended", &ended_entry)]);
    until("the new key", || async { (opens(second.clone()).await == 200).then_some(()) }).await;
    assert_eq!(
        (opens(first.clone()).await, opens(ended.clone()).await),
        (401, 200),
        "the old one is revoked"
    );
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_told_and_costs_itself_only() {
    let dir = fleet(&[fixed("greet", "hello")]);
    guarded(dir.path(), AUTH, "");
    let runtime = Runtime::on(dir.path()).await;
    let missing = || async {
        let status: Value = serde_json::from_str(&runtime.admin("/status").await).unwrap();
        status["agents/support"]["missingCredentials"].clone()
    };
    assert_eq!(missing().await, json!([{"secret": "mcp-keys", "key": "*", "usedBy": ["access"]}]));
    let (key, entry) = new_key("good", &[]);
    keep(dir.path(), &[("good", &entry), ("bad", "hash: md5:no")]);
    until("the keys", || async { (status(list(&runtime).bearer_auth(&key)).await == 200).then_some(()) })
        .await;
    assert_eq!(missing().await, json!([{"secret": "mcp-keys", "key": "bad", "usedBy": ["access"]}]));
}

#[tokio::test]
async fn keys_and_tokens_and_strangers_live_on_one_server() {
    let idp = Idp::start().await;
    let dir = fleet(&[fixed("greet", "hello")]);
    let auth = format!("{{anonymous: {{}}, keys: {{secretRef: {{name: mcp-keys}}}}, {}}}", idp.oauth());
    guarded(dir.path(), &auth, "  publicURL: https://shop.example.com\n");
    let (key, entry) = new_key("ci", &[]);
    keep(dir.path(), &[("ci", &entry)]);
    let runtime = Runtime::on(dir.path()).await;
    assert_eq!(status(list(&runtime).bearer_auth(&key)).await, 200);
    assert_eq!(status(list(&runtime).bearer_auth(idp.token(json!({})))).await, 200);
    assert_eq!(status(list(&runtime)).await, 200);
    for bad in ["mcpf_ci_wrong", "a.b.c"] {
        assert_eq!(status(list(&runtime).bearer_auth(bad)).await, 401, "{bad}");
    }
}

#[tokio::test]
async fn a_mounted_secret_is_followed_through_its_links() {
    use std::{fs, os::unix::fs::symlink};
    let dir = tempfile::tempdir().unwrap();
    let config = json!({
        "format": 3, "server": {"namespace": "agents", "name": "support"},
        "listener": {"tls": null, "allowedOrigins": []},
        "access": {"Restricted": {"keys": "mcp-keys", "strangers": "Refused"}},
        "admission": {"concurrency": 4, "queueLength": 4, "queueTimeoutMs": 1000},
        "tools": [], "upstreams": [], "providers": [], "servesModels": false,
    });
    fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
    let mount = dir.path().join("credentials/mcp-keys");
    let (key, entry) = new_key("ci", &[]);
    for (version, entry) in [("..1", entry.as_str()), ("..2", "hash: revoked")] {
        fs::create_dir_all(mount.join(version)).unwrap();
        fs::write(mount.join(version).join("ci"), entry).unwrap();
    }
    symlink("..1", mount.join("..data")).unwrap();
    symlink("..data/ci", mount.join("ci")).unwrap();
    let (config, credentials) = (dir.path().join("config.json"), dir.path().join("credentials"));
    let args = ["--config", config.to_str().unwrap(), "--credentials", credentials.to_str().unwrap()];
    let runtime = Runtime::start(&args).await;
    runtime.until_ready().await;
    assert_eq!(status(list(&runtime).bearer_auth(&key)).await, 200);
    symlink("..2", mount.join("..tmp")).unwrap();
    fs::rename(mount.join("..tmp"), mount.join("..data")).unwrap();
    until("the revocation", || async {
        (status(list(&runtime).bearer_auth(&key)).await == 401).then_some(())
    })
    .await;
}
