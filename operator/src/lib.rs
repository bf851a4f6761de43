//! The operator: keeps what runs in a cluster equal to what its McpServers, McpTools and ProviderRoutes say.
//!
//! Watches fill the [`world`]; changes put keys into a [`queue`]; each reconcile observes (reads the world),
//! plans (pure), applies what differs and reports status. [`leader`] sees to it that only one process does so.
pub mod children;
pub mod condition;
pub mod diff;
pub mod error;
pub mod fence;
pub mod queue;
pub mod settings;
pub mod world;
