//! From bytes to events.
//!
//! In: chunks of any size. Out: the same events for any way of cutting the stream into chunks. An event that the end
//! of the stream leaves unfinished is dropped, as the standard says. Data stays bytes: whether it is UTF-8 is for the
//! JSON parser to refuse, not for us to repair.
//!
//! Events are read out of the bytes only as they are asked for: what waits is the bytes that were fed, never a queue of
//! events, each of which takes many times the two or three bytes that a hostile server spends on it.

use bytes::{Buf, BytesMut};
use std::{sync::Arc, time::Duration};

/// Longest id that is taken, in bytes. It goes back in a header (`Last-Event-ID`), for which servers have little room.
/// A longer one is ignored as one with a NUL is: the stream and its answer are still good, only a reconnect
/// begins at an earlier event.
pub const MAX_EVENT_ID_BYTES: usize = 1024;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The `event` field; `message` when there was none.
    pub kind: String,
    /// The data lines, joined by line feeds. Empty for MCP's priming event.
    pub data: Vec<u8>,
    /// The last `id` up to here, of this event or an earlier one.
    pub last_id: Option<Arc<str>>,
}

/// An event is larger than the decoder's limit. The stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than {limit} bytes")]
pub struct EventTooLarge {
    /// In bytes.
    pub limit: usize,
}

/// An incremental decoder. Feed it a chunk, take events until there is none, then feed it the next.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    /// Fed and not read yet.
    unread: BytesMut,
    line: Vec<u8>,
    data: Vec<u8>,
    kind: Vec<u8>,
    last_id: Option<Arc<str>>,
    retry: Option<Duration>,
    after_cr: LineFeed,
    lines: Lines,
    failed: Option<EventTooLarge>,
}

/// What a line feed means here.
#[derive(Debug, PartialEq, Eq)]
enum LineFeed {
    EndsLine,
    BelongsToCarriageReturn,
}

/// Whether a line was read yet: the first may begin with a byte order mark.
#[derive(Debug, PartialEq, Eq)]
enum Lines {
    First,
    Later,
}

impl Decoder {
    /// A decoder that holds at most about `limit` bytes of one event, and besides only what was fed and not read yet.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            unread: BytesMut::new(),
            line: Vec::new(),
            data: Vec::new(),
            kind: Vec::new(),
            last_id: None,
            retry: None,
            after_cr: LineFeed::EndsLine,
            lines: Lines::First,
            failed: None,
        }
    }

    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.failed.is_none() {
            self.unread.extend_from_slice(chunk);
        }
    }

    /// The next whole event; `None` once all that was fed is read.
    ///
    /// # Errors
    /// After the events before it, when an event exceeds the limit; from then on always.
    pub fn next_event(&mut self) -> Result<Option<Event>, EventTooLarge> {
        let mut rest = std::mem::take(&mut self.unread);
        let mut event = None;
        while event.is_none() && self.failed.is_none() && !rest.is_empty() {
            event = self.read_line(&mut rest);
        }
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.unread = rest;
        Ok(event)
    }

    /// Reads to the end of the line, or of the bytes.
    fn read_line(&mut self, rest: &mut BytesMut) -> Option<Event> {
        if std::mem::replace(&mut self.after_cr, LineFeed::EndsLine) == LineFeed::BelongsToCarriageReturn
            && rest.first() == Some(&b'\n')
        {
            rest.advance(1);
            return None;
        }
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let ending = end.and_then(|end| rest.get(end).copied());
        let line = end.unwrap_or(rest.len());
        self.extend_line(&rest[..line]);
        rest.advance(line + usize::from(ending.is_some()));
        if ending == Some(b'\r') {
            self.after_cr = LineFeed::BelongsToCarriageReturn;
        }
        ending.and_then(|_| self.end_line())
    }

    /// The last `id` of what was read so far, also of a block without data: what `Last-Event-ID` must say on reconnecting.
    pub fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// How long to wait before reconnecting, once the server has said so.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    fn extend_line(&mut self, bytes: &[u8]) {
        if self.line.len() + bytes.len() + self.data.len() + self.kind.len() > self.limit {
            self.failed = Some(EventTooLarge { limit: self.limit });
            self.line = Vec::new();
            self.data = Vec::new();
            self.kind = Vec::new();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self) -> Option<Event> {
        if self.failed.is_some() {
            return None;
        }
        let mut line = std::mem::take(&mut self.line);
        if self.lines == Lines::First {
            self.lines = Lines::Later;
            if line.starts_with(b"\xef\xbb\xbf") {
                line.drain(..3);
            }
        }
        let event = if line.is_empty() {
            self.dispatch()
        } else {
            self.field(&line);
            None
        };
        line.clear();
        self.line = line;
        event
    }

    fn field(&mut self, line: &[u8]) {
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => {
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            }
            b"event" => self.kind = value.to_vec(),
            b"id" if value.len() <= MAX_EVENT_ID_BYTES && !value.contains(&0) => {
                self.last_id = Some(String::from_utf8_lossy(value).into());
            }
            b"retry" => self.retry = milliseconds(value).or(self.retry),
            // A comment (the name is empty) or a field that the standard does not know.
            _ => {}
        }
    }

    fn dispatch(&mut self) -> Option<Event> {
        let kind = std::mem::take(&mut self.kind);
        let mut data = std::mem::take(&mut self.data);
        data.pop()?;
        let kind =
            if kind.is_empty() { "message".into() } else { String::from_utf8_lossy(&kind).into_owned() };
        Some(Event { kind, data, last_id: self.last_id.clone() })
    }
}

fn milliseconds(value: &[u8]) -> Option<Duration> {
    let digits =
        std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok().map(Duration::from_millis)
}
