//! What the fuzz targets do with their input; `tests/fuzz.rs` of the protocol crate does the same without a fuzzer.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed check is what is looked for"
)]

use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use mcpfleet_protocol::{
    Capability, ClientCapabilities, Era, Method, Revision, ServerCapabilities,
    answer::{CachePolicy, Forward, Implementation, forward_result, translate_error, url_elicitations},
    client::{
        DiscoverReply, InitializeReply, ListKind, ListReply, ToolsReply, classify_probe, messages, read,
        read_frame, sse_endpoint,
    },
    input::{Asked, rewrite_request, rewrite_response},
    json::{JsonText, scan},
    jsonrpc::{Id, Message, Outcome, parse},
    mrtr::{InputRequests, InputResponses},
    server::{Incoming, Posted, Refusal, accept as accept_one, accept_message, accept_post},
    sse::{Decoder, Event, encode},
};
use serde_json::value::RawValue;

/// A body from a client.
pub fn accept(body: &[u8]) {
    for version in [None, Some("2025-03-26"), Some("2025-11-25"), Some("2026-07-28"), Some("2099-01-01")] {
        let headers = post(version);
        let _ = accept_one(&headers, body).map_err(|refusal| check_refusal(&refusal));
        check_posted(accept_post(&headers, body));
    }
    for negotiated in Revision::KNOWN.into_iter().map(Some).chain([None]) {
        check_posted(accept_message(body, negotiated));
    }
}

fn post(version: Option<&'static str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(version) = version {
        headers.insert("mcp-protocol-version", HeaderValue::from_static(version));
    }
    headers
}

fn check_posted(posted: Result<Posted<'_>, Refusal>) {
    match posted {
        Ok(Posted::One(incoming)) => check_incoming(&incoming),
        Ok(Posted::Batch(messages)) => {
            assert!((1..=64).contains(&messages.len()));
            for message in messages {
                match message {
                    Ok(incoming) => check_incoming(&incoming),
                    Err(refusal) => check_refusal(&refusal),
                }
            }
        }
        Err(refusal) => check_refusal(&refusal),
    }
}

fn check_incoming(incoming: &Incoming<'_>) {
    if let Incoming::Request(request) = incoming {
        let revision = request.context.revision;
        assert!(request.operation.kind().is_in(revision) || request.operation.kind() == Method::Initialize);
        let declared = request.meta.client_capabilities.is_some();
        assert!(declared || revision.era() == Era::Legacy, "a modern request declares");
    }
}

fn check_refusal(refusal: &Refusal) {
    assert!(refusal.status().as_u16() >= 200);
    check_text(&String::from_utf8_lossy(&refusal.body()));
}

/// What we write is JSON that we would take ourselves, but for its depth.
fn check_text(text: &str) {
    match scan(text.as_bytes()) {
        Ok(_) | Err(mcpfleet_protocol::json::ScanError::TooDeep) => {}
        Err(why) => panic!("{why} in {text}"),
    }
}

/// A body from a server.
pub fn read_reply(body: &[u8]) {
    let id = Id::number(1);
    let _ = messages(body).map(|parts| parts.into_iter().for_each(|part| drop(read(part, &id))));
    let _ = classify_probe(StatusCode::OK, body);
    match parse(body) {
        Ok(Message::Response { outcome: Outcome::Result(result), .. }) => read_result(result),
        Ok(Message::Notification { method, params }) => drop(read_frame(&method, params, Some(&id))),
        _ => {}
    }
    if let Some(raw) = raw(body) {
        read_result(&raw);
    }
}

fn read_result(result: &RawValue) {
    let _ = InitializeReply::read(result).map(|reply| check_offers(&reply.offers));
    let _ = DiscoverReply::read(result).map(|reply| check_offers(&reply.offers));
    let _ = InputRequests::read(result).map(|read| read.map(|read| assert!(read.requests.len() <= 32)));
    let _ = InputResponses::read(result);
    let capabilities = ClientCapabilities::read(result);
    assert_eq!(ClientCapabilities::from_bits(capabilities.to_bits()).to_bits(), capabilities.to_bits());
    for revision in Revision::KNOWN {
        check_text(capabilities.write(revision).as_str());
        let tools = ToolsReply::read(result).map(|reply| reply.tools).unwrap_or_default();
        for tool in tools {
            check_text(tool.write(revision).as_str());
        }
        for kind in ListKind::ALL {
            let definitions =
                ListReply::read(result, kind).map(|reply| reply.definitions).unwrap_or_default();
            for definition in definitions {
                check_text(definition.write(revision).as_str());
            }
        }
    }
}

