//! Servers elsewhere: listed to whom they would let in, as far as that can be told here.

use crate::{
    idp::Idp,
    process::{Runtime, document},
};
use serde_json::{Value, json};

fn config(idp: &Idp) -> Value {
    let door =
        |audience: &str| json!([{"issuer": idp.url(""), "audiences": [audience], "claims": ["org", "sub"]}]);
    let neighbour = |name: &str, strangers: &str, issuers: Value| {
        json!({
            "name": format!("agents/{name}"), "url": format!("http://{name}.agents.svc/mcp"),
            "strangers": strangers, "issuers": issuers,
        })
    };
    let issuer = json!({
        "issuer": idp.url(""), "audiences": ["shop"], "userClaim": "sub", "algorithms": ["ES256"],
    });
    json!({
        "format": 4, "server": {"namespace": "agents", "name": "support"},
        "listener": {"tls": null, "allowedOrigins": []},
        "access": {"Restricted": {
            "publicUrl": "https://shop.example.com", "issuers": [issuer], "strangers": "Admitted",
        }},
        "admission": {"concurrency": 4, "queueLength": 4, "queueTimeoutMs": 1000},
        "tools": [], "upstreams": [], "providers": [], "servesModels": false,
        "neighbours": [
            neighbour("crm", "Refused", door("crm")),
            neighbour("hr", "Refused", door("hr")),
            neighbour("open", "Admitted", json!([])),
        ],
    })
}

#[tokio::test]
async fn a_neighbour_is_listed_to_whom_its_door_would_open() {
    let idp = Idp::start().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.json");
    std::fs::write(&path, config(&idp).to_string()).unwrap();
    let runtime = Runtime::start(&["--config", &path.display().to_string()]).await;
    runtime.until_ready().await;
    for (claims, listed) in [
        (None, vec!["agents/open", "agents/support"]),
        (Some(json!({})), vec!["agents/open", "agents/support"]),
        (Some(json!({"aud": ["shop", "crm"]})), vec!["agents/crm", "agents/open", "agents/support"]),
        (Some(json!({"aud": ["shop", "crm"], "org": ""})), vec!["agents/open", "agents/support"]),
    ] {
        let mut ask = runtime.http.get(runtime.url("/registry"));
        if let Some(claims) = &claims {
            ask = ask.bearer_auth(idp.token(claims.clone()));
        }
        let list = document(ask.send().await.unwrap()).await;
        let servers = list["servers"].as_array().unwrap();
        let names: Vec<&str> = servers.iter().map(|it| it["server"]["name"].as_str().unwrap()).collect();
        assert_eq!(names, listed, "{claims:?}");
        let open = servers.iter().find(|it| it["server"]["name"] == "agents/open").unwrap();
        assert_eq!(open["server"]["remotes"][0]["url"], "http://open.agents.svc/mcp");
        assert_eq!(open["_meta"]["dev.mcpfleet/registry"]["registry"], "http://open.agents.svc/registry");
        assert_eq!(open.get("tools"), None, "only it can say what it has for whom");
    }
}
