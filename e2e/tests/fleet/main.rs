//! What the product promises to whoever applies a fleet, on a real Kubernetes, through the doors of a user.
//! Each test has a namespace of its own; all run side by side.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

mod admission;
mod autoscaling;
mod bad_input;
mod children;
mod live;
mod programs;
mod readiness;
mod references;
mod replicas;
mod rollout;
mod shop;
mod support;
