//! Every method of every revision, and messages without headers.

use crate::{accepted, answer, post, refused};
use mcpfleet_protocol::{
    Era, Method, Revision,
    jsonrpc::Id,
    server::{
        Incoming, Listen, LogLevel, Notified, Operation, Posted, Reason, Reference, Request, TaskVerb,
        accept_message,
    },
};

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// Params that are right for each method.
fn params(method: Method) -> &'static str {
    match method {
        Method::Initialize => {
            r#""protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}"#
        }
        Method::SetLogLevel => r#""level":"error""#,
        Method::CallTool | Method::GetPrompt => r#""name":"n","arguments":{"a":"b"}"#,
        Method::ReadResource | Method::Subscribe | Method::Unsubscribe => r#""uri":"file:///a""#,
        Method::Complete => {
            r#""ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":"v"},"context":{"arguments":{}}"#
        }
        Method::Listen => r#""notifications":{}"#,
        Method::GetTask | Method::CancelTask => r#""taskId":"t""#,
        Method::UpdateTask => r#""taskId":"t","inputResponses":{}"#,
        _ => "",
    }
}

fn body(method: Method, revision: Revision) -> String {
    let params = params(method);
    let params = match (revision.era(), params) {
        (Era::Legacy, params) => params.to_owned(),
        (Era::Modern, "") => META.to_owned(),
        (Era::Modern, params) => format!("{params},{META}"),
    };
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}","params":{{{params}}}}}"#, method.as_str())
}

fn headers(method: Method, revision: Revision) -> http::HeaderMap {
    let mut more = vec![("mcp-protocol-version", revision.as_str()), ("mcp-method", method.as_str())];
    more.extend(match method.named_by() {
        Some("name") => Some(("mcp-name", "n")),
        Some("uri") => Some(("mcp-name", "file:///a")),
        Some(_) => Some(("mcp-name", "t")),
        None => None,
    });
    post(&more)
}

#[test]
fn each_revision_has_its_methods_and_no_others() {
    for revision in Revision::KNOWN {
        for method in Method::ALL {
            let (headers, body) = (headers(method, revision), body(method, revision));
            if method.is_in(revision) {
                let Incoming::Request(request) = accepted(&headers, &body) else { panic!("{body}") };
                assert_eq!(request.operation.kind(), method);
                assert_eq!(request.operation.method(), method.as_str());
                if method != Method::Initialize {
                    assert_eq!(request.context.revision, revision);
                }
            } else {
                let status = if revision.era() == Era::Modern { 404 } else { 200 };
                let (found, code, _) = answer(&refused(&headers, &body));
                assert_eq!((found, code), (status, -32601), "{method:?} {revision}");
            }
        }
    }
}

#[test]
fn what_names_something_is_mirrored_in_the_modern_era() {
    for method in Method::ALL.into_iter().filter(|method| method.named_by().is_some()) {
        let body = body(method, Revision::V2026_07_28);
        let version = ("mcp-protocol-version", "2026-07-28");
        for name in [None, Some(("mcp-name", "another"))] {
            let mut more = vec![version, ("mcp-method", method.as_str())];
            more.extend(name);
            assert_eq!(answer(&refused(&post(&more), &body)).1, -32020, "{method:?} {name:?}");
        }
    }
}

fn operation(body: &str) -> Operation<'_> {
    match accepted(&post(&[]), body) {
        Incoming::Request(Request { operation, .. }) => operation,
        other => panic!("{other:?}"),
    }
}

