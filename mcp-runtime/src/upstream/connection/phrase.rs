//! A request of ours in the words of a peer.

use super::ClientError;
use crate::exchange::{Ask, Interest, Profile, Request, Resumption};
use mcpfleet_protocol::{
    ClientCapabilities, Era, Revision,
    client::{self, AskContext, Outgoing, Peer},
    header::ParamHeader,
    json::{JsonText, Members},
    jsonrpc::Id,
    server::Reference,
    task,
};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Extensions that both sides must be modern for: no legacy client could follow a task.
const MODERN_ONLY: [&str; 1] = [task::EXTENSION];

/// What goes with every attempt of one request.
pub(super) struct Phrase<'a> {
    request: &'a Request,
    profile: &'a Profile,
    capabilities: JsonText,
}

impl<'a> Phrase<'a> {
    pub(super) fn new(request: &'a Request, profile: &'a Profile) -> Self {
        let declared = match profile.revision.era() {
            Era::Modern => ClientCapabilities::read(&profile.capabilities),
            Era::Legacy => relayed(&profile.capabilities),
        };
        Self { request, profile, capabilities: declared.write(Revision::LATEST_MODERN) }
    }

    /// The request as `peer` takes it, under `id`, which is its progress token too.
    ///
    /// # Errors
    /// [`ClientError::Unaskable`].
    pub(super) fn outgoing(
        &self,
        peer: &Peer,
        id: &Id<'_>,
        resumption: Option<&Resumption>,
        mirrored: Option<&[ParamHeader]>,
    ) -> Result<Outgoing, ClientError> {
        let context = AskContext {
            meta: self.request.meta.as_deref(),
            progress_token: (self.profile.progress == Interest::Wanted).then_some(id),
            log_level: self.profile.log_level,
            client_capabilities: Some(&self.capabilities),
            input_responses: resumption.and_then(|given| given.responses.as_deref()).map(RawValue::get),
            request_state: resumption.and_then(|given| given.state.as_deref()),
        };
        let outgoing = match &self.request.ask {
            Ask::CallTool { name, arguments } => {
                let ask = client::Ask::CallTool { name, arguments: arguments.get() };
                let outgoing = peer.ask(id, &ask, &context);
                match (peer, mirrored) {
                    (Peer::Modern(_), Some(params)) => outgoing.with_param_headers(params, arguments.get()),
                    _ => outgoing,
                }
            }
            Ask::GetPrompt { name, arguments } => {
                let arguments = arguments.as_deref().map(RawValue::get);
                peer.ask(id, &client::Ask::GetPrompt { name, arguments }, &context)
            }
            Ask::ReadResource { uri } => peer.ask(id, &client::Ask::ReadResource(uri), &context),
            Ask::Complete { reference, argument, context: known } => {
                let (reference, argument) = (target(reference)?, Argument::read(argument)?);
                let Argument { name, value } = &argument;
                let context_given = known.as_deref();
                let ask = client::Ask::Complete {
                    reference: &reference,
                    argument: name,
                    value,
                    context: context_given,
                };
                peer.ask(id, &ask, &context)
            }
            Ask::Task { verb, id: task, .. } => peer.ask(id, &client::Ask::Task(*verb, task), &context),
        };
        Ok(outgoing)
    }
}

/// What is declared of what a client can do where one of the two sides is legacy.
pub(in crate::upstream) fn relayed(capabilities: &RawValue) -> ClientCapabilities {
    let mut read = ClientCapabilities::read(capabilities);
    if MODERN_ONLY.iter().any(|name| read.has_extension(name)) {
        read.extensions = read.extensions.as_ref().and_then(without_modern_only);
    }
    read
}

fn without_modern_only(extensions: &JsonText) -> Option<JsonText> {
    let mut all: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(extensions.as_str()).ok()?;
    all.retain(|name, _| !MODERN_ONLY.contains(&name.as_str()));
    (!all.is_empty()).then(|| JsonText::from(&serde_json::Value::Object(all)))
}

/// `argument` of a completion.
struct Argument<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
}

impl<'a> Argument<'a> {
    fn read(raw: &'a RawValue) -> Result<Self, ClientError> {
        let members = Members::read(raw).unwrap_or_default();
        let text = |key| members.get(key).and_then(text);
        match (text("name"), text("value")) {
            (Some(name), Some(value)) => Ok(Self { name, value }),
            _ => Err(ClientError::Unaskable("argument of completion/complete must have a name and a value")),
        }
    }
}

fn target(raw: &RawValue) -> Result<Reference<'_>, ClientError> {
    let members = Members::read(raw).unwrap_or_default();
    let text = |key| members.get(key).and_then(text);
    match (text("type").as_deref(), text("name"), text("uri")) {
        (Some("ref/prompt"), Some(name), _) => Ok(Reference::Prompt(name)),
        (Some("ref/resource"), _, Some(uri)) => Ok(Reference::Resource(uri)),
        _ => Err(ClientError::Unaskable("ref of completion/complete must be a ref/prompt or a ref/resource")),
    }
}

fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<String>(raw.get()).ok().map(Cow::Owned)
}
