//! Methods and their params: from unread members to [`Operation`].

use super::{
    CallTool, Complete, GetPrompt, Initialize, Listen, LogLevel, Operation, ReadResource, Reason, Reference,
    Refusal, TaskVerb, Wanted,
};
use crate::{
    Era, Method, Revision,
    json::{ElementsError, Members, elements, is_object, string},
    jsonrpc::Id,
};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Reads a request of `revision`.
///
/// # Errors
/// `MethodNotFound` for what the revision does not have, `InvalidParams` for params that cannot be read.
pub(crate) fn read<'a>(
    id: &Id<'_>,
    method: &str,
    params: Option<&Members<'a>>,
    revision: Revision,
) -> Result<Operation<'a>, Refusal> {
    let era = revision.era();
    let Some(kind) = Method::parse(method, revision) else {
        return Err(Refusal::method_not_found(id, method, era));
    };
    let none = Members::default();
    operation(kind, params.unwrap_or(&none), era)
        .map_err(|why| Refusal::new(Reason::InvalidParams, Some(id), why))
}

fn operation<'a>(kind: Method, params: &Members<'a>, era: Era) -> Result<Operation<'a>, String> {
    Ok(match kind {
        Method::Initialize => Operation::Initialize(initialize(params)?),
        Method::Ping => Operation::Ping,
        Method::Discover => Operation::Discover,
        Method::SetLogLevel => Operation::SetLogLevel(log_level(params)?),
        Method::ListTools => Operation::ListTools { cursor: text(params, "cursor")? },
        Method::CallTool => Operation::CallTool(call_tool(params, era)?),
        Method::ListPrompts => Operation::ListPrompts { cursor: text(params, "cursor")? },
        Method::GetPrompt => Operation::GetPrompt(get_prompt(params, era)?),
        Method::ListResources => Operation::ListResources { cursor: text(params, "cursor")? },
        Method::ListResourceTemplates => Operation::ListResourceTemplates { cursor: text(params, "cursor")? },
        Method::ReadResource => Operation::ReadResource(read_resource(params, era)?),
        Method::Subscribe => Operation::Subscribe { uri: required(params, "uri")? },
        Method::Unsubscribe => Operation::Unsubscribe { uri: required(params, "uri")? },
        Method::Complete => Operation::Complete(complete(params)?),
        Method::Listen => Operation::Listen(listen(params)?),
        Method::GetTask => task(TaskVerb::Get, params)?,
        Method::UpdateTask => task(TaskVerb::Update, params)?,
        Method::CancelTask => task(TaskVerb::Cancel, params)?,
    })
}

fn initialize<'a>(params: &Members<'a>) -> Result<Initialize<'a>, String> {
    let requested = required(params, "protocolVersion")?;
    Ok(Initialize {
        negotiated: Revision::negotiate(&requested),
        requested,
        capabilities: object(params, "capabilities")?.ok_or("capabilities is missing")?,
        client_info: object(params, "clientInfo")?.ok_or("clientInfo is missing")?,
    })
}

fn log_level(params: &Members<'_>) -> Result<LogLevel, String> {
    let level = params.get_some("level").ok_or("level is missing")?;
    LogLevel::read(level).ok_or_else(|| "level is not one of the protocol's levels".to_owned())
}

fn call_tool<'a>(params: &Members<'a>, era: Era) -> Result<CallTool<'a>, String> {
    let (input_responses, request_state) = retry(params, era)?;
    let arguments = object(params, "arguments")?;
    Ok(CallTool { name: required(params, "name")?, arguments, input_responses, request_state })
}

fn get_prompt<'a>(params: &Members<'a>, era: Era) -> Result<GetPrompt<'a>, String> {
    let (input_responses, request_state) = retry(params, era)?;
    let arguments = object(params, "arguments")?;
    Ok(GetPrompt { name: required(params, "name")?, arguments, input_responses, request_state })
}

fn read_resource<'a>(params: &Members<'a>, era: Era) -> Result<ReadResource<'a>, String> {
    let (input_responses, request_state) = retry(params, era)?;
    Ok(ReadResource { uri: required(params, "uri")?, input_responses, request_state })
}