fn check_offers(offers: &ServerCapabilities) {
    let written = offers.write(Revision::LATEST_MODERN);
    let raw = RawValue::from_string(written.as_str().to_owned()).expect("it is JSON");
    assert_eq!(&ServerCapabilities::read(&raw), offers);
}

/// A stream of events, and the `endpoint` that an event may hold.
pub fn sse(data: &[u8]) {
    let (cut, stream) = data.split_first().map_or((0, data), |(cut, stream)| (usize::from(*cut), stream));
    let whole = events(&[stream]);
    let (head, tail) = stream.split_at(cut.min(stream.len()));
    assert_eq!(events(&[head, tail]), whole, "events do not depend on how the stream is cut");
    let base: Uri = "https://a.example/sse".parse().expect("a URI");
    for event in &whole.0 {
        if let Ok(endpoint) = sse_endpoint(&base, &event.data) {
            assert_eq!(
                endpoint.authority().map(|authority| authority.host().to_ascii_lowercase()).as_deref(),
                Some("a.example")
            );
        }
        if let Ok(text) = scan(&event.data) {
            let again = events(&[&encode(text, None)]);
            assert_eq!(again.0.first().map(|event| event.data.len()), Some(text.len()));
        }
    }
}

/// Events, and whether the stream could be read to its end.
fn events(chunks: &[&[u8]]) -> (Vec<Event>, Result<(), ()>) {
    let mut decoder = Decoder::new(64 * 1024);
    let mut events = Vec::new();
    for chunk in chunks {
        decoder.feed(chunk);
        loop {
            match decoder.next_event() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(_) => return (events, Err(())),
            }
        }
    }
    (events, Ok(()))
}

/// A result, an error message or a server's request.
pub fn translate(body: &[u8]) {
    if let Ok(message) = parse(body) {
        translate_message(&message);
    }
    let Some(raw) = raw(body) else { return };
    let server = Implementation::new("fuzz", "0");
    for to in Revision::KNOWN {
        for method in Method::ALL {
            let forward = Forward { method, to, server: &server, cache: CachePolicy::UNKNOWN };
            if let Ok(text) = forward_result(&raw, &forward) {
                check_text(text.as_str());
            }
        }
        check_text(rewrite_response("sampling/createMessage", &raw, to).as_str());
        for method in ["elicitation/create", "sampling/createMessage", "roots/list", "ping"] {
            ask(method, Some(&raw), to);
        }
    }
}

fn translate_message(message: &Message<'_>) {
    for to in Revision::KNOWN {
        match message {
            Message::Response { outcome: Outcome::Error(error), .. } => {
                for method in Method::ALL {
                    check_text(translate_error(error, method, Era::Modern, to).as_str());
                    check_text(translate_error(error, method, Era::Legacy, to).as_str());
                }
                let _ = url_elicitations(error).map(|requests| check_text(requests.as_str()));
            }
            Message::Request { method, params, .. } => ask(method, *params, to),
            _ => {}
        }
    }
}

fn ask(method: &str, params: Option<&RawValue>, revision: Revision) {
    let capabilities =
        Capability::ALL.into_iter().fold(ClientCapabilities::default(), ClientCapabilities::with);
    let to = Asked { revision, capabilities: &capabilities, elicitation_id: "e" };
    if let Ok(Some(params)) = rewrite_request(method, params, &to) {
        check_text(params.as_str());
    }
}

/// The input as one JSON value, when it has passed the scan that everything from outside passes.
fn raw(body: &[u8]) -> Option<Box<RawValue>> {
    let text = JsonText::parse(body).ok()?;
    RawValue::from_string(text.as_str().to_owned()).ok()
}
