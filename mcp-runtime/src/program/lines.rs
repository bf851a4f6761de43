//! Output cut into lines, none of which takes more memory than is granted.

use bytes::Bytes;
use std::io;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// A line of output.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// Without its end.
    Whole(Bytes),
    /// One that is longer than is granted; what lies between these was passed over.
    Cut {
        /// Its beginning.
        head: Bytes,
        /// Its end, of at most 256 bytes.
        tail: Bytes,
    },
}

/// Bytes that are kept of the end of a line that is too long.
pub(super) const TAIL: usize = 256;

/// Whether the line so far has lost something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Cut {
    #[default]
    No,
    Yes,
}

/// The lines of an output.
#[derive(Debug)]
pub struct Lines<R> {
    output: R,
    /// Bytes of a line that are kept.
    limit: usize,
    /// The line so far.
    line: Vec<u8>,
    /// The end of what did not fit into it.
    tail: Vec<u8>,
    cut: Cut,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Lines of at most `limit` bytes.
    pub fn new(output: R, limit: usize) -> Self {
        Self { output, limit, line: Vec::new(), tail: Vec::new(), cut: Cut::No }
    }

    /// The next line; `None` at the end. What has no end at the end is a line too. Cancel-safe.
    ///
    /// # Errors
    /// The output cannot be read.
    pub async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let piece = self.output.fill_buf().await?;
            if piece.is_empty() {
                return Ok((!self.line.is_empty()).then(|| self.take()));
            }
            let end = piece.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(piece.len());
            let fits = taken.min(self.limit - self.line.len());
            self.line.extend_from_slice(&piece[..fits]);
            if fits < taken {
                self.cut = Cut::Yes;
                keep_end(&mut self.tail, &piece[fits..taken]);
            }
            self.output.consume(end.map_or(taken, |end| end + 1));
            if end.is_some() {
                return Ok(Some(self.take()));
            }
        }
    }

    fn take(&mut self) -> Line {
        let line = Bytes::from(std::mem::take(&mut self.line));
        match std::mem::take(&mut self.cut) {
            Cut::No => Line::Whole(line),
            Cut::Yes => Line::Cut { head: line, tail: std::mem::take(&mut self.tail).into() },
        }
    }
}

fn keep_end(tail: &mut Vec<u8>, more: &[u8]) {
    tail.extend_from_slice(&more[more.len().saturating_sub(TAIL)..]);
    tail.drain(..tail.len().saturating_sub(TAIL));
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::BufReader;

    #[tokio::test]
    async fn lines_are_cut_and_long_ones_passed_over() {
        let input = b"one\n\n\xff\nfour \nfive and more\nlast".as_slice();
        for room in [1, 3, 1024] {
            let mut lines = Lines::new(BufReader::with_capacity(room, input), 5);
            let mut seen = Vec::new();
            while let Some(line) = lines.next().await.unwrap() {
                seen.push(line);
            }
            let whole = |text: &'static [u8]| Line::Whole(Bytes::from_static(text));
            let cut = Line::Cut { head: Bytes::from_static(b"five "), tail: Bytes::from_static(b"and more") };
            assert_eq!(
                seen,
                [whole(b"one"), whole(b""), whole(b"\xff"), whole(b"four "), cut, whole(b"last")]
            );
        }
    }
}
