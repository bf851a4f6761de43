//! Ranking by meaning, with a provider that has faults, and a ledger of what it was asked.

use crate::{
    manifests::write,
    process::{Runtime, until},
    server::{Answer, Seen, Server, full},
    shop::{described, names, search, shop, short},
};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};
use tempfile::TempDir;

/// How the provider behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Mood {
    Good,
    Fails,
    /// It answers those that ask for several texts, and leaves a query hanging.
    HangsOnQueries,
    Nonsense,
}

/// The meaning of a text: which of a few things it speaks of. It knows words that no tool uses.
fn vector(text: &str) -> Vec<f32> {
    let text = text.to_lowercase();
    let speaks = |words: &[&str]| if words.iter().any(|word| text.contains(word)) { 1.0 } else { 0.01 };
    vec![
        speaks(&["money", "reimburse"]),
        speaks(&["rain", "umbrella"]),
        speaks(&["mail", "letter"]),
        speaks(&["order"]),
    ]
}

fn embeddings(seen: &Seen) -> Answer {
    let asked = seen.json();
    let texts = asked["input"].as_array().unwrap().iter().map(|text| vector(text.as_str().unwrap()));
    let data: Vec<Value> =
        texts.enumerate().map(|(index, embedding)| json!({"index": index, "embedding": embedding})).collect();
    Ok(full(200, "application/json", json!({"object": "list", "data": data}).to_string()))
}

async fn provider(mood: Arc<AtomicU8>) -> Server {
    Server::start(move |seen| {
        let mood = mood.load(Ordering::SeqCst);
        async move {
            let single = seen.json()["input"].as_array().is_some_and(|texts| texts.len() == 1);
            match mood {
                mood if mood == Mood::Fails as u8 => Ok(full(500, "", "")),
                mood if mood == Mood::Nonsense as u8 => Ok(full(200, "application/json", "{\"data\":[]}")),
                mood if mood == Mood::HangsOnQueries as u8 && single => std::future::pending().await,
                _ => embeddings(&seen),
            }
        }
    })
    .await
}

fn fleet(provider: &Server) -> TempDir {
    let search = short(", embeddings: {model: small, timeout: 500ms}");
    let dir = shop(&format!("  models: {{selector: {{}}}}\n{search}"));
    let route = format!(
        "apiVersion: mcpfleet.dev/v1alpha1\nkind: ProviderRoute\nmetadata: {{name: default, namespace: agents}}\nspec:\n  \
         providers:\n  - {{name: p, api: OpenAI, baseUrl: '{}', models: [{{name: small}}],\n     \
         auth: {{bearer: {{secretRef: {{name: provider, key: token}}}}}}}}\n",
        provider.url("/v1")
    );
    write(dir.path(), "route.yaml", &route);
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: provider, namespace: agents}\nstringData: {token: ours}\n";
    write(dir.path(), "secret.yaml", secret);
    dir
}

/// A search that was ranked so.
async fn ranked(runtime: &Runtime, query: &str, by: &str) -> Value {
    until(by, || async {
        let found = search(runtime, query).await;
        (found["ranking"] == by).then_some(found)
    })
    .await
}

/// How many definitions were sent; a query is a text by itself.
fn sent(provider: &Server, query: &str) -> usize {
    let texts = provider
        .seen()
        .iter()
        .flat_map(|seen| seen.json()["input"].as_array().cloned().unwrap())
        .collect::<Vec<_>>();
    texts.iter().filter(|text| *text != query).count()
}

#[tokio::test]
async fn what_no_word_finds_is_found_by_its_meaning() {
    let mood = Arc::new(AtomicU8::new(Mood::Good as u8));
    let provider = provider(mood).await;
    let dir = fleet(&provider);
    let runtime = Runtime::on(dir.path()).await;
    let query = "reimburse somebody";
    let found = ranked(&runtime, query, "words and meaning").await;
    assert_eq!(names(&found["tools"])[0], "create_refund", "{found}");
    assert_eq!(found["notice"], Value::Null, "{found}");
    assert_eq!(sent(&provider, query), 7, "each definition once");
    let seen = provider.seen().pop().unwrap();
    assert_eq!((seen.uri.path(), seen.header("authorization")), ("/v1/embeddings", Some("Bearer ours")));
    assert_eq!(seen.json()["model"], "small");

    write(dir.path(), "more.yaml", &described("umbrella-rental", "Lends umbrellas", ""));
    let found = until("the new tool", || async {
        let found = search(&runtime, "umbrella").await;
        let both = found["ranking"] == "words and meaning"
            && names(&found["tools"]).contains(&"umbrella_rental".into());
        both.then_some(found)
    })
    .await;
    assert_eq!(names(&found["tools"])[..2], ["umbrella_rental", "weather_forecast"], "{found}");
    let definitions = provider
        .seen()
        .iter()
        .flat_map(|seen| seen.json()["input"].as_array().cloned().unwrap())
        .filter(|text| text.as_str().unwrap().contains('\n'))
        .count();
    assert_eq!(definitions, 8, "what was known is not asked again");
}

#[tokio::test]
async fn a_model_that_fails_leaves_words_and_says_so_until_it_is_back() {
    let mood = Arc::new(AtomicU8::new(Mood::Fails as u8));
    let provider = provider(mood.clone()).await;
    let dir = fleet(&provider);
    let runtime = Runtime::on(dir.path()).await;
    provider.seen_until(|seen| !seen.is_empty()).await;
    for (state, why) in [(Mood::Fails, "500"), (Mood::Nonsense, "of no use")] {
        mood.store(state as u8, Ordering::SeqCst);
        let found = until(why, || async {
            let found = search(&runtime, "rain").await;
            found["notice"].as_str().is_some_and(|notice| notice.contains(why)).then_some(found)
        })
        .await;
        assert_eq!(
            (names(&found["tools"])[0].as_str(), &found["ranking"]),
            ("weather_forecast", &json!("words"))
        );
    }
    mood.store(Mood::Good as u8, Ordering::SeqCst);
    ranked(&runtime, "rain", "words and meaning").await;
    for (state, why) in [(Mood::HangsOnQueries, "did not answer within 500 ms"), (Mood::Fails, "500")] {
        mood.store(state as u8, Ordering::SeqCst);
        let found = search(&runtime, "rain").await;
        assert_eq!(
            (names(&found["tools"])[0].as_str(), &found["ranking"]),
            ("weather_forecast", &json!("words"))
        );
        assert!(found["notice"].as_str().unwrap().contains(why), "{found}");
    }
}
