//! What we ask as a client, of every revision, and the streams that we read.

use crate::value;
use http::Uri;
use mcpfleet_protocol::{
    Era, ListChanges, Method, Offered, Revision, Subscription,
    answer::{CacheScope, Definition, Implementation},
    client::{
        Ask, AskContext, DiscoverReply, EndpointError, Frame, FromServer, InitializeReply, LegacyPeer,
        ListKind, ListReply, ModernPeer, Outgoing, Peer, ReplyError, messages, read, read_frame,
        sse_endpoint,
    },
    header::SessionId,
    json::JsonText,
    jsonrpc::Id,
    message::{self, Change},
    server::{Incoming, Listen, LogLevel, Reference, TaskVerb, Wanted, accept},
    sse,
};
use serde_json::{json, value::RawValue};

fn raw(value: &serde_json::Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap()
}

fn peers() -> Vec<Peer> {
    let legacy = |revision| Peer::Legacy(LegacyPeer { revision, session: SessionId::parse("s") });
    let client = Implementation { title: Some("T".into()), ..Implementation::new("c", "1") };
    let modern = ModernPeer { client, capabilities: JsonText::empty_object(), log_level: None };
    let legacies = Revision::KNOWN.into_iter().filter(|revision| revision.era() == Era::Legacy).map(legacy);
    legacies.chain([Peer::Modern(modern)]).collect()
}

