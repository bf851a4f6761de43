//! What is said beside the result: progress, log messages, ids and errors, in each pair of eras.

use crate::harness::{Gateway, Modern, Reply, Session, UpstreamEra, text};
use serde_json::{Value, json};

/// A client of one of the two eras.
enum Client {
    Legacy(Session),
    Modern(Modern),
}

impl Client {
    /// One of each era, in front of one gateway.
    async fn both(gateway: &Gateway) -> [Self; 2] {
        [Self::Legacy(Session::open(&gateway.mcp).await), Self::Modern(Modern::new(&gateway.mcp))]
    }

    const fn era(&self) -> &'static str {
        match self {
            Self::Legacy(_) => "legacy",
            Self::Modern(_) => "modern",
        }
    }

    async fn request(&self, id: impl Into<Value>, method: &str, params: &Value) -> Reply {
        match self {
            Self::Legacy(session) => session.request(id, method, params).await,
            Self::Modern(client) => client.request(id, method, params).await,
        }
    }

    async fn call(&self, params: &Value) -> Vec<Value> {
        self.request(1, "tools/call", params).await.all().await
    }
}

fn said<'a>(messages: &'a [Value], method: &str) -> Vec<&'a Value> {
    messages.iter().filter(|message| message["method"] == method).map(|message| &message["params"]).collect()
}

#[tokio::test]
async fn progress_comes_in_order_under_the_clients_own_token() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        for client in Client::both(&gateway).await {
            for token in [json!("a token"), json!(7), json!(0), json!("")] {
                let pair = format!("{}-{era:?}, {token}", client.era());
                let params = json!({"name": "test_tool_with_progress", "_meta": {"progressToken": token}});
                let messages = client.call(&params).await;
                let progress = said(&messages, "notifications/progress");
                let values: Vec<_> = progress.iter().filter_map(|it| it["progress"].as_f64()).collect();
                assert_eq!(values, [0.0, 50.0, 100.0], "{pair}: {messages:?}");
                assert!(progress.iter().all(|it| it["progressToken"] == token), "{pair}: {messages:?}");
                assert!(progress.iter().all(|it| it["total"] == 100.0), "{pair}: {messages:?}");
                let answer = messages.last().expect("an answer");
                assert_eq!(text(answer), "Reported progress three times", "{pair}");
                assert_eq!(messages.len(), 4, "{pair}: {messages:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_client_that_gave_no_token_hears_of_no_progress() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        for client in Client::both(&gateway).await {
            let messages = client.call(&json!({"name": "stream", "arguments": {"n": 3}})).await;
            assert_eq!(messages.len(), 1, "{}-{era:?}: {messages:?}", client.era());
        }
    }
}

#[tokio::test]
async fn a_long_stream_loses_and_swaps_nothing() {
    const COUNT: u32 = 2000;
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        for client in Client::both(&gateway).await {
            let pair = format!("{}-{era:?}", client.era());
            let params =
                json!({"name": "stream", "arguments": {"n": COUNT}, "_meta": {"progressToken": "stream"}});
            let messages = client.call(&params).await;
            let progress = said(&messages, "notifications/progress");
            let values: Vec<_> = progress.iter().filter_map(|it| it["progress"].as_f64()).collect();
            assert_eq!(values, (1..=COUNT).map(f64::from).collect::<Vec<_>>(), "{pair}");
            assert!(text(messages.last().expect("an answer")).contains("2000 times"), "{pair}");
        }
    }
}

/// Whether a client that asked for the `logged` messages of a call heard of them. A legacy upstream may send them on
/// another stream than the result, which overtakes the last ones; a modern one has no other.
fn is_heard(heard: usize, logged: usize, upstream: UpstreamEra) -> bool {
    match upstream {
        UpstreamEra::Legacy => (heard > 0) == (logged > 0) && heard <= logged,
        UpstreamEra::Modern => heard == logged,
    }
}

