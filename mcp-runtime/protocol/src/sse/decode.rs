//! From bytes to events.
//!
//! In: chunks of any size. Out: the same events for any way of cutting the stream into chunks. An event that the end
//! of the stream leaves unfinished is dropped, as the standard says. Data stays bytes: whether it is UTF-8 is for the
//! JSON parser to refuse, not for us to repair.

use std::{collections::VecDeque, time::Duration};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The `event` field; `message` when there was none.
    pub kind: String,
    /// The data lines, joined by line feeds. Empty for MCP's priming event.
    pub data: Vec<u8>,
    /// The last `id` up to here, of this event or an earlier one.
    pub last_id: Option<String>,
}

/// An event is larger than the decoder's limit. The stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than {limit} bytes")]
pub struct EventTooLarge {
    /// In bytes.
    pub limit: usize,
}

/// An incremental decoder. Feed it chunks, then take events until there is none.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    line: Vec<u8>,
    data: Vec<u8>,
    kind: Vec<u8>,
    last_id: Option<String>,
    retry: Option<Duration>,
    ready: VecDeque<Event>,
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
    /// A decoder that holds at most about `limit` bytes of one event.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            data: Vec::new(),
            kind: Vec::new(),
            last_id: None,
            retry: None,
            ready: VecDeque::new(),
            after_cr: LineFeed::EndsLine,
            lines: Lines::First,
            failed: None,
        }
    }

    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while self.failed.is_none() && !rest.is_empty() {
            if self.after_cr == LineFeed::BelongsToCarriageReturn {
                self.after_cr = LineFeed::EndsLine;
                if let Some(tail) = rest.strip_prefix(b"\n") {
                    rest = tail;
                    continue;
                }
            }
            let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let (line, tail) = rest.split_at(end.unwrap_or(rest.len()));
            self.extend_line(line);
            if let Some((ending, tail)) = tail.split_first() {
                if *ending == b'\r' {
                    self.after_cr = LineFeed::BelongsToCarriageReturn;
                }
                self.end_line();
                rest = tail;
            } else {
                rest = tail;
            }
        }
    }

    /// The next whole event.
    ///
    /// # Errors
    /// After the events before it, when an event exceeds the limit; from then on always.
    pub fn next_event(&mut self) -> Result<Option<Event>, EventTooLarge> {
        match (self.ready.pop_front(), self.failed) {
            (Some(event), _) => Ok(Some(event)),
            (None, Some(error)) => Err(error),
            (None, None) => Ok(None),
        }
    }

    /// The last `id`, also of a block without data: what `Last-Event-ID` must say on reconnecting.
    pub fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// How long to wait before reconnecting, once the server has said so.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    fn extend_line(&mut self, bytes: &[u8]) {
        if self.line.len() + bytes.len() + self.data.len() > self.limit {
            self.failed = Some(EventTooLarge { limit: self.limit });
            self.line = Vec::new();
            self.data = Vec::new();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self) {
        if self.failed.is_some() {
            return;
        }
        let mut line = std::mem::take(&mut self.line);
        if self.lines == Lines::First {
            self.lines = Lines::Later;
            if line.starts_with(b"\xef\xbb\xbf") {
                line.drain(..3);
            }
        }
        if line.is_empty() {
            self.dispatch();
        } else {
            self.field(&line);
        }
        line.clear();
        self.line = line;
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
            b"id" if !value.contains(&0) => self.last_id = Some(String::from_utf8_lossy(value).into_owned()),
            b"retry" => self.retry = milliseconds(value).or(self.retry),
            // A comment (the name is empty) or a field that the standard does not know.
            _ => {}
        }
    }

    fn dispatch(&mut self) {
        let kind = std::mem::take(&mut self.kind);
        let mut data = std::mem::take(&mut self.data);
        if data.pop().is_none() {
            return;
        }
        let kind =
            if kind.is_empty() { "message".into() } else { String::from_utf8_lossy(&kind).into_owned() };
        self.ready.push_back(Event { kind, data, last_id: self.last_id.clone() });
    }
}

fn milliseconds(value: &[u8]) -> Option<Duration> {
    let digits =
        std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok().map(Duration::from_millis)
}
