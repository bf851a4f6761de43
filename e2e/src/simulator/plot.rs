//! Pods over time as a small SVG: what the load needs as an area, each scaler as a line.

use super::{Outcome, scaler::target, score::Score, trace::Trace};
use std::{fmt::Write, time::Duration};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 36.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 22.0;
/// How many points the area has.
const POINTS: u32 = 180;
const COLOURS: [&str; 3] = ["#0b6e4f", "#c8553d", "#4464ad"];

/// Where numbers stand on the page.
struct Axes {
    seconds: f64,
    pods: f64,
}

impl Axes {
    fn x(&self, at: Duration) -> f64 {
        LEFT + at.as_secs_f64() / self.seconds * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, pods: f64) -> f64 {
        HEIGHT - BOTTOM - pods / self.pods * (HEIGHT - TOP - BOTTOM)
    }
}

/// The plot of one trace.
pub fn svg(Outcome { trace, scores }: &Outcome) -> String {
    let need = needed(trace);
    let most = scores.iter().flat_map(|score| &score.replicas).map(|(_, pods)| f64::from(*pods));
    let pods = most.chain(need.iter().copied()).fold(1.0, f64::max);
    let axes = Axes { seconds: trace.length.as_secs_f64(), pods: (pods / 5.0).ceil() * 5.0 };
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
    );
    text.push_str(&area(trace, &axes, &need));
    for (score, colour) in scores.iter().zip(COLOURS) {
        text.push_str(&steps(trace, &axes, score, colour));
    }
    text.push_str(&labels(trace, &axes, scores));
    text.push_str("</svg>\n");
    text
}

/// Pods that the calls of each part of the trace would keep at the target, had each run at once.
fn needed(trace: &Trace) -> Vec<f64> {
    let bucket = trace.length / POINTS;
    let mut busy = vec![0.0; usize::try_from(POINTS).unwrap_or_default()];
    for call in &trace.calls {
        let (start, end) = (call.at, call.at + call.service);
        let first = usize::try_from(start.as_millis() / bucket.as_millis().max(1)).unwrap_or(usize::MAX);
        let mut from = bucket * u32::try_from(first).unwrap_or(POINTS);
        for slot in busy.iter_mut().skip(first) {
            if from >= end {
                break;
            }
            *slot += (end.min(from + bucket)).saturating_sub(start.max(from)).as_secs_f64();
            from += bucket;
        }
    }
    busy.iter().map(|seconds| seconds / bucket.as_secs_f64() / target()).collect()
}

fn area(trace: &Trace, axes: &Axes, need: &[f64]) -> String {
    let mut points = format!("{:.1},{:.1}", axes.x(Duration::ZERO), axes.y(0.0));
    for (at, pods) in (0..POINTS).zip(need) {
        let _ = write!(points, " {:.1},{:.1}", axes.x(trace.length / POINTS * at), axes.y(*pods));
    }
    let _ = write!(points, " {:.1},{:.1}", axes.x(trace.length), axes.y(0.0));
    format!("<polygon points=\"{points}\" fill=\"#d9d9d9\"/>\n")
}

fn steps(trace: &Trace, axes: &Axes, score: &Score, colour: &str) -> String {
    let mut path = String::new();
    for (at, pods) in &score.replicas {
        let (x, y) = (axes.x(*at), axes.y(f64::from(*pods)));
        let _ = if path.is_empty() { write!(path, "M{x:.1} {y:.1}") } else { write!(path, "H{x:.1}V{y:.1}") };
    }
    let _ = write!(path, "H{:.1}", axes.x(trace.length));
    format!("<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\n")
}

fn labels(trace: &Trace, axes: &Axes, scores: &[Score]) -> String {
    let mut text = String::new();
    let mut x = LEFT;
    let scalers = scores.iter().map(|score| score.scaler).zip(COLOURS);
    for (name, colour) in scalers.chain([("what the load needs", "#8a8a8a")]) {
        let _ = writeln!(text, "<text x=\"{x}\" y=\"14\" fill=\"{colour}\">{name}</text>");
        x += 90.0;
    }
    for part in [0.0, 0.5, 1.0] {
        let pods = axes.pods * part;
        let y = axes.y(pods);
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{pods}</text>",
            LEFT - 6.0,
            y + 4.0
        );
        let _ = writeln!(
            text,
            "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{}\" y2=\"{y:.1}\" stroke=\"#bbb\" stroke-width=\"0.5\"/>",
            WIDTH - RIGHT
        );
    }
    let minutes = trace.length.as_secs() / 60;
    let (y, end) = (HEIGHT - 6.0, WIDTH - RIGHT);
    let _ = writeln!(text, "<text x=\"{LEFT}\" y=\"{y}\">0 min</text>");
    let _ = writeln!(text, "<text x=\"{end}\" y=\"{y}\" text-anchor=\"end\">{minutes} min</text>");
    text
}
