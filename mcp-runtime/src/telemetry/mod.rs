//! What the runtime says about itself: Prometheus metrics and structured logs. Never arguments, never secrets.

mod logs;
mod metrics;
mod tool;
mod upstream;

pub use logs::init as init_logs;
pub use metrics::{AdmissionMetrics, HttpRoute, Metrics};
pub use tool::{CallTimer, MODELS, OTHER, ToolMetrics};
