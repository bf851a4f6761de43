//! One question to the client: `elicitation/create`, `sampling/createMessage` or `roots/list`.

use rmcp::ErrorData;
use rmcp::model::{ClientCapabilities, InputRequest};
use serde_json::{Value, json};

/// A question, and the key under which a modern client answers it.
pub(crate) struct Question {
    pub(crate) key: &'static str,
    pub(crate) request: InputRequest,
}

impl Question {
    /// Asks a person to fill in `schema`, a JSON Schema of an object with primitive properties.
    ///
    /// # Errors
    /// A schema that elicitation does not allow.
    pub(crate) fn elicit(key: &'static str, message: &str, schema: &Value) -> Result<Self, ErrorData> {
        let params = json!({ "mode": "form", "message": message, "requestedSchema": schema });
        Self::new(key, &json!({ "method": "elicitation/create", "params": params }))
    }

    /// Asks for one text named `field`.
    pub(crate) fn elicit_text(key: &'static str, message: &str, field: &str) -> Result<Self, ErrorData> {
        let properties = json!({ field: { "type": "string" } });
        Self::elicit(
            key,
            message,
            &json!({ "type": "object", "properties": properties, "required": [field] }),
        )
    }

    /// Asks for one yes or no named `field`.
    pub(crate) fn elicit_flag(key: &'static str, message: &str, field: &str) -> Result<Self, ErrorData> {
        let properties = json!({ field: { "type": "boolean" } });
        Self::elicit(
            key,
            message,
            &json!({ "type": "object", "properties": properties, "required": [field] }),
        )
    }

    /// Asks the client's model.
    pub(crate) fn sample(key: &'static str, prompt: &str, max_tokens: u32) -> Result<Self, ErrorData> {
        let messages = json!([{ "role": "user", "content": { "type": "text", "text": prompt } }]);
        let params = json!({ "messages": messages, "maxTokens": max_tokens });
        Self::new(key, &json!({ "method": "sampling/createMessage", "params": params }))
    }

    /// Asks for the client's roots.
    pub(crate) fn roots(key: &'static str) -> Result<Self, ErrorData> {
        Self::new(key, &json!({ "method": "roots/list", "params": {} }))
    }

    fn new(key: &'static str, request: &Value) -> Result<Self, ErrorData> {
        let request = serde_json::from_value(request.clone())
            .map_err(|error| ErrorData::internal_error(format!("question {key}: {error}"), None))?;
        Ok(Self { key, request })
    }

    /// Whether a client of these capabilities may be asked.
    pub(crate) fn is_within(&self, capabilities: &ClientCapabilities) -> bool {
        match self.request {
            InputRequest::Elicitation(_) => capabilities.elicitation.is_some(),
            InputRequest::CreateMessage(_) => capabilities.sampling.is_some(),
            InputRequest::ListRoots(_) => capabilities.roots.is_some(),
            _ => false,
        }
    }

    /// `MissingRequiredClientCapability` (2026-07-28, `basic/index`) for this question.
    ///
    /// # Errors
    /// If the capability cannot be named.
    pub(crate) fn missing_capability(&self) -> Result<ErrorData, ErrorData> {
        let name = match self.request {
            InputRequest::Elicitation(_) => "elicitation",
            InputRequest::CreateMessage(_) => "sampling",
            _ => "roots",
        };
        let required = serde_json::from_value(json!({ name: {} }))
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        Ok(ErrorData::missing_required_client_capability(required))
    }

    /// # Errors
    /// Invalid params for an answer that is none to this question.
    pub(crate) fn check(&self, answer: &Value) -> Result<(), ErrorData> {
        let fits = match self.request {
            InputRequest::Elicitation(_) => answer["action"].is_string(),
            InputRequest::CreateMessage(_) => answer["role"].is_string() && !answer["content"].is_null(),
            _ => answer["roots"].is_array(),
        };
        let key = self.key;
        if fits {
            Ok(())
        } else {
            Err(ErrorData::invalid_params(format!("inputResponses.{key} does not fit"), None))
        }
    }
}