type Retry<'a> = (Option<&'a RawValue>, Option<Cow<'a, str>>);

/// What a retry after `input_required` carries. Legacy revisions know neither, so there it means nothing.
fn retry<'a>(params: &Members<'a>, era: Era) -> Result<Retry<'a>, String> {
    match era {
        Era::Legacy => Ok((None, None)),
        Era::Modern => Ok((object(params, "inputResponses")?, text(params, "requestState")?)),
    }
}

fn complete<'a>(params: &Members<'a>) -> Result<Complete<'a>, String> {
    let members = |key: &str| {
        let missing = || format!("{key} is missing");
        object(params, key)?.and_then(Members::read).ok_or_else(missing)
    };
    let reference = members("ref")?;
    let reference = match required(&reference, "type")?.as_ref() {
        "ref/prompt" => Reference::Prompt(required(&reference, "name")?),
        "ref/resource" => Reference::Resource(required(&reference, "uri")?),
        _ => return Err("ref.type must be ref/prompt or ref/resource".to_owned()),
    };
    let argument = members("argument")?;
    Ok(Complete {
        reference,
        argument: required(&argument, "name")?,
        value: required(&argument, "value")?,
        context: object(params, "context")?,
    })
}

fn task<'a>(verb: TaskVerb, params: &Members<'a>) -> Result<Operation<'a>, String> {
    if verb == TaskVerb::Update && object(params, "inputResponses")?.is_none() {
        return Err("inputResponses is missing".to_owned());
    }
    Ok(Operation::Task { verb, id: required(params, "taskId")? })
}

/// All filters are optional, the object is not.
fn listen(params: &Members<'_>) -> Result<Listen, String> {
    let filter =
        object(params, "notifications")?.and_then(Members::read).ok_or("notifications is missing")?;
    read_filter(&filter)
}

/// A filter, as clients ask with it and as servers acknowledge it.
pub(crate) fn read_filter(filter: &Members<'_>) -> Result<Listen, String> {
    Ok(Listen {
        tools: wanted(filter, "toolsListChanged")?,
        prompts: wanted(filter, "promptsListChanged")?,
        resources: wanted(filter, "resourcesListChanged")?,
        updates: updates(filter)?,
    })
}

fn wanted(filter: &Members<'_>, key: &str) -> Result<Wanted, String> {
    match filter.get_some(key).map(RawValue::get) {
        Some("true") => Ok(Wanted::Yes),
        None | Some("false") => Ok(Wanted::No),
        Some(_) => Err(format!("notifications.{key} must be a boolean")),
    }
}

fn updates(filter: &Members<'_>) -> Result<Vec<String>, String> {
    let key = "notifications.resourceSubscriptions";
    let Some(list) = filter.get_some("resourceSubscriptions") else { return Ok(Vec::new()) };
    let uris = elements(list.get(), Listen::MAX_UPDATES).map_err(|error| match error {
        ElementsError::NoArray => format!("{key} must be a list of URIs"),
        ElementsError::TooMany => format!("{key} may list {} URIs at most", Listen::MAX_UPDATES),
    })?;
    let uri = |uri| match string(uri) {
        Some(uri) if uri.len() <= Listen::MAX_URI_BYTES => Ok(uri.into_owned()),
        Some(_) => Err(format!("{key} has a URI of more than {} bytes", Listen::MAX_URI_BYTES)),
        None => Err(format!("{key} must be a list of URIs")),
    };
    uris.into_iter().map(uri).collect()
}

pub(crate) fn text<'a>(params: &Members<'a>, key: &str) -> Result<Option<Cow<'a, str>>, String> {
    match params.get_some(key) {
        None => Ok(None),
        Some(value) => string(value).map(Some).ok_or_else(|| format!("{key} must be a string")),
    }
}

fn required<'a>(params: &Members<'a>, key: &str) -> Result<Cow<'a, str>, String> {
    text(params, key)?.ok_or_else(|| format!("{key} is missing"))
}

fn object<'a>(params: &Members<'a>, key: &str) -> Result<Option<&'a RawValue>, String> {
    match params.get_some(key) {
        Some(value) if !is_object(value) => Err(format!("{key} must be an object")),
        value => Ok(value),
    }
}
