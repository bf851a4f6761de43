//! What this process has to say of itself.

use super::operator::Token;
use crate::{admin::status, readiness::Readiness, transport::Shared};
use anyhow::Context;
use mcpfleet_config::{
    ServerName,
    stream::{Hello, Report, Signals, Up, codec},
};
use std::sync::Arc;
use tokio::time::Instant;

/// Looks at the process.
#[derive(Debug)]
pub struct Teller {
    /// What is served.
    pub shared: Arc<Shared>,
    /// Whether it can be reached.
    pub readiness: Arc<Readiness>,
    /// When the process began.
    pub started: Instant,
    /// Newest format of configurations that it reads.
    pub newest: u32,
}

impl Teller {
    /// The first two messages: who we are, and how. Gives the report too.
    ///
    /// # Errors
    /// When it is not known who we are.
    pub fn introduction(&self, token: &Token) -> anyhow::Result<(Vec<u8>, Report)> {
        let server = self.server().or_else(|| token.server());
        let server = server.context("neither a configuration nor the token says which server this is")?;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let peer = self.shared.peers.as_ref().map(|peers| peers.own_address());
        let mut lines = codec::line(&Up::Hello(Hello { server, format: self.newest, version, peer }))?;
        let status = Some(status::only(&self.shared, &self.readiness));
        let report = Report { status, signals: self.signals(Instant::now()) };
        lines.extend(codec::line(&Up::Report(Box::new(report.clone())))?);
        Ok((lines, report))
    }

    fn server(&self) -> Option<ServerName> {
        let servers = self.shared.fleet.all();
        servers.values().next().map(|server| server.snapshot().parts.config.server.clone())
    }

    /// The load as of `now`.
    pub fn signals(&self, now: Instant) -> Signals {
        let age = now.saturating_duration_since(self.started).as_millis();
        let serving = self.shared.retreat.serving();
        let uptime_ms = u64::try_from(age).unwrap_or(u64::MAX);
        match self.shared.fleet.all().values().next() {
            Some(server) => Signals {
                uptime_ms,
                serving,
                streams: server.streams.count(),
                max_streams: server.streams.max(),
                ..server.admission.signals(now)
            },
            None => Signals { uptime_ms, serving, ..Signals::default() },
        }
    }
}
