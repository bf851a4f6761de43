//! The custom resources of mcpfleet, and what they mean: [`v1alpha1`] is what users write,
//! [`compile`](compile::compile) turns it into what a runtime serves.

pub mod compile;
pub mod crd;
pub mod foreign;
pub mod reference;
pub mod v1alpha1;

pub use compile::compile;
