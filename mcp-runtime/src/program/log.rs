//! What a program writes to standard error goes to our log, as much of it as a log can bear.

use super::lines::{Line, Lines};
use std::time::Duration;
use tokio::{
    io::{AsyncRead, BufReader},
    time::Instant,
};

/// Bytes of a line that are kept.
const MAX_LINE: usize = 2_048;
/// Lines at once.
const BURST: u32 = 100;
/// After them, how long one more has to wait.
const PAUSE: Duration = Duration::from_millis(100);

/// How many more lines a log can bear.
#[derive(Debug)]
pub(super) struct Allowance {
    left: u32,
    since: Instant,
    /// Lines that were left out since the last that was let through.
    left_out: u64,
}

impl Allowance {
    pub(super) fn new() -> Self {
        Self { left: BURST, since: Instant::now(), left_out: 0 }
    }

    /// Whether a line is let through at `now`; if so, how many before it were not.
    pub(super) fn admit(&mut self, now: Instant) -> Option<u64> {
        let earned = now.duration_since(self.since).as_millis() / PAUSE.as_millis();
        if let Ok(earned @ 1..) = u32::try_from(earned) {
            self.left = self.left.saturating_add(earned).min(BURST);
            self.since = now;
        }
        if self.left == 0 {
            self.left_out += 1;
            return None;
        }
        self.left -= 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

/// Reads to the end, and never lets the program wait.
pub(super) async fn follow(upstream: String, errors: impl AsyncRead + Unpin) {
    let mut lines = Lines::new(BufReader::new(errors), MAX_LINE);
    let mut allowance = Allowance::new();
    while let Ok(Some(Line::Whole(line) | Line::Cut { head: line, .. })) = lines.next().await {
        let Some(left_out) = allowance.admit(Instant::now()) else { continue };
        if left_out > 0 {
            tracing::warn!(upstream, left_out, "the program says more than the log takes");
        }
        let line = printable(&line);
        if !line.is_empty() {
            tracing::info!(upstream, line, "stderr");
        }
    }
}

/// Text without what moves a terminal.
pub(super) fn printable(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text.trim_end().chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_the_cut_is_told() {
        let mut allowance = Allowance::new();
        let now = Instant::now();
        let through = (0..1_000).filter(|_| allowance.admit(now).is_some()).count();
        assert_eq!(through, BURST as usize);
        assert_eq!(allowance.admit(now + PAUSE), Some(1_000 - u64::from(BURST)));
        assert_eq!(allowance.admit(now + PAUSE), None);
        assert_eq!(allowance.admit(now + Duration::from_hours(1)), Some(1));
    }

    #[test]
    fn a_line_moves_no_terminal() {
        assert_eq!(printable(b"\x1b[31mred\xff\r\n"), "\u{fffd}[31mred\u{fffd}");
    }
}