#[tokio::test]
async fn a_modern_client_hears_the_log_it_asked_for() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let client = Client::Modern(Modern::new(&gateway.mcp));
        // The tool logs three messages of level info.
        for (level, count) in [("debug", 3), ("info", 3), ("notice", 0), ("error", 0)] {
            let meta = json!({"io.modelcontextprotocol/logLevel": level});
            let messages = client.call(&json!({"name": "test_tool_with_logging", "_meta": meta})).await;
            let logged = said(&messages, "notifications/message");
            assert!(is_heard(logged.len(), count, era), "{era:?}, {level}: {messages:?}");
            assert_eq!(text(messages.last().expect("an answer")), "Logged three messages");
        }
        let messages = client.call(&json!({"name": "test_tool_with_logging"})).await;
        assert_eq!(messages.len(), 1, "{era:?}: it did not ask: {messages:?}");
    }
}

#[tokio::test]
async fn a_legacy_client_hears_the_log_of_its_sessions_level() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let (quiet, loud) = (Session::open(&gateway.mcp).await, Session::open(&gateway.mcp).await);
        for (session, level, count) in [(&quiet, "error", 0), (&loud, "debug", 3), (&quiet, "error", 0)] {
            let set = session.request(1, "logging/setLevel", &json!({"level": level})).await.answer().await;
            assert_eq!(set["result"], json!({}), "{era:?}: {set}");
            let messages = session.start(2, "test_tool_with_logging", &json!({})).await.all().await;
            let logged = said(&messages, "notifications/message");
            assert!(is_heard(logged.len(), count, era), "{era:?}, {level}: {messages:?}");
            assert!(
                logged.iter().all(|it| it["level"] == "info" && it["logger"] == "everything"),
                "{logged:?}"
            );
        }
    }
}

