//! Promises for all inputs.

use crate::{post, value};
use mcpfleet_protocol::{
    ErrorCode,
    client::{SentSession, classify_failure, classify_probe},
    header::{decode_value, encode_value},
    json::{JsonText, ScanError, scan},
    jsonrpc::{Id, Message, Outcome, error, parse, success},
    server::accept,
    sse::{Decoder, Event, encode},
};
use proptest::prelude::*;
use serde_json::{Map, Value};

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..20)
                .prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

/// Bytes that are nearly JSON, which find more than random ones.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u00e9",
        "\\ud800",
        "\"a\"",
        "\"\\u0061\"",
        "1",
        "-",
        "0",
        ".5",
        "e9",
        "e999",
        "true",
        "null",
        "nul",
        " ",
        "\n",
        "\u{0}",
        "ü",
        "\"jsonrpc\":\"2.0\"",
        "\"id\":1",
        "\"method\":\"tools/call\"",
        "\"params\":{",
        "\"_meta\":{",
        "\"name\":",
    ]);
    prop_oneof![
        prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..200),
    ]
}

fn events(stream: &[u8], cuts: &[usize]) -> (Vec<Event>, bool) {
    let mut decoder = Decoder::new(64);
    let mut rest = stream;
    for cut in cuts {
        let (chunk, tail) = rest.split_at((*cut).min(rest.len()));
        decoder.feed(chunk);
        rest = tail;
    }
    decoder.feed(rest);
    let mut events = Vec::new();
    loop {
        match decoder.next_event() {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, true),
            Err(_) => return (events, false),
        }
    }
}

fn sse_stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "data",
        ":",
        " ",
        "x",
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "id: 4",
        "event: e",
        "retry: 9",
        "data: {}",
        "\u{feff}",
        "0123456789012345678901234567890123456789",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn no_input_panics(body in nearly_json(), version in "\\PC{0,12}", method in "[ -~]{0,12}") {
        let headers = post(&[("mcp-protocol-version", &version), ("mcp-method", &method)]);
        let _ = accept(&headers, &body).map_err(|refusal| value(refusal.body()));
        let _ = accept(&post(&[]), &body).map_err(|refusal| value(refusal.body()));
        let _ = classify_probe(http::StatusCode::BAD_REQUEST, &body);
        let _ = classify_failure(http::StatusCode::BAD_REQUEST, &body, SentSession::Yes);
    }

    #[test]
    fn the_scanner_takes_what_serde_json_writes(value in json()) {
        let text = value.to_string();
        prop_assert_eq!(scan(text.as_bytes()), Ok(text.as_str()));
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert!(scan(pretty.as_bytes()).is_ok());
    }

    #[test]
    fn the_scanner_and_serde_json_agree(bytes in nearly_json()) {
        let read = serde_json::from_slice::<Value>(&bytes);
        match scan(&bytes) {
            Ok(_) => prop_assert!(read.is_ok(), "{:?}", read),
            Err(ScanError::DuplicateKey(_) | ScanError::TooDeep) => {}
            Err(error) => prop_assert!(read.is_err(), "{error}"),
        }
    }

    #[test]
    fn a_generated_duplicate_is_refused(
        members in prop::collection::btree_map("[a-z\"\\\\é]{0,6}", json(), 1..30),
        which in any::<prop::sample::Index>(),
        depth in 0_usize..4,
    ) {
        let member = |(key, value): (&String, &Value)| format!("{}:{value}", Value::from(key.as_str()));
        let mut parts: Vec<String> = members.iter().map(member).collect();
        let key = members.keys().nth(which.index(members.len())).unwrap();
        let escaped: Vec<String> = key.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        parts.push(format!("\"{}\":0", escaped.concat()));
        let text = format!("{}{{{}}}{}", "[".repeat(depth), parts.join(","), "]".repeat(depth));
        prop_assert!(matches!(scan(text.as_bytes()), Err(ScanError::DuplicateKey(_))), "{text}");
    }

    #[test]
    fn a_written_answer_reads_back(id in prop_oneof![any::<i64>().prop_map(Id::number), any::<String>().prop_map(|t| Id::string(&t))],
                                   members in prop::collection::btree_map(any::<String>(), json(), 0..6),
                                   text in any::<String>()) {
        let result = JsonText::from(&Value::Object(Map::from_iter(members)));
        let body = success(&id, &result);
        match parse(&body) {
            Ok(Message::Response { id: Some(read), outcome: Outcome::Result(raw) }) => {
                prop_assert_eq!(read, id.borrowed());
                prop_assert_eq!(raw.get(), result.as_str());
            }
            other => prop_assert!(id.as_json().len() > 1024, "{other:?}"),
        }
        let body = error(None, ErrorCode::InternalError, &text, Some(&result));
        let Ok(Message::Response { outcome: Outcome::Error(error), .. }) = parse(&body) else { panic!() };
        prop_assert_eq!((error.code, &*error.message), (-32603, text.as_str()));
    }

    #[test]
    fn a_mirrored_value_reads_back(text in any::<String>()) {
        let sent = encode_value(&text);
        prop_assert!(http::HeaderValue::from_str(&sent).is_ok());
        let read = decode_value(&sent);
        prop_assert_eq!(read.as_deref(), Some(text.as_str()));
    }

    #[test]
    fn chunks_do_not_matter(stream in sse_stream(), cuts in prop::collection::vec(0_usize..9, 0..60)) {
        prop_assert_eq!(events(&stream, &cuts), events(&stream, &[]));
    }

    #[test]
    fn an_encoded_message_decodes(value in json(), id in prop::option::of("[!-~]{1,8}")) {
        let text = serde_json::to_string_pretty(&value).unwrap();
        let mut decoder = Decoder::new(1 << 20);
        decoder.feed(&encode(&text, id.as_deref()));
        let event = decoder.next_event().unwrap().unwrap();
        prop_assert_eq!(event.data, text.as_bytes());
        prop_assert_eq!(event.last_id.as_deref(), id.as_deref());
    }
}
