//! The tables of `docs/autoscaling.md`.

use super::{Outcome, score::Score, trace::Trace};
use std::fmt::Write;

/// Before what is written here.
pub const BEGIN: &str = "<!-- written by `make simulate`: begin -->\n";
/// After it.
pub const END: &str = "<!-- end -->\n";

/// The page with its tables made anew; `None` when it has no markers.
pub fn renew(page: &str, outcomes: &[Outcome]) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{}{END}{after}", tables(outcomes)))
}

/// A section for each trace.
pub fn tables(outcomes: &[Outcome]) -> String {
    outcomes.iter().map(section).collect()
}

fn section(Outcome { trace, scores }: &Outcome) -> String {
    let mut text =
        format!("\n### {}\n\n{} ({} calls).\n\n", trace.name, sentence(trace.about), trace.calls.len());
    text.push_str("| | p50 wait | p99 wait | refused | pod-seconds / oracle | flips an hour | calls cut |\n");
    text.push_str("|---|---:|---:|---:|---:|---:|---:|\n");
    for score in scores {
        text.push_str(&row(trace, score));
    }
    // Writing into a String cannot fail.
    let _ = writeln!(text, "\n![Pods over time, {0}](autoscaling/{0}.svg)", trace.name);
    text
}

fn row(trace: &Trace, score: &Score) -> String {
    format!(
        "| {} | {} ms | {} ms | {:.2} % | {:.2} | {:.1} | {} |\n",
        score.scaler,
        score.wait(50).as_millis(),
        score.wait(99).as_millis(),
        score.refused_percent(trace),
        score.cost(trace),
        score.flips_an_hour(trace),
        score.cut,
    )
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