fn asks(reference: &'static Reference<'static>, filter: &'static Listen) -> Vec<Ask<'static>> {
    vec![
        Ask::Ping,
        Ask::Discover,
        Ask::SetLogLevel(LogLevel::Error),
        Ask::List(ListKind::Tools, None),
        Ask::List(ListKind::Prompts, Some("c")),
        Ask::List(ListKind::Resources, None),
        Ask::List(ListKind::ResourceTemplates, None),
        Ask::CallTool { name: "t", arguments: "{}" },
        Ask::GetPrompt { name: "p", arguments: Some(r#"{"a":"b"}"#) },
        Ask::ReadResource("file:///ä"),
        Ask::Subscribe("file:///a"),
        Ask::Unsubscribe("file:///a"),
        Ask::Complete { reference, argument: "a", value: "v", context: None },
        Ask::Listen(filter),
        Ask::Task(TaskVerb::Get, "id"),
        Ask::Task(TaskVerb::Cancel, "id"),
    ]
}

/// Our own server takes what our own client sends, exactly where the revision has it.
#[test]
fn each_request_is_understood_by_the_revisions_that_have_it() {
    let reference: &'static Reference<'static> =
        Box::leak(Box::new(Reference::Resource("file:///{a}".into())));
    let filter: &'static Listen =
        Box::leak(Box::new(Listen { prompts: Wanted::Yes, updates: vec!["u".into()], ..Listen::default() }));
    for peer in peers() {
        for ask in asks(reference, filter) {
            let outgoing = peer.ask(&Id::number(1), &ask, &AskContext::default());
            match accept(&outgoing.headers, &outgoing.body) {
                Ok(Incoming::Request(request)) => {
                    assert_eq!(request.operation.kind(), ask.method());
                    assert_eq!(request.context.era(), peer.era());
                    assert!(ask.method().is_in(peer.revision()), "{ask:?} {}", peer.revision());
                }
                Ok(other) => panic!("{other:?}"),
                Err(refusal) => {
                    assert!(!ask.method().is_in(peer.revision()), "{ask:?} {refusal:?}");
                }
            }
        }
    }
}

fn header<'a>(outgoing: &'a Outgoing, name: &str) -> Option<&'a str> {
    outgoing.headers.get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn the_first_revision_has_no_headers() {
    for peer in peers() {
        let outgoing = peer.ask(&Id::number(1), &Ask::Ping, &AskContext::default());
        let want = (peer.revision() > Revision::V2024_11_05).then(|| peer.revision().as_str());
        assert_eq!(header(&outgoing, "mcp-protocol-version"), want);
    }
}

#[test]
fn what_goes_with_a_request_goes_where_its_era_has_a_place() {
    let capabilities = JsonText::parse(br#"{"roots":{}}"#).unwrap();
    let context = AskContext {
        log_level: Some(LogLevel::Debug),
        client_capabilities: Some(&capabilities),
        input_responses: Some(r#"{"k":{}}"#),
        request_state: Some("s"),
        ..AskContext::default()
    };
    for peer in peers() {
        let outgoing = peer.ask(&Id::number(1), &Ask::ReadResource("u"), &context);
        let params = &value(&outgoing.body)["params"];
        if peer.era() == Era::Legacy {
            assert_eq!(params, &json!({"uri": "u"}));
            continue;
        }
        assert_eq!((&params["inputResponses"], &params["requestState"]), (&json!({"k": {}}), &json!("s")));
        let meta = &params["_meta"];
        assert_eq!(meta["io.modelcontextprotocol/clientCapabilities"], json!({"roots": {}}));
        assert_eq!(meta["io.modelcontextprotocol/logLevel"], "debug");
        assert_eq!(meta["io.modelcontextprotocol/clientInfo"]["title"], "T");
        assert_eq!(header(&outgoing, "mcp-name"), Some("u"));
    }
}

#[test]
fn a_legacy_stream_is_opened_with_a_get() {
    let Peer::Legacy(peer) = peers().remove(3) else { panic!() };
    let headers = peer.listen();
    assert_eq!(
        (&headers["accept"], &headers["mcp-session-id"]),
        (&"text/event-stream".parse().unwrap(), &"s".parse().unwrap())
    );
    let told = value(&peer.roots_list_changed().body);
    assert_eq!(told, json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"}));
}

#[test]
fn handshakes_say_what_is_offered() {
    let result = raw(&json!({
        "protocolVersion": "2024-11-05", "capabilities": {"resources": {"subscribe": true}, "logging": {}},
    }));
    let reply = InitializeReply::read(&result).unwrap();
    assert_eq!((reply.revision, reply.offers.logging), (Revision::V2024_11_05, Offered::Yes));
    assert_eq!(reply.offers.resources.unwrap().subscribe, Offered::Yes);
    let result = raw(&json!({
        "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {"listChanged": true}}, "ttlMs": 5,
        "instructions": "i", "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "s", "version": "1"}},
    }));
    let reply = DiscoverReply::read(&result).unwrap();
    assert_eq!(reply.offers.tools, Some(ListChanges::Announced));
    assert_eq!((reply.instructions.as_deref(), reply.ttl_ms), (Some("i"), Some(5)));
    assert!(reply.server_info.unwrap().get().contains("\"s\""));
    assert!(DiscoverReply::read(&raw(&json!({}))).is_err());
}

#[test]
fn every_list_is_read_and_bad_elements_are_left_out() {
    for (kind, good) in [
        (ListKind::Prompts, json!({"name": "a", "x": 1})),
        (ListKind::Resources, json!({"uri": "a", "x": 1})),
        (ListKind::ResourceTemplates, json!({"uriTemplate": "a", "x": 1})),
    ] {
        let page = json!({
            kind.member(): [good, {"y": 1}, 7, {kind.key(): "k".repeat(3000)}],
            "nextCursor": "n", "cacheScope": "public",
        });
        let reply = ListReply::read(&raw(&page), kind).unwrap();
        let want = Definition::new(kind, "a").with("x", JsonText::parse(b"1").unwrap());
        assert_eq!((&reply.definitions, reply.left_out.len()), (&vec![want], 3));
        assert_eq!((reply.next_cursor.as_deref(), reply.scope), (Some("n"), Some(CacheScope::Public)));
        assert_eq!(ListReply::read(&raw(&json!({})), kind).err(), Some(ReplyError::Member(kind.member())));
    }
}

#[test]
fn a_definition_loses_what_the_revision_lacks() {
    let definition = json!({
        "uri": "file:///a", "title": "T", "icons": [], "mimeType": "text/plain", "_meta": {"a": 1},
    });
    let read = Definition::read(ListKind::Resources, &raw(&definition)).unwrap().renamed("up://a");
    let written = |revision| value(read.write(revision).as_str());
    let first = json!({"uri": "up://a", "name": "up://a", "mimeType": "text/plain"});
    assert_eq!(written(Revision::V2024_11_05), first);
    assert_eq!(
        (&written(Revision::V2025_06_18)["title"], written(Revision::V2025_06_18).get("icons")),
        (&json!("T"), None)
    );
    assert_eq!(written(Revision::V2026_07_28)["icons"], json!([]));
    let prompt = json!({"name": "p", "arguments": [{"name": "a", "title": "A", "required": true}]});
    let prompt = Definition::read(ListKind::Prompts, &raw(&prompt)).unwrap();
    let old = value(prompt.write(Revision::V2025_03_26).as_str());
    assert_eq!(old["arguments"], json!([{"name": "a", "required": true}]));
}

#[test]
fn our_own_streams_are_read_back() {
    let id = Id::string("sub");
    let wanted = Listen { tools: Wanted::Yes, updates: vec!["u".into()], ..Listen::default() };
    let stream = Subscription::modern(&id, wanted.clone());
    assert!(stream.carries(Change::Updated("u")) && !stream.carries(Change::Updated("v")));
    assert!(!stream.carries(Change::Prompts) && !stream.carries(Change::Resources));
    let frame = |message: &[u8]| match read(message, &id).unwrap() {
        FromServer::Notification { method, params } => {
            format!("{:?}", read_frame(&method, params, Some(&id)))
        }
        other => panic!("{other:?}"),
    };
    let opening = stream.opening_message().unwrap();
    assert_eq!(frame(&opening), format!("{:?}", Frame::Acknowledged(wanted)));
    for (change, want) in [
        (Change::Tools, Frame::ToolsChanged),
        (Change::Prompts, Frame::PromptsChanged),
        (Change::Resources, Frame::ResourcesChanged),
        (Change::Updated("u"), Frame::Updated("u".into())),
    ] {
        assert_eq!(frame(&stream.changed_message(change)), format!("{want:?}"));
        assert_eq!(frame(&message::changed(change)), format!("{want:?}"), "a lone stream needs no id");
    }
    let foreign = Subscription::modern(&Id::string("other"), Listen::default());
    assert_eq!(frame(&foreign.changed_message(Change::Tools)), "Other");
}

#[test]
fn messages_are_written() {
    let params = raw(&json!({"progressToken": "up", "progress": 1, "message": "m"}));
    let sent = |revision| value(message::progress(&Id::number(3), Some(&params), revision))["params"].clone();
    assert_eq!(sent(Revision::V2025_11_25), json!({"progressToken": 3, "progress": 1, "message": "m"}));
    assert_eq!(sent(Revision::V2024_11_05), json!({"progressToken": 3, "progress": 1}));
    assert_eq!(value(message::resource_updated("u"))["params"], json!({"uri": "u"}));
    assert!(message::elicitation_complete("e", Revision::V2025_11_25).is_some());
    assert!(message::elicitation_complete("e", Revision::V2026_07_28).is_none());
    let asked = value(message::request(&Id::number(1), "roots/list", None));
    assert_eq!(asked, json!({"jsonrpc": "2.0", "id": 1, "method": "roots/list"}));
}

#[test]
fn a_servers_batch_is_split() {
    let body = br#" [{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","id":1,"result":{}}]"#;
    let parts = messages(body).unwrap();
    assert_eq!(parts.len(), 2);
    assert!(matches!(read(parts[1], &Id::number(1)), Ok(FromServer::Answer(_))));
    assert_eq!(messages(b"{}").unwrap(), [b"{}"]);
    for bad in ["[]", "oops", &format!("[{}]", vec!["1"; 65].join(","))] {
        assert!(messages(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn an_endpoint_stays_at_its_origin() {
    let base: Uri = "https://a.example:8443/mcp/sse?x=1".parse().unwrap();
    for (data, want) in [
        ("/messages?s=1", "https://a.example:8443/messages?s=1"),
        ("messages", "https://a.example:8443/mcp/messages"),
        ("../m/./x?q=/../y", "https://a.example:8443/m/x?q=/../y"),
        ("?s=2", "https://a.example:8443/mcp/sse?s=2"),
        ("https://A.example:8443/m", "https://A.example:8443/m"),
        ("//a.example:8443/m#f", "https://a.example:8443/m"),
        ("../../../m", "https://a.example:8443/m"),
    ] {
        let found = sse_endpoint(&base, data.as_bytes()).unwrap();
        assert_eq!(found, want.parse::<Uri>().unwrap(), "{data}");
    }
    for foreign in [
        "https://b.example:8443/m",
        "http://a.example:8443/m",
        "https://a.example/m",
        "//b.example/m",
        "https://a.example:8443@b.example/m",
        "https://u@a.example:8443/m",
        "ftp://a.example:8443/m",
    ] {
        let found = sse_endpoint(&base, foreign.as_bytes());
        assert_eq!(found, Err(EndpointError::ForeignOrigin), "{foreign}");
    }
    for bad in ["", " ", "/a b", "\\\\b.example\\m", "/\u{e4}", "javascript:alert(1)"] {
        assert!(sse_endpoint(&base, bad.as_bytes()).is_err(), "{bad:?}");
    }
}

#[test]
fn the_first_event_of_http_and_sse_names_the_endpoint() {
    assert_eq!(&sse::endpoint("/m?s=1").unwrap()[..], b"event: endpoint\ndata: /m?s=1\n\n");
    assert_eq!(sse::endpoint("/m\ndata: x"), None);
    assert_eq!(&sse::retry(std::time::Duration::from_secs(2))[..], b"retry: 2000\n\n");
}

#[test]
fn methods_have_one_name_each() {
    for method in Method::ALL {
        let found: Vec<_> = Revision::KNOWN
            .into_iter()
            .filter_map(|revision| Method::parse(method.as_str(), revision))
            .collect();
        assert!(!found.is_empty() && found.iter().all(|found| *found == method), "{method:?}");
    }
}
