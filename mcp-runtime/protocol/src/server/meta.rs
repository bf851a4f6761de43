//! `_meta` of a request.

use crate::{
    json::{Members, is_object, string},
    jsonrpc::Id,
};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Keys that the protocol reserves (2026-07-28, basic, "Per-request protocol fields").
pub mod key {
    /// Revision of this request. Required in the modern era.
    pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    /// Name and version of the client; never to be trusted.
    pub const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
    /// What the client can do, for this request. Required in the modern era.
    pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    /// Least severe log message that the client wants for this request; none without it.
    pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
    /// Name and version of the server, on results.
    pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
    /// Of the result of `server/discover`, ours: `true` when the server keeps something for each session of an earlier
    /// revision.
    pub const SESSIONS: &str = "dev.mcpfleet/sessions";
    /// Id of the `subscriptions/listen` request whose stream a message is on.
    pub const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
    /// Asks for progress notifications. Both eras.
    pub const PROGRESS_TOKEN: &str = "progressToken";
}

/// What `_meta` says. Keys that are not read here stay in `members`.
#[derive(Clone, Debug, Default)]
pub struct Meta<'a> {
    /// The whole object, to pass on.
    pub raw: Option<&'a RawValue>,
    /// Its members.
    pub members: Members<'a>,
    /// Goes back in each `notifications/progress`.
    pub progress_token: Option<Id<'a>>,
    /// An object with `name` and `version`; modern only.
    pub client_info: Option<&'a RawValue>,
    /// An object; always there on a modern request.
    pub client_capabilities: Option<&'a RawValue>,
    /// Modern only.
    pub log_level: Option<LogLevel>,
}

impl<'a> Meta<'a> {
    /// Reads `params._meta`.
    ///
    /// # Errors
    /// What is wrong with it, for the client's eyes.
    pub(crate) fn read(params: Option<&Members<'a>>) -> Result<Self, String> {
        let Some(raw) = params.and_then(|params| params.get_some("_meta")) else {
            return Ok(Self::default());
        };
        let members = Members::read(raw).ok_or("_meta must be an object")?;
        let progress_token = match members.get_some(key::PROGRESS_TOKEN) {
            Some(token) => Some(Id::read(token).ok_or("progressToken must be a string or an integer")?),
            None => None,
        };
        let log_level = match members.get_some(key::LOG_LEVEL) {
            Some(level) => Some(LogLevel::read(level).ok_or("logLevel is not one of the protocol's levels")?),
            None => None,
        };
        Ok(Self {
            raw: Some(raw),
            progress_token,
            client_info: object(&members, key::CLIENT_INFO)?,
            client_capabilities: object(&members, key::CLIENT_CAPABILITIES)?,
            log_level,
            members,
        })
    }

    /// The revision that the request claims; `None` when it claims none.
    ///
    /// # Errors
    /// When the claim is no string.
    pub(crate) fn claimed_version(&self) -> Result<Option<Cow<'a, str>>, String> {
        match self.members.get(key::PROTOCOL_VERSION) {
            None => Ok(None),
            Some(claim) => match string(claim) {
                Some(version) => Ok(Some(version)),
                None => Err(format!("{} must be a string", key::PROTOCOL_VERSION)),
            },
        }
    }
}

fn object<'a>(members: &Members<'a>, key: &str) -> Result<Option<&'a RawValue>, String> {
    match members.get(key) {
        Some(value) if !is_object(value) => Err(format!("{key} must be an object")),
        value => Ok(value),
    }
}

/// Severity of a log message, least first (RFC 5424, section 6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are the documentation of RFC 5424")]
pub enum LogLevel {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl LogLevel {
    const ALL: [Self; 8] = [
        Self::Debug,
        Self::Info,
        Self::Notice,
        Self::Warning,
        Self::Error,
        Self::Critical,
        Self::Alert,
        Self::Emergency,
    ];

    /// The level that `raw` names; `None` for anything else.
    pub fn read(raw: &RawValue) -> Option<Self> {
        let text = string(raw)?;
        Self::ALL.into_iter().find(|level| level.as_str() == text)
    }

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }
}
