use crate::{accepted, answer, headers, refused};
use mcpfleet_protocol::server::{Accepts, AllowedOrigins, Incoming, Refusal};

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

fn accepts(accept: Option<&str>) -> Option<Accepts> {
    let mut pairs = vec![("content-type", "application/json")];
    pairs.extend(accept.map(|accept| ("accept", accept)));
    match mcpfleet_protocol::server::accept(&headers(&pairs), PING.as_bytes()) {
        Ok(Incoming::Request(request)) => Some(request.context.accepts),
        Err(refusal) if refusal.status() == 406 => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_content_type_other_than_json_is_415() {
    for media in ["text/plain", "application/json-patch+json", "", "application/xml"] {
        let refusal = refused(&headers(&[("content-type", media), ("accept", "*/*")]), PING);
        assert_eq!(refusal.status(), 415, "{media}");
    }
    assert_eq!(refused(&headers(&[("accept", "*/*")]), PING).status(), 415);
    for media in ["application/json; charset=utf-8", "Application/JSON"] {
        accepted(&headers(&[("content-type", media)]), PING);
    }
}

#[test]
fn accept_is_read_leniently() {
    assert_eq!(accepts(Some("application/json, text/event-stream")), Some(Accepts::Either));
    assert_eq!(accepts(Some("*/*")), Some(Accepts::Either));
    assert_eq!(accepts(None), Some(Accepts::Either));
    assert_eq!(accepts(Some("application/json")), Some(Accepts::JsonOnly));
    assert_eq!(accepts(Some("application/*;q=0.5")), Some(Accepts::JsonOnly));
    assert_eq!(accepts(Some("TEXT/Event-Stream")), Some(Accepts::EventStreamOnly));
}

#[test]
fn an_accept_that_allows_no_form_is_406() {
    assert_eq!(accepts(Some("text/html")), None);
    assert_eq!(accepts(Some("application/json;q=0")), None);
}

fn origin(allowed: &AllowedOrigins, origin: &str) -> u16 {
    let host = ("host", "evil.example:8080");
    match allowed.check(&headers(&[("origin", origin), host])) {
        Ok(()) => 200,
        Err(refusal) => refusal.status().as_u16(),
    }
}

#[test]
fn a_foreign_origin_is_403_even_when_host_says_the_same() {
    let allowed = AllowedOrigins::new(["https://app.example.com", "http://intra:8080"]).unwrap();
    for bad in [
        "http://evil.example:8080",
        "https://app.example.com.evil.example",
        "http://app.example.com",
        "https://app.example.com:444",
        "null",
        "https://app.example.com/path",
        "https://user@app.example.com",
        "http://localhost",
        "",
    ] {
        assert_eq!(origin(&allowed, bad), 403, "{bad}");
    }
    for good in ["https://app.example.com", "https://APP.example.com:443", "http://intra:8080"] {
        assert_eq!(origin(&allowed, good), 200, "{good}");
    }
}

#[test]
fn no_origin_is_let_in_and_two_are_not() {
    let allowed = AllowedOrigins::default();
    assert!(allowed.check(&headers(&[])).is_ok());
    let two = headers(&[("origin", "http://localhost"), ("origin", "http://localhost")]);
    assert!(allowed.and_loopback().check(&two).is_err());
}

#[test]
fn loopback_pages_are_let_in_only_when_said() {
    let loopback = AllowedOrigins::default().and_loopback();
    for good in ["http://localhost:6274", "http://127.0.0.1", "http://[::1]:3000", "https://LOCALHOST"] {
        assert_eq!(origin(&loopback, good), 200, "{good}");
        assert_eq!(origin(&AllowedOrigins::default(), good), 403, "{good}");
    }
    for bad in ["http://localhost.evil.example", "http://127.0.0.1.evil.example", "file://localhost"] {
        assert_eq!(origin(&loopback, bad), 403, "{bad}");
    }
}

#[test]
fn an_unreadable_allowed_origin_is_named() {
    assert_eq!(AllowedOrigins::new(["https://ok.example", "ok.example"]).err(), Some("ok.example"));
}

#[test]
fn refusals_for_the_caller_have_their_status() {
    assert_eq!(Refusal::body_too_large(4096).status(), 413);
    assert_eq!(Refusal::session_required(None).status(), 400);
    assert_eq!(Refusal::session_unknown(None).status(), 404);
    let refusal = Refusal::method_not_allowed("POST, DELETE");
    assert_eq!((refusal.status().as_u16(), refusal.allow()), (405, Some("POST, DELETE")));
    let (_, code, body) = answer(&refusal);
    assert_eq!((code, body.get("id")), (-32600, None));
}
