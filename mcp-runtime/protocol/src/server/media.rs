//! `Content-Type` and `Accept`.
//!
//! The specification has clients list, on a POST, both `application/json` and `text/event-stream`. Some list one, or `*/*`, or
//! nothing; they are served in a form that they take.

use super::{Reason, Refusal};
use http::{
    HeaderMap,
    header::{ACCEPT, CONTENT_TYPE},
};

const JSON: &str = "application/json";
const EVENT_STREAM: &str = "text/event-stream";

/// In which forms the client takes an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// One JSON body or an event stream, as the specification asks.
    Either,
    /// One JSON body only: what came before the answer is left out.
    JsonOnly,
    /// An event stream only.
    EventStreamOnly,
}

/// Refuses what is not declared as JSON with 415. Parameters such as `charset` are allowed.
pub(crate) fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if essence(declared).eq_ignore_ascii_case(JSON) {
        Ok(())
    } else {
        Err(Refusal::new(Reason::ContentType, None, "Content-Type must be application/json"))
    }
}

/// What `Accept` allows, or 406.
pub(crate) fn accepts(headers: &HeaderMap) -> Result<Accepts, Refusal> {
    if !headers.contains_key(ACCEPT) {
        return Ok(Accepts::Either);
    }
    match (takes(headers, JSON), takes(headers, EVENT_STREAM)) {
        (true, true) => Ok(Accepts::Either),
        (true, false) => Ok(Accepts::JsonOnly),
        (false, true) => Ok(Accepts::EventStreamOnly),
        (false, false) => {
            let message = "Accept must allow application/json, text/event-stream or both";
            Err(Refusal::new(Reason::NotAcceptable, None, message))
        }
    }
}

/// Refuses a GET that does not list `text/event-stream` with 406. By name only: whoever takes anything, such as a
/// browser that was sent here, does not ask for a stream without end
/// (2025-11-25, transports, "Listening for Messages from the Server").
pub(crate) fn check_stream(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut ranges = ranges(headers);
    if ranges.any(|range| !is_excluded(range) && essence(range).eq_ignore_ascii_case(EVENT_STREAM)) {
        Ok(())
    } else {
        Err(Refusal::new(Reason::NotAcceptable, None, "Accept of a GET must list text/event-stream"))
    }
}

fn takes(headers: &HeaderMap, media: &str) -> bool {
    ranges(headers).any(|range| !is_excluded(range) && covers(essence(range), media))
}

fn ranges(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(','))
}

fn covers(range: &str, media: &str) -> bool {
    match range.split_once('/') {
        Some(("*", "*")) => true,
        Some((kind, "*")) => media.split_once('/').is_some_and(|(of, _)| of.eq_ignore_ascii_case(kind)),
        _ => range.eq_ignore_ascii_case(media),
    }
}

/// `q=0` in any spelling: not wanted (RFC 9110, section 12.4.2).
fn is_excluded(range: &str) -> bool {
    range.split(';').skip(1).filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
        name.trim().eq_ignore_ascii_case("q") && value.trim().parse::<f32>().is_ok_and(|q| q <= 0.0)
    })
}

fn essence(media: &str) -> &str {
    media.split(';').next().unwrap_or_default().trim()
}
