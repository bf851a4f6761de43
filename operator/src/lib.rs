//! The operator: keeps what runs in a cluster equal to what its McpServers, McpTools and ProviderRoutes say.
//!
//! Watches fill the [`world`]; changes put keys into a [`queue`]; each reconcile observes (reads the world),
//! plans (pure), applies what differs and reports status. [`leader`] sees to it that only one process does so.

pub mod admin;
pub mod autoscale;
pub mod certificates;
pub mod children;
pub mod client;
pub mod condition;
pub mod context;
pub mod diff;
pub mod error;
pub mod events;
pub mod fence;
pub mod fleet;
pub mod leader;
pub mod malformed;
pub mod member;
pub mod metrics;
pub mod queue;
pub mod report;
pub mod run;
pub mod server;
pub mod sessions;
pub mod settings;
pub mod watch;
pub mod worker;
pub mod world;

#[cfg(test)]
pub(crate) mod fixtures;
