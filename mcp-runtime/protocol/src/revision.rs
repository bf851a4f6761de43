//! Revisions of the protocol and their two eras (2026-07-28, versioning, "Terminology").

use std::fmt;

/// How a revision carries version, identity and capabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Era {
    /// By an `initialize` handshake and a session: 2025-11-25 and earlier.
    Legacy,
    /// By `_meta` of each request, without a session: 2026-07-28 and later.
    Modern,
}

impl Era {
    /// A name for metric labels and logs.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Modern => "modern",
        }
    }

    /// Its newest revision that is served.
    pub const fn latest(self) -> Revision {
        match self {
            Self::Legacy => Revision::LATEST_LEGACY,
            Self::Modern => Revision::LATEST_MODERN,
        }
    }
}

/// A published revision. The order is that of publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// 2024-11-05, HTTP+SSE.
    V2024_11_05,
    /// 2025-03-26: Streamable HTTP, batches, audio, tool annotations.
    V2025_03_26,
    /// 2025-06-18: no batches; structured results, resource links, titles, elicitation.
    V2025_06_18,
    /// 2025-11-25, the last legacy revision: icons, elicitation by URL, sampling with tools.
    V2025_11_25,
    /// 2026-07-28, the first modern revision.
    V2026_07_28,
}

impl Revision {
    /// Every known revision, oldest first.
    pub const KNOWN: [Self; 5] =
        [Self::V2024_11_05, Self::V2025_03_26, Self::V2025_06_18, Self::V2025_11_25, Self::V2026_07_28];
    /// What this crate speaks, newest first: the list that `server/discover` and
    /// `UnsupportedProtocolVersion` give.
    pub const SERVED: [Self; 5] =
        [Self::V2026_07_28, Self::V2025_11_25, Self::V2025_06_18, Self::V2025_03_26, Self::V2024_11_05];
    /// The newest legacy revision that is served: the answer to an `initialize` that asks for another.
    pub const LATEST_LEGACY: Self = Self::V2025_11_25;
    /// What a legacy message without `MCP-Protocol-Version` counts as when no session says otherwise
    /// (2025-06-18, transports, "Protocol Version Header").
    pub const WITHOUT_HEADER: Self = Self::V2025_03_26;
    /// The only revision with JSON-RPC batches.
    pub const WITH_BATCHES: Self = Self::V2025_03_26;
    /// The newest modern revision that is served.
    pub const LATEST_MODERN: Self = Self::V2026_07_28;

    /// The date on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The revision of exactly this name, or `None` for an unknown one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::KNOWN.into_iter().find(|revision| revision.as_str() == text)
    }

    /// Which era it belongs to.
    pub const fn era(self) -> Era {
        match self {
            Self::V2024_11_05 | Self::V2025_03_26 | Self::V2025_06_18 | Self::V2025_11_25 => Era::Legacy,
            Self::V2026_07_28 => Era::Modern,
        }
    }

    /// Whether this crate speaks it.
    pub fn is_served(self) -> bool {
        Self::SERVED.contains(&self)
    }

    /// What an `initialize` that asks for `requested` is answered with: the same when it is served and legacy,
    /// otherwise the latest that is (2025-11-25, lifecycle, "Version Negotiation").
    pub fn negotiate(requested: &str) -> Self {
        Self::parse(requested)
            .filter(|revision| revision.is_served() && revision.era() == Era::Legacy)
            .unwrap_or(Self::LATEST_LEGACY)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether `version` is a date of the modern era, known or yet to come.
///
/// Only `YYYY-MM-DD` compares by text; anything else, such as `latest`, is nobody's version and thus not modern.
pub fn names_modern_era(version: &str) -> bool {
    is_date(version) && version >= Revision::V2026_07_28.as_str()
}

/// The served revisions as one line for messages.
pub(crate) fn served_list() -> String {
    Revision::SERVED.map(Revision::as_str).join(", ")
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}
