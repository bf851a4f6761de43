//! What OpenAI clients expect of answers that are ours: errors and the list of models.

use mcpfleet_config::Provider;
use serde::Serialize;

/// An error in the shape that OpenAI's clients read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Error {
    /// For people.
    pub message: String,
    /// Class of the error, such as `invalid_request_error`.
    #[serde(rename = "type")]
    pub kind: ErrorKind,
    /// The request's field at fault.
    pub param: Option<&'static str>,
    /// For programs, such as `model_not_found`.
    pub code: &'static str,
}

/// Who can do something about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The client.
    InvalidRequestError,
    /// Nobody but by waiting: the provider failed.
    UpstreamError,
    /// Whoever runs this server.
    ServerError,
}

#[derive(Serialize)]
struct Wrapped<'a> {
    error: &'a Error,
}

impl Error {
    /// `{"error": {...}}`.
    pub fn to_json(&self) -> String {
        // Strings and names only: there is nothing in it that JSON cannot hold.
        serde_json::to_string(&Wrapped { error: self }).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Model<'a>>,
}

#[derive(Serialize)]
struct Model<'a> {
    id: &'a str,
    object: &'static str,
    /// Clients require it; nobody here knows it.
    created: u64,
    owned_by: &'a str,
}

/// The answer to `GET /v1/models`, sorted by name.
pub fn models(providers: &[Provider]) -> String {
    let mut data: Vec<Model<'_>> = providers.iter().flat_map(models_of).collect();
    data.sort_by_key(|model| model.id);
    serde_json::to_string(&List { object: "list", data }).unwrap_or_default()
}

fn models_of(provider: &Provider) -> impl Iterator<Item = Model<'_>> {
    let owned_by = provider.name.as_str();
    provider.models.iter().map(move |id| Model { id, object: "model", created: 0, owned_by })
}
