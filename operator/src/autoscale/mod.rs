//! How many pods a server needs, by what its pods report. See docs/autoscaling.md.
//!
//! [`history`] remembers, [`recommend`] decides and [`victims`] chooses (all pure: no clock, no I/O; the simulator drives
//! the same code), [`act`] says what follows, [`scaler`] does it.

pub mod act;
pub mod history;
pub mod load;
pub mod recommend;
pub mod scaler;
pub mod victims;

#[cfg(test)]
mod tests;

pub use history::History;
pub use recommend::{Policy, Reason, Recommendation, recommend};
pub use scaler::{Activity, Autoscaler, run};
