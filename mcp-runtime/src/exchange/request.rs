//! What is asked, free of the wire.

use mcpfleet_protocol::{Method, server::TaskVerb};
use serde_json::value::RawValue;

/// A request that an MCP server carries out.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is asked.
    pub ask: Ask,
    /// `_meta` of the client's, to hand on what does not belong to one hop (`traceparent` and the like).
    pub meta: Option<Box<RawValue>>,
    /// What the client gives after an earlier `input_required` of the same upstream.
    pub resumption: Option<Resumption>,
}

/// What is asked. Names and URIs are those of the server that carries it out.
#[derive(Clone, Debug)]
pub enum Ask {
    /// `tools/call`.
    CallTool {
        /// The tool.
        name: String,
        /// An object; `{}` when the client gave none.
        arguments: Box<RawValue>,
    },
    /// `prompts/get`.
    GetPrompt {
        /// The prompt.
        name: String,
        /// An object of strings.
        arguments: Option<Box<RawValue>>,
    },
    /// `resources/read`.
    ReadResource {
        /// The resource.
        uri: String,
    },
    /// `completion/complete`.
    Complete {
        /// `ref`, with the server's own name or URI.
        reference: Box<RawValue>,
        /// `argument`.
        argument: Box<RawValue>,
        /// `context`.
        context: Option<Box<RawValue>>,
    },
    /// `tasks/get`, `tasks/update` or `tasks/cancel`, of a modern upstream's task. The responses of an update are in
    /// [`Request::resumption`].
    Task {
        /// What to do.
        verb: TaskVerb,
        /// Whose task it is.
        upstream: String,
        /// The call that became the task, by the name that clients use.
        tool: String,
        /// Its id there.
        id: String,
    },
}

/// The client's half of a retry (2026-07-28, basic/patterns/mrtr).
#[derive(Clone, Debug)]
pub struct Resumption {
    /// `inputResponses`, an object; `None` when the client gave none.
    pub responses: Option<Box<RawValue>>,
    /// The upstream's own `requestState`, unsealed.
    pub state: Option<String>,
}

impl Ask {
    /// The method.
    pub const fn kind(&self) -> Method {
        match self {
            Self::CallTool { .. } => Method::CallTool,
            Self::GetPrompt { .. } => Method::GetPrompt,
            Self::ReadResource { .. } => Method::ReadResource,
            Self::Complete { .. } => Method::Complete,
            Self::Task { verb, .. } => verb.method(),
        }
    }

    /// Its name, one of a fixed few.
    pub const fn method(&self) -> &'static str {
        self.kind().as_str()
    }
}
