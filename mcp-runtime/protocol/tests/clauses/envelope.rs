use mcpfleet_protocol::{
    ErrorCode,
    json::JsonText,
    jsonrpc::{Id, Message, Outcome, ParseError, error, forwarded_error, notification, parse, success},
};

use crate::value;

fn why(text: &str) -> (ErrorCode, Option<String>) {
    let error = parse(text.as_bytes()).expect_err(text);
    (error.code(), error.id().map(|id| id.as_json().to_owned()))
}

#[test]
fn requests_notifications_and_responses_are_told_apart() {
    let request = parse(br#" {"jsonrpc":"2.0","id":7,"method":"ping"} "#).unwrap();
    assert!(
        matches!(request, Message::Request { id, method, params: None } if id == Id::number(7) && method == "ping")
    );
    let notification = parse(br#"{"jsonrpc":"2.0","method":"n","params":{"a":1}}"#).unwrap();
    assert!(matches!(notification, Message::Notification { params: Some(p), .. } if p.get() == r#"{"a":1}"#));
    let response = parse(br#"{"jsonrpc":"2.0","id":"x","result":{"k":[1]}}"#).unwrap();
    let Message::Response { id: Some(id), outcome: Outcome::Result(result) } = response else { panic!() };
    assert_eq!((id, result.get()), (Id::string("x"), r#"{"k":[1]}"#));
}

#[test]
fn an_error_response_keeps_code_message_data_and_the_whole() {
    let body = br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"m","data":{"d":1},"more":2}}"#;
    let Message::Response { outcome: Outcome::Error(error), .. } = parse(body).unwrap() else { panic!() };
    assert_eq!((error.code, &*error.message, error.data.unwrap().get()), (-32602, "m", r#"{"d":1}"#));
    assert!(error.raw.get().contains("\"more\":2"));
}

#[test]
fn an_error_response_may_lack_an_id() {
    for id in ["", r#""id":null,"#] {
        let body = format!(r#"{{"jsonrpc":"2.0",{id}"error":{{"code":1,"message":"m"}}}}"#);
        assert!(matches!(parse(body.as_bytes()), Ok(Message::Response { id: None, .. })), "{body}");
    }
}

#[test]
fn ids_are_strings_or_integers_and_never_null() {
    for id in ["null", "1.5", "1e3", "true", "{}", "[]", "1.0"] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        assert_eq!(why(&body), (ErrorCode::InvalidRequest, None), "{id}");
    }
    let long = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"ping"}}"#, "x".repeat(2000));
    assert_eq!(why(&long).0, ErrorCode::InvalidRequest);
}

#[test]
fn ids_go_back_byte_for_byte_with_their_type() {
    for id in ["1", "\"1\"", "-3", "12345678901234567890123", "\"a\\u0062\"", "\"ü\"", "0"] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let Message::Request { id: read, .. } = parse(body.as_bytes()).unwrap() else { panic!() };
        let answer = success(&read, &JsonText::empty_object());
        assert_eq!(&answer[..], format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#).as_bytes());
    }
    assert_ne!(Id::number(1), Id::string("1"));
}

#[test]
fn two_spellings_of_one_string_are_one_id() {
    let body = br#"{"jsonrpc":"2.0","id":"a\u0062","method":"ping"}"#;
    let Message::Request { id, .. } = parse(body).unwrap() else { panic!() };
    assert_eq!(id, Id::string("ab"));
    assert!(std::collections::HashSet::from([id.into_owned()]).contains(&Id::string("ab")));
}

#[test]
fn batches_are_refused_and_named() {
    for body in ["[]", r#" [{"jsonrpc":"2.0","id":1,"method":"ping"}]"#] {
        let error = parse(body.as_bytes()).expect_err(body);
        assert_eq!((error.code(), &error), (ErrorCode::InvalidRequest, &ParseError::Batch));
        assert!(error.to_string().contains("batch"));
    }
}

#[test]
fn what_is_not_json_is_a_parse_error() {
    for body in ["", "{", "nope", "{\"jsonrpc\":\"2.0\",}"] {
        assert_eq!(why(body), (ErrorCode::ParseError, None), "{body}");
    }
    assert_eq!(parse(b"\xff\xfe").expect_err("bytes").code(), ErrorCode::ParseError);
}

#[test]
fn an_object_that_is_no_message_is_refused_with_its_id() {
    let id = Some("4".to_owned());
    for body in [
        r#"{"id":4,"method":"ping"}"#,
        r#"{"jsonrpc":"1.0","id":4,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":4}"#,
        r#"{"jsonrpc":"2.0","id":4,"method":1}"#,
        r#"{"jsonrpc":"2.0","id":4,"method":"m","params":[1]}"#,
        r#"{"jsonrpc":"2.0","id":4,"method":"m","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":4,"result":{},"error":{"code":1,"message":""}}"#,
        r#"{"jsonrpc":"2.0","id":4,"result":[]}"#,
        r#"{"jsonrpc":"2.0","id":4,"error":{"code":"x","message":""}}"#,
    ] {
        assert_eq!(why(body), (ErrorCode::InvalidRequest, id.clone()), "{body}");
    }
    assert_eq!(why("\"text\""), (ErrorCode::InvalidRequest, None));
    assert_eq!(why(r#"{"jsonrpc":"2.0","result":{}}"#), (ErrorCode::InvalidRequest, None));
}

#[test]
fn repeated_keys_in_envelope_params_meta_and_arguments_are_refused() {
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":1,"x":2}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"k":1,"k":2}}}"#,
    ] {
        assert_eq!(why(body), (ErrorCode::InvalidRequest, None), "{body}");
    }
}

#[test]
fn params_null_counts_as_absent() {
    let message = parse(br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":null}"#).unwrap();
    assert!(matches!(message, Message::Request { params: None, .. }));
}

#[test]
fn errors_without_a_readable_id_are_written_without_one() {
    let body = value(error(None, ErrorCode::ParseError, "say \"no\"\n", None));
    assert!(body.get("id").is_none());
    assert_eq!(body["error"]["message"], "say \"no\"\n");
    let data = JsonText::new(&[1, 2]).unwrap();
    let body = value(error(Some(&Id::number(3)), ErrorCode::Overloaded, "busy", Some(&data)));
    assert_eq!((body["id"].as_i64(), body["error"]["code"].as_i64()), (Some(3), Some(-31_503)));
    assert_eq!(body["error"]["data"][1], 2);
}

#[test]
fn an_upstreams_error_is_passed_on_whole() {
    let body = br#"{"jsonrpc":"2.0","id":9,"error":{"code":-1,"message":"m","data":1.0,"x":null}}"#;
    let Message::Response { outcome: Outcome::Error(error), .. } = parse(body).unwrap() else { panic!() };
    let passed = forwarded_error(&Id::string("mine"), &error.raw.into());
    let want = br#"{"jsonrpc":"2.0","id":"mine","error":{"code":-1,"message":"m","data":1.0,"x":null}}"#;
    assert_eq!(&passed[..], want);
}

#[test]
fn notifications_are_written_without_an_id() {
    let params = JsonText::parse(br#" {"progress":1} "#).unwrap();
    let text = notification("notifications/progress", Some(&params));
    assert_eq!(&text[..], br#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}"#);
}

#[test]
fn error_codes_are_distinct_and_outside_the_ranges_that_mcp_keeps() {
    let numbers: std::collections::BTreeSet<i64> = ErrorCode::ALL.iter().map(|code| code.number()).collect();
    assert_eq!(numbers.len(), ErrorCode::ALL.len());
    for code in ErrorCode::ALL {
        assert_eq!(ErrorCode::from_number(code.number()), Some(code));
    }
    for own in [ErrorCode::UpstreamFailed, ErrorCode::Overloaded, ErrorCode::DeadlineExceeded] {
        assert!(!(-32_768..=-32_000).contains(&own.number()));
    }
}
