//! A provider's event stream on its way to a client.
//!
//! The bytes stay what they are. Only where they are cut changes: a line leaves when it is complete, so that a stream
//! that breaks in the middle of one can still say so in an event of its own. Without that the client would read half a
//! line and an error glued together, or nothing at all, and take a half answer for a whole one.

use crate::openai::Error;
use bytes::{Bytes, BytesMut};

/// An unfinished line longer than this leaves as it is, in bytes: memory is bounded before the cut is made clean.
const MAX_HELD: usize = 1024 * 1024;

/// How much of the end is kept to tell a whole answer from a cut one, in bytes. The usage event that follows the last
/// choice is far shorter.
const TAIL: usize = 8 * 1024;

/// What says that an answer is whole: the end mark, or a choice that has finished.
const WHOLE: [&[u8]; 4] = [b"[DONE]", b"\"finish_reason\":\"", b"\"finish_reason\": \"", b"\"error\""];

/// The relay of one stream.
#[derive(Debug, Default)]
pub struct Relay {
    held: BytesMut,
    tail: BytesMut,
}

/// How a stream has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As a complete answer does.
    Whole,
    /// Without its end mark and without a finish reason.
    Unfinished,
}

impl Relay {
    /// Takes a chunk; gives what may leave now, which can be nothing.
    pub fn push(&mut self, chunk: &Bytes) -> Bytes {
        self.remember(chunk);
        let Some(newline) = chunk.iter().rposition(|byte| *byte == b'\n') else {
            self.held.extend_from_slice(chunk);
            return if self.held.len() > MAX_HELD { self.held.split().freeze() } else { Bytes::new() };
        };
        let ready = chunk.slice(..=newline);
        let ready = if self.held.is_empty() {
            ready
        } else {
            self.held.extend_from_slice(&ready);
            self.held.split().freeze()
        };
        self.held.extend_from_slice(&chunk.slice(newline + 1..));
        ready
    }

    /// The stream has ended of its own: what is left of it, and whether it was whole.
    pub fn end(&mut self) -> (Bytes, End) {
        let whole = WHOLE.iter().any(|mark| self.tail.windows(mark.len()).any(|window| window == *mark));
        (self.held.split().freeze(), if whole { End::Whole } else { End::Unfinished })
    }

    /// The stream was cut: the last words to the client, which are an error and never `[DONE]`.
    pub fn cut(&mut self, error: &Error) -> Bytes {
        self.held.clear();
        // The empty line ends an event of which the client has the data already.
        Bytes::from(format!("\ndata: {}\n\n", error.to_json()))
    }

    fn remember(&mut self, chunk: &[u8]) {
        let chunk = chunk.get(chunk.len().saturating_sub(TAIL)..).unwrap_or_default();
        let surplus = (self.tail.len() + chunk.len()).saturating_sub(TAIL);
        let _ = self.tail.split_to(surplus.min(self.tail.len()));
        self.tail.extend_from_slice(chunk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::ErrorKind;
    use proptest::prelude::*;

    fn error() -> Error {
        Error { message: "cut".into(), kind: ErrorKind::UpstreamError, param: None, code: "upstream_cut" }
    }

    #[test]
    fn whole_events_leave_at_once() {
        let mut relay = Relay::default();
        let event = Bytes::from_static(b"data: {\"a\":1}\n\n");
        assert_eq!(relay.push(&event), event);
        assert_eq!(relay.push(&event), event);
    }

    #[test]
    fn a_cut_drops_half_a_line_and_says_so() {
        let mut relay = Relay::default();
        assert_eq!(relay.push(&Bytes::from_static(b"data: 1\n\ndata: {\"x")), "data: 1\n\n");
        let last = relay.cut(&error());
        assert_eq!(
            last,
            "\ndata: {\"error\":{\"message\":\"cut\",\"type\":\"upstream_error\",\"param\":null,\"code\":\"upstream_cut\"}}\n\n"
        );
    }

    #[test]
    fn a_whole_answer_is_told_from_an_unfinished_one() {
        let end = |text: &'static str| {
            let mut relay = Relay::default();
            relay.push(&Bytes::from_static(text.as_bytes()));
            relay.end().1
        };
        assert_eq!(end("data: {}\n\ndata: [DONE]\n\n"), End::Whole);
        assert_eq!(end("data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n"), End::Whole);
        assert_eq!(end("data: {\"error\":{\"message\":\"theirs\"}}\n\n"), End::Whole);
        assert_eq!(end("data: {\"choices\":[{\"finish_reason\":null}]}\n\n"), End::Unfinished);
        assert_eq!(end(""), End::Unfinished);
    }

    #[test]
    fn a_line_without_end_is_not_held_for_ever() {
        let mut relay = Relay::default();
        let chunk = Bytes::from(vec![b'x'; MAX_HELD / 2 + 1]);
        assert_eq!(relay.push(&chunk).len(), 0);
        assert_eq!(relay.push(&chunk).len(), 2 * chunk.len());
    }

    proptest! {
        #[test]
        fn the_bytes_are_the_same_however_they_come(text in "[a\n]{0,60}", cuts in proptest::collection::vec(0usize..60, 0..6)) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let mut relay = Relay::default();
            let mut out = Vec::new();
            for pair in cuts.windows(2) {
                let ready = relay.push(&Bytes::copy_from_slice(&text.as_bytes()[pair[0]..pair[1]]));
                prop_assert!(ready.is_empty() || ready.ends_with(b"\n"));
                out.extend_from_slice(&ready);
            }
            out.extend_from_slice(&relay.end().0);
            prop_assert_eq!(out, text.as_bytes());
        }
    }
}
