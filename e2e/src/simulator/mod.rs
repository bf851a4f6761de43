//! Autoscaling without a cluster: calls, pods and scalers on a virtual clock.
//!
//! [`trace`] makes calls, [`world`] runs them through [`pod`]s event by event, [`scaler`] says how many pods there
//! are: the operator's own code, and beside it the formulas of the HPA and of Knative. [`score`] counts what callers
//! and the bill saw, [`document`] and [`plot`] write it down. Seeds are fixed: the same code gives the same bytes.

pub mod document;
pub mod plot;
pub mod pod;
pub mod random;
pub mod scaler;
pub mod score;
pub mod trace;
pub mod world;

use score::Score;
use trace::Trace;

/// One trace, and how each scaler did on it.
#[derive(Debug)]
pub struct Outcome {
    /// What was asked.
    pub trace: Trace,
    /// How each scaler did.
    pub scores: Vec<Score>,
}

/// Runs every scaler on every trace.
pub fn run() -> Vec<Outcome> {
    trace::all().into_iter().map(run_trace).collect()
}

/// Runs every scaler on one trace.
pub fn run_trace(trace: Trace) -> Outcome {
    let scores = scaler::all().into_iter().map(|scaler| world::World::new(&trace, scaler).run()).collect();
    Outcome { trace, scores }
}

#[cfg(test)]
mod tests;
