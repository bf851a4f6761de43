//! What a legacy session has set.

use crate::bus::Watched;
use rmcp::model::LoggingLevel;
use std::sync::{Mutex, PoisonError};

/// The settings of one legacy session; a modern request has fresh ones, and does not use them.
pub(crate) struct Session {
    level: Mutex<LoggingLevel>,
    pub(crate) watched: Watched,
}

impl Default for Session {
    fn default() -> Self {
        Self { level: Mutex::new(LoggingLevel::Debug), watched: Watched::default() }
    }
}

impl Session {
    /// The least severe level that the client wants.
    pub(crate) fn level(&self) -> LoggingLevel {
        *self.level.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `logging/setLevel`.
    pub(crate) fn set_level(&self, level: LoggingLevel) {
        *self.level.lock().unwrap_or_else(PoisonError::into_inner) = level;
    }
}

/// The rank of a level (RFC 5424, the most severe highest).
pub(super) fn severity(level: LoggingLevel) -> u8 {
    match level {
        LoggingLevel::Debug => 0,
        LoggingLevel::Info => 1,
        LoggingLevel::Notice => 2,
        LoggingLevel::Warning => 3,
        LoggingLevel::Error => 4,
        LoggingLevel::Critical => 5,
        LoggingLevel::Alert => 6,
        LoggingLevel::Emergency => 7,
    }
}
