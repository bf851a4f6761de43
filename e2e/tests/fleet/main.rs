//! What the product promises to whoever applies a fleet, on a real Kubernetes, through the doors of a user.
//! Each test has a namespace of its own; all run side by side.

mod admission;
mod bad_input;
mod children;
mod readiness;
mod rollout;
mod support;
