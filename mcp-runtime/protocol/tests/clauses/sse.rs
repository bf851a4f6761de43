//! Server-sent events.

use mcpfleet_protocol::sse::{Decoder, Event, EventTooLarge, MAX_EVENT_ID_BYTES, encode, prime};
use std::{sync::Arc, time::Duration};

fn decode(stream: &[u8]) -> Vec<Event> {
    let mut decoder = Decoder::new(1024);
    decoder.feed(stream);
    std::iter::from_fn(|| decoder.next_event().unwrap()).collect()
}

fn data(stream: &[u8]) -> Vec<String> {
    decode(stream).into_iter().map(|event| String::from_utf8(event.data).unwrap()).collect()
}

#[test]
fn lines_end_in_lf_cr_or_crlf() {
    for stream in [
        "data: a\n\ndata: b\n\n",
        "data: a\r\rdata: b\r\r",
        "data: a\r\n\r\ndata: b\r\n\r\n",
        "data: a\r\n\ndata: b\n\r\n",
    ] {
        assert_eq!(data(stream.as_bytes()), ["a", "b"], "{stream:?}");
    }
}

#[test]
fn data_lines_are_joined_and_lose_one_space() {
    assert_eq!(data(b"data:a\ndata:  b\ndata\n\n"), ["a\n b\n"]);
}

#[test]
fn comments_and_unknown_fields_are_skipped() {
    assert_eq!(data(b":\n\n: keep-alive\n\nfoo: bar\ndata: x\n:y\n\n"), ["x"]);
}

#[test]
fn kind_id_and_retry_are_read() {
    let mut decoder = Decoder::new(1024);
    decoder
        .feed(b"event: ping\nid: 7\nretry: 1500\ndata: x\n\ndata: y\n\nid: no\0pe\nretry: soon\ndata: z\n\n");
    let events: Vec<Event> = std::iter::from_fn(|| decoder.next_event().unwrap()).collect();
    let seen: Vec<(&str, Option<&str>)> =
        events.iter().map(|event| (&*event.kind, event.last_id.as_deref())).collect();
    assert_eq!(seen, [("ping", Some("7")), ("message", Some("7")), ("message", Some("7"))]);
    assert_eq!((decoder.last_id(), decoder.retry()), (Some("7"), Some(Duration::from_millis(1500))));
}

#[test]
fn a_priming_event_is_an_id_and_empty_data() {
    let events = decode(&prime("e-1", Some(Duration::from_secs(2))));
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].data.as_slice(), events[0].last_id.as_deref()), (&b""[..], Some("e-1")));
}

#[test]
fn a_block_without_data_is_no_event() {
    assert!(decode(b"event: x\nid: 1\n\n\n\n").is_empty());
}

#[test]
fn an_unfinished_event_is_not_given() {
    assert!(decode(b"data: a\n").is_empty());
}

#[test]
fn a_byte_order_mark_is_skipped_once() {
    assert_eq!(data(b"\xef\xbb\xbfdata: a\n\n"), ["a"]);
    assert!(data(b"x:\n\xef\xbb\xbfdata: a\n\n").is_empty());
}

#[test]
fn an_event_over_the_limit_ends_the_stream_after_those_before_it() {
    let mut decoder = Decoder::new(16);
    decoder.feed(b"data: ok\n\ndata: this is far too long\n\ndata: ok\n\n");
    assert_eq!(decoder.next_event().unwrap().unwrap().data, b"ok");
    assert_eq!(decoder.next_event(), Err(EventTooLarge { limit: 16 }));
    decoder.feed(b"data: ok\n\n");
    assert!(decoder.next_event().is_err());
}

#[test]
fn many_small_lines_of_one_event_are_bounded_too() {
    let mut decoder = Decoder::new(1000);
    for _ in 0..2000 {
        decoder.feed(b"data:\n");
    }
    assert!(decoder.next_event().is_err());
}

#[test]
fn messages_with_line_ends_between_tokens_survive() {
    let message = "{\n \"a\":\r\n 1 }";
    let decoded = data(&encode(message, Some("9")));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&decoded[0]).unwrap()["a"], 1);
    assert_eq!(&encode("{}", None)[..], b"event: message\ndata: {}\n\n");
}

#[test]
fn an_id_cannot_smuggle_in_a_field() {
    assert_eq!(&encode("{}", Some("1\ndata: x"))[..], b"event: message\ndata: {}\n\n");
}

#[test]
fn an_id_is_one_allocation_for_all_events_after_it() {
    let events = decode(b"id: 7\ndata: a\n\ndata: b\n\n");
    let ids: Vec<&Arc<str>> = events.iter().filter_map(|event| event.last_id.as_ref()).collect();
    assert!(matches!(ids[..], [first, second] if Arc::ptr_eq(first, second)));
}

#[test]
fn an_id_too_long_for_a_header_is_ignored() {
    let mut decoder = Decoder::new(1 << 20);
    for (length, kept) in [(MAX_EVENT_ID_BYTES, true), (MAX_EVENT_ID_BYTES + 1, false)] {
        decoder.feed(format!("id: 7\n\nid: {}\ndata: a\n\n", "x".repeat(length)).as_bytes());
        let event = decoder.next_event().unwrap().unwrap();
        assert_eq!(event.last_id.as_deref() != Some("7"), kept, "{length}");
        assert_eq!(decoder.next_event(), Ok(None));
    }
}

#[test]
fn events_are_read_only_as_they_are_asked_for() {
    let mut decoder = Decoder::new(1024);
    decoder.feed(b"id: 1\ndata: a\n\nid: 2\ndata: b\n\n");
    assert_eq!(decoder.last_id(), None);
    decoder.next_event().unwrap();
    assert_eq!(decoder.last_id(), Some("1"));
}

#[test]
fn a_long_kind_counts_towards_the_limit() {
    let mut decoder = Decoder::new(100);
    decoder.feed(format!("event: {}\ndata: {}\n\n", "k".repeat(60), "d".repeat(60)).as_bytes());
    assert!(decoder.next_event().is_err());
}
