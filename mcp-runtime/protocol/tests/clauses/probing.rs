//! Which era a server is of.

use http::StatusCode;
use mcpfleet_protocol::client::{Probe, Unusable, classify_probe};

fn rpc(body: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,{body}}}"#)
}

fn unusable(status: u16, body: &str) -> Unusable {
    match classify_probe(StatusCode::from_u16(status).unwrap(), body.as_bytes()) {
        Probe::Unusable(why) => why,
        other => panic!("{status} {body}: {other:?}"),
    }
}

fn is_legacy(status: u16, body: &str) -> bool {
    matches!(classify_probe(StatusCode::from_u16(status).unwrap(), body.as_bytes()), Probe::Legacy)
}

#[test]
fn a_discover_result_with_our_revision_is_modern() {
    let body = rpc(
        r#""result":{"resultType":"complete","supportedVersions":["2027-01-01","2026-07-28"],"capabilities":{}}"#,
    );
    assert!(
        matches!(classify_probe(StatusCode::OK, body.as_bytes()), Probe::Modern(result) if result.get().contains("2027"))
    );
}

#[test]
fn a_discover_result_with_legacy_revisions_only_is_legacy() {
    assert!(is_legacy(200, &rpc(r#""result":{"supportedVersions":["2025-11-25"],"capabilities":{}}"#)));
}

#[test]
fn anything_but_a_recognised_modern_error_is_legacy() {
    for (status, body) in [
        (400, String::new()),
        (400, rpc(r#""error":{"code":-32000,"message":"Bad Request: Server not initialized"}"#)),
        (400, r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"m"}}"#.to_owned()),
        (404, rpc(r#""error":{"code":-32601,"message":"Method not found"}"#)),
        (200, rpc(r#""error":{"code":-32601,"message":"Method not found"}"#)),
        (405, String::new()),
        (406, "Not Acceptable".to_owned()),
        (200, rpc(r#""result":{}"#)),
        (200, rpc(r#""result":{"supportedVersions":"all","capabilities":{}}"#)),
        (200, "<html>".to_owned()),
        (501, String::new()),
    ] {
        assert!(is_legacy(status, &body), "{status} {body}");
    }
}

#[test]
fn a_modern_error_is_not_taken_for_legacy() {
    for code in [-32020, -32021] {
        let body = rpc(&format!(r#""error":{{"code":{code},"message":"why"}}"#));
        assert_eq!(unusable(400, &body), Unusable::Refused("why".into()));
    }
}

#[test]
fn an_unsupported_version_error_is_followed_to_what_is_supported() {
    let error = |list: &str| {
        rpc(&format!(
            r#""error":{{"code":-32022,"message":"m","data":{{"supported":[{list}],"requested":"2026-07-28"}}}}"#
        ))
    };
    assert!(is_legacy(400, &error("\"2025-11-25\"")));
    assert_eq!(
        unusable(400, &error("\"2027-01-01\"")),
        Unusable::NoCommonRevision(vec!["2027-01-01".into()])
    );
    assert_eq!(
        unusable(400, &error("\"2026-07-28\"")),
        Unusable::Refused("m".into()),
        "believing it would loop"
    );
}

#[test]
fn credentials_overload_and_faults_tell_no_era() {
    assert_eq!(unusable(401, ""), Unusable::Unauthorized(StatusCode::UNAUTHORIZED));
    assert_eq!(unusable(403, ""), Unusable::Unauthorized(StatusCode::FORBIDDEN));
    assert_eq!(unusable(429, ""), Unusable::Failing(StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(unusable(503, "x"), Unusable::Failing(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(unusable(302, ""), Unusable::Redirect(StatusCode::FOUND));
}

#[test]
fn of_a_server_that_cannot_be_used_only_a_few_words_are_kept() {
    let versions = vec![format!("\"{}\"", "x".repeat(1000)); 1000].join(",");
    let body = rpc(&format!(r#""result":{{"supportedVersions":[{versions}],"capabilities":{{}}}}"#));
    assert!(unusable(200, &body).to_string().len() < 2000);
    let body = rpc(&format!(r#""error":{{"code":-32020,"message":"{}"}}"#, "x".repeat(10_000)));
    assert!(unusable(400, &body).to_string().len() < 2000);
}
