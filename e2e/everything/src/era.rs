//! Which revisions the server speaks.

use clap::ValueEnum;
use rmcp::model::ProtocolVersion;

/// The eras of the protocol that the server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Era {
    /// All revisions, told apart message by message.
    Both,
    /// As a server written before 2026-07-28: it knows neither `server/discover` nor the modern headers.
    Legacy,
    /// 2026-07-28 alone: no `initialize`, no sessions.
    Modern,
}

impl Era {
    /// The revisions that the server announces.
    pub fn versions(self) -> Vec<ProtocolVersion> {
        let legacy = |version: &ProtocolVersion| *version < ProtocolVersion::NO_INITIALIZE;
        let known = ProtocolVersion::KNOWN_VERSIONS.iter();
        known
            .filter(|version| match self {
                Self::Both => true,
                Self::Legacy => legacy(version),
                Self::Modern => !legacy(version),
            })
            .cloned()
            .collect()
    }
}