#[test]
fn legacy_params_are_read() {
    let text = |method| body(method, Revision::V2025_11_25);
    assert!(matches!(operation(&text(Method::SetLogLevel)), Operation::SetLogLevel(LogLevel::Error)));
    assert!(
        matches!(operation(&text(Method::Subscribe)), Operation::Subscribe { uri } if uri == "file:///a")
    );
    let read = text(Method::ReadResource);
    assert!(matches!(operation(&read), Operation::ReadResource(read) if read.uri == "file:///a"));
    let get = text(Method::GetPrompt);
    let Operation::GetPrompt(get) = operation(&get) else { panic!() };
    assert_eq!((&*get.name, get.arguments.unwrap().get()), ("n", r#"{"a":"b"}"#));
    let complete = text(Method::Complete);
    let Operation::Complete(complete) = operation(&complete) else { panic!() };
    assert_eq!((complete.reference, &*complete.argument), (Reference::Prompt("p".into()), "a"));
    assert_eq!((&*complete.value, complete.context.unwrap().get()), ("v", r#"{"arguments":{}}"#));
}

#[test]
fn a_retry_means_something_in_the_modern_era_only() {
    let retry = r#""name":"n","arguments":{"a":"b"},"inputResponses":{},"requestState":"s""#;
    for (method, plain) in
        [(Method::CallTool, params(Method::CallTool)), (Method::GetPrompt, params(Method::GetPrompt))]
    {
        let legacy = body(method, Revision::V2025_11_25).replace(plain, retry);
        let state = match operation(&legacy) {
            Operation::CallTool(call) => call.request_state,
            Operation::GetPrompt(get) => get.request_state,
            other => panic!("{other:?}"),
        };
        assert_eq!(state, None);
        let modern = body(method, Revision::V2026_07_28).replace(plain, retry);
        let headers = headers(method, Revision::V2026_07_28);
        let Incoming::Request(request) = accepted(&headers, &modern) else { panic!() };
        let state = match request.operation {
            Operation::CallTool(call) => call.request_state,
            Operation::GetPrompt(get) => get.request_state,
            other => panic!("{other:?}"),
        };
        assert_eq!(state.as_deref(), Some("s"));
    }
}

#[test]
fn a_task_is_named() {
    for (method, verb) in [
        (Method::GetTask, TaskVerb::Get),
        (Method::UpdateTask, TaskVerb::Update),
        (Method::CancelTask, TaskVerb::Cancel),
    ] {
        let text = body(method, Revision::V2026_07_28);
        let Incoming::Request(request) = accepted(&headers(method, Revision::V2026_07_28), &text) else {
            panic!()
        };
        assert!(
            matches!(request.operation, Operation::Task { verb: found, id } if found == verb && id == "t")
        );
    }
}

#[test]
fn params_of_a_wrong_shape_are_invalid() {
    for (method, params) in [
        (Method::SetLogLevel, r#""level":"loud""#),
        (Method::SetLogLevel, ""),
        (Method::ListPrompts, r#""cursor":1"#),
        (Method::GetPrompt, r#""arguments":{}"#),
        (Method::GetPrompt, r#""name":"n","arguments":[]"#),
        (Method::ReadResource, r#""uri":[]"#),
        (Method::Subscribe, ""),
        (Method::Complete, r#""ref":{"type":"ref/tool","name":"p"},"argument":{"name":"a","value":"v"}"#),
        (Method::Complete, r#""ref":{"type":"ref/prompt"},"argument":{"name":"a","value":"v"}"#),
        (Method::Complete, r#""ref":{"type":"ref/resource","uri":"u"},"argument":{"name":"a"}"#),
    ] {
        let body =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}","params":{{{params}}}}}"#, method.as_str());
        let (status, code, _) = answer(&refused(&post(&[]), &body));
        assert_eq!((status, code), (200, -32602), "{body}");
    }
}

#[test]
fn a_subscription_is_bounded() {
    let listen = |uris: &str| {
        let params = format!(r#""notifications":{{"resourceSubscriptions":[{uris}]}}"#);
        body(Method::Listen, Revision::V2026_07_28).replace(r#""notifications":{}"#, &params)
    };
    let headers = headers(Method::Listen, Revision::V2026_07_28);
    let most = vec!["\"u\""; Listen::MAX_UPDATES].join(",");
    accepted(&headers, &listen(&most));
    assert_eq!(answer(&refused(&headers, &listen(&format!("{most},\"u\"")))).1, -32602);
    let long = format!("\"{}\"", "u".repeat(Listen::MAX_URI_BYTES + 1));
    assert_eq!(answer(&refused(&headers, &listen(&long))).1, -32602);
}

#[test]
fn progress_of_nothing_is_400() {
    for params in ["", r#","params":{"progress":1}"#, r#","params":{"progress":1,"progressToken":null}"#] {
        let body = format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress"{params}}}"#);
        assert_eq!(refused(&post(&[]), &body).reason(), Reason::InvalidNotification, "{body}");
    }
}

fn line(body: &str, negotiated: Option<Revision>) -> Incoming<'_> {
    match accept_message(body.as_bytes(), negotiated) {
        Ok(Posted::One(incoming)) => incoming,
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_headers_the_message_or_the_connection_tells_the_era() {
    let modern = body(Method::CallTool, Revision::V2026_07_28);
    for negotiated in [None, Some(Revision::V2024_11_05), Some(Revision::V2026_07_28)] {
        let Incoming::Request(request) = line(&modern, negotiated) else { panic!() };
        assert_eq!(request.context.revision, Revision::V2026_07_28);
    }
    let legacy = body(Method::CallTool, Revision::V2025_11_25);
    for (negotiated, revision) in
        [(None, Revision::V2025_11_25), (Some(Revision::V2024_11_05), Revision::V2024_11_05)]
    {
        let Incoming::Request(request) = line(&legacy, negotiated) else { panic!() };
        assert_eq!((request.context.revision, request.id), (revision, Id::number(1)));
    }
    let refusal = accept_message(legacy.as_bytes(), Some(Revision::V2026_07_28)).unwrap_err();
    assert_eq!(refusal.reason(), Reason::Envelope, "a modern connection's request must say so");
    let initialize = body(Method::Initialize, Revision::V2025_11_25);
    assert_eq!(
        match line(&initialize, Some(Revision::V2026_07_28)) {
            Incoming::Request(request) => request.context.revision,
            other => panic!("{other:?}"),
        },
        Revision::V2025_11_25,
        "initialize is legacy wherever it comes"
    );
}

#[test]
fn without_headers_notifications_and_responses_follow_the_connection() {
    let cancelled = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    let Incoming::Notification(said) = line(cancelled, Some(Revision::V2026_07_28)) else { panic!() };
    assert_eq!(said.context.era(), Era::Modern);
    assert!(matches!(said.notified, Notified::Cancelled { .. }));
    let response = r#"{"jsonrpc":"2.0","id":"s","result":{}}"#;
    assert!(matches!(line(response, Some(Revision::V2025_06_18)), Incoming::Response(_)));
    assert!(accept_message(response.as_bytes(), Some(Revision::V2026_07_28)).is_err());
}

#[test]
fn what_a_session_has_negotiated_outweighs_the_header() {
    let list = body(Method::ListTools, Revision::V2025_11_25);
    let Incoming::Request(request) = accepted(&post(&[]), &list) else { panic!() };
    assert_eq!((request.context.revision, request.context.stated), (Revision::V2025_03_26, None));
    assert_eq!(request.context.in_session(Revision::V2025_11_25).revision, Revision::V2025_11_25);
}