#[tokio::test]
async fn ids_of_every_kind_come_back_as_they_were() {
    let ids =
        [json!(0), json!(-1), json!(9_007_199_254_740_993_u64), json!(""), json!("a\"b\\c/ü\u{2028}\n")];
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        for client in Client::both(&gateway).await {
            for id in &ids {
                let call = json!({"name": "greet", "arguments": {"name": "Ada"}});
                let answer = client.request(id.clone(), "tools/call", &call).await.answer().await;
                assert_eq!(&answer["id"], id, "{}-{era:?}", client.era());
                assert_eq!(text(&answer), "Hello, Ada!");
                let listed = client.request(id.clone(), "tools/list", &json!({})).await.answer().await;
                assert_eq!(&listed["id"], id, "{}-{era:?}", client.era());
                let unknown = json!({"name": "no such tool"});
                let refused = client.request(id.clone(), "tools/call", &unknown).await.answer().await;
                assert_eq!(&refused["id"], id, "{}-{era:?}", client.era());
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_in_the_clients_own_way() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        for client in Client::both(&gateway).await {
            let pair = format!("{}-{era:?}", client.era());
            let missing = json!({"uri": "test://template-of-nothing"});
            let answer = client.request(1, "resources/read", &missing).await.answer().await;
            // -32602 since 2026-07-28 (server/resources, "Error Handling").
            let code = if matches!(client, Client::Legacy(_)) { -32002 } else { -32602 };
            assert_eq!(answer["error"]["code"], code, "{pair}: {answer}");
            assert_eq!(answer["error"]["data"]["uri"], missing["uri"], "{pair}: {answer}");
            for (method, params) in [
                ("tools/call", json!({"name": "no such tool"})),
                ("prompts/get", json!({"name": "no such prompt"})),
                ("tools/list", json!({"cursor": "no such page"})),
            ] {
                let answer = client.request(1, method, &params).await.answer().await;
                assert_eq!(answer["error"]["code"], -32602, "{pair}, {method}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn results_have_the_form_of_the_clients_revision() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        for client in Client::both(&gateway).await {
            let pair = format!("{}-{era:?}", client.era());
            let is_modern = matches!(client, Client::Modern(_));
            for method in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
                let answer = client.request(1, method, &json!({})).await.answer().await;
                let result = &answer["result"];
                assert_eq!(result["resultType"] == "complete", is_modern, "{pair}, {method}: {answer}");
                assert_eq!(result["ttlMs"].is_u64(), is_modern, "{pair}, {method}: {answer}");
                assert_eq!(result["cacheScope"].is_string(), is_modern, "{pair}, {method}: {answer}");
            }
            let answer = client.call(&json!({"name": "structured"})).await.pop().expect("an answer");
            let structured = json!({"answer": 42, "list": [1, 2, 3]});
            assert_eq!(answer["result"]["structuredContent"], structured, "{pair}: {answer}");
            // Structured content is an object in 2025-11-25 (schema, CallToolResult).
            let answer = client.call(&json!({"name": "structured_list"})).await.pop().expect("an answer");
            let list = &answer["result"]["structuredContent"];
            assert!(list.is_null() || is_modern && *list == json!([1, 2, 3]), "{pair}: {answer}");
            assert_eq!(text(&answer), "[1,2,3]", "{pair}");
        }
    }
}

#[tokio::test]
async fn an_absent_answer_of_the_user_reaches_the_tool() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        for action in ["decline", "cancel"] {
            let session = Session::open(&gateway.mcp).await;
            let reply = session.start(1, "test_elicitation", &json!({})).await;
            let answer = session.converse(reply, |_| json!({"action": action})).await;
            assert!(text(&answer).contains(&format!("action={action}")), "{era:?}: {answer}");

            let client = Modern::new(&gateway.mcp);
            let asked = client.asked("test_elicitation", &json!({})).await;
            let retry = Modern::retry("test_elicitation", &json!({}), &asked, |_| json!({"action": action}));
            let answer = client.again(&retry).await;
            assert!(text(&answer).contains(&format!("action={action}")), "{era:?}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_client_is_asked_only_what_it_said_it_can_do() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let client = Modern::able(&gateway.mcp, &json!({"sampling": {}}));
        let asked = client.asked("test_input_required_result_capabilities", &json!({})).await;
        let questions = asked["inputRequests"].as_object().expect("questions");
        assert_eq!(questions.len(), 1, "{era:?}: {asked}");
        assert!(questions.values().all(|question| question["method"] == "sampling/createMessage"), "{asked}");

        let client = Modern::able(&gateway.mcp, &json!({}));
        let reply = client.start(5, "test_missing_capability", &json!({})).await;
        let status = reply.status;
        let answer = reply.answer().await;
        assert_eq!((status.as_u16(), &answer["error"]["code"]), (400, &json!(-32021)), "{era:?}: {answer}");
        assert!(answer["error"]["data"]["requiredCapabilities"]["sampling"].is_object(), "{era:?}: {answer}");

        let session = Session::of(&gateway.mcp, "2025-11-25", &json!({})).await;
        let messages = session.start(5, "test_elicitation", &json!({})).await.all().await;
        let [answer] = messages.as_slice() else { panic!("{era:?}: it was asked: {messages:?}") };
        assert!(answer["error"].is_object() || answer["result"]["isError"] == true, "{era:?}: {answer}");
    }
}

/// Ids and progress tokens belong to one connection each.
#[tokio::test]
async fn a_question_shows_nothing_of_the_upstreams_own() {
    for era in UpstreamEra::BOTH {
        let gateway = Gateway::start(era).await;
        let asked = Modern::new(&gateway.mcp).asked("test_elicitation", &json!({})).await;
        assert!(!asked["inputRequests"].to_string().contains("progressToken"), "{era:?}: {asked}");
        let session = Session::open(&gateway.mcp).await;
        let mut reply = session.start(1, "test_elicitation", &json!({})).await;
        let question = reply.next().await.expect("a question");
        assert!(!question["params"].to_string().contains("progressToken"), "{era:?}: {question}");
        assert!(
            question["params"]["requestedSchema"]["properties"]["email"].is_object(),
            "{era:?}: {question}"
        );
    }
}
