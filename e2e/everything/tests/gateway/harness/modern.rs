//! A client of 2026-07-28.

use super::{Endpoint, Post, Reply, request};
use serde_json::{Value, json};

/// A client, which is no more than what it says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Modern {
    pub(crate) endpoint: Endpoint,
    capabilities: Value,
}

/// A request of a client with these capabilities.
pub(crate) fn modern(capabilities: &Value, id: impl Into<Value>, method: &str, params: &Value) -> Post {
    let mut params = params.clone();
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities.clone();
    let post = Post::message(&request(id, method, &params))
        .with("mcp-protocol-version", "2026-07-28")
        .with("mcp-method", method);
    match params["name"].as_str().or(params["uri"].as_str()) {
        Some(name) => post.with("mcp-name", name),
        None => post,
    }
}

impl Modern {
    /// A client that can be asked everything.
    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        Self::able(endpoint, &json!({"elicitation": {}, "sampling": {}, "roots": {}}))
    }

    pub(crate) fn able(endpoint: &Endpoint, capabilities: &Value) -> Self {
        Self { endpoint: endpoint.clone(), capabilities: capabilities.clone() }
    }

    /// The same client at another endpoint.
    pub(crate) fn at(&self, endpoint: &Endpoint) -> Self {
        Self { endpoint: endpoint.clone(), ..self.clone() }
    }

    pub(crate) fn post(&self, id: impl Into<Value>, method: &str, params: &Value) -> Post {
        modern(&self.capabilities, id, method, params)
    }

    pub(crate) async fn request(&self, id: impl Into<Value>, method: &str, params: &Value) -> Reply {
        self.endpoint.post(&self.post(id, method, params)).await
    }

    pub(crate) async fn start(&self, id: impl Into<Value>, tool: &str, arguments: &Value) -> Reply {
        self.request(id, "tools/call", &json!({"name": tool, "arguments": arguments})).await
    }

    /// The answer to a call.
    pub(crate) async fn call(&self, id: impl Into<Value>, tool: &str, arguments: &Value) -> Value {
        self.start(id, tool, arguments).await.answer().await
    }

    /// Calls a tool that asks; the result that says what.
    pub(crate) async fn asked(&self, tool: &str, arguments: &Value) -> Value {
        let answer = self.call(1, tool, arguments).await;
        assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
        assert!(answer["result"]["requestState"].is_string(), "{answer}");
        answer["result"].clone()
    }

    /// The params of a retry: the same call, what was asked answered by `answer`, and the state.
    pub(crate) fn retry(
        tool: &str,
        arguments: &Value,
        asked: &Value,
        answer: impl Fn(&Value) -> Value,
    ) -> Value {
        let questions = asked["inputRequests"].as_object().expect("questions");
        let responses: serde_json::Map<String, Value> =
            questions.iter().map(|(key, question)| (key.clone(), answer(question))).collect();
        json!({
            "name": tool, "arguments": arguments, "inputResponses": responses, "requestState": asked["requestState"],
        })
    }

    /// Sends a retry; its answer.
    pub(crate) async fn again(&self, params: &Value) -> Value {
        self.request(2, "tools/call", params).await.answer().await
    }
}
