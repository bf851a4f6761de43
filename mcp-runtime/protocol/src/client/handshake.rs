//! What a server says of itself: the results of `initialize` and `server/discover`.

use super::ReplyError;
use crate::{
    Era, Revision, ServerCapabilities,
    answer::Keeps,
    json::{Members, is_object, string},
    server::key,
};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The result of `initialize`.
#[derive(Clone, Debug)]
pub struct InitializeReply<'a> {
    /// What the server wants to speak.
    pub revision: Revision,
    /// An object.
    pub capabilities: &'a RawValue,
    /// The same, read.
    pub offers: ServerCapabilities,
    /// An object.
    pub server_info: Option<&'a RawValue>,
    /// Guidance for models.
    pub instructions: Option<Cow<'a, str>>,
}

impl<'a> InitializeReply<'a> {
    /// Reads it.
    ///
    /// # Errors
    /// When the revision is unknown or not spoken here ("If the client does not support the version in the server's
    /// response, it SHOULD disconnect", 2025-11-25, lifecycle), or a member is missing.
    pub fn read(result: &'a RawValue) -> Result<Self, ReplyError> {
        let members = Members::read(result).ok_or(ReplyError::Member("result"))?;
        let version = members.get("protocolVersion").and_then(string);
        let revision = version.and_then(|version| Revision::parse(&version));
        let revision = revision.filter(|revision| revision.era() == Era::Legacy);
        let capabilities = members.get("capabilities").filter(|value| is_object(value));
        let capabilities = capabilities.ok_or(ReplyError::Member("capabilities"));
        Ok(Self {
            revision: revision.ok_or(ReplyError::Member("protocolVersion"))?,
            capabilities: capabilities.clone()?,
            offers: ServerCapabilities::read(capabilities?),
            server_info: members.get_some("serverInfo"),
            instructions: members.get_some("instructions").and_then(string),
        })
    }
}

/// The result of `server/discover`, as [`super::Probe::Modern`] holds it.
#[derive(Clone, Debug)]
pub struct DiscoverReply<'a> {
    /// An object.
    pub capabilities: &'a RawValue,
    /// The same, read.
    pub offers: ServerCapabilities,
    /// An object, from `_meta`.
    pub server_info: Option<&'a RawValue>,
    /// Guidance for models.
    pub instructions: Option<Cow<'a, str>>,
    /// How long it may be kept, in ms.
    pub ttl_ms: Option<u64>,
    /// Whether it is better spoken to in sessions.
    pub keeps: Keeps,
}

impl<'a> DiscoverReply<'a> {
    /// Reads it.
    ///
    /// # Errors
    /// When it has no capabilities.
    pub fn read(result: &'a RawValue) -> Result<Self, ReplyError> {
        let members = Members::read(result).ok_or(ReplyError::Member("result"))?;
        let capabilities = members.get("capabilities").filter(|value| is_object(value));
        let capabilities = capabilities.ok_or(ReplyError::Member("capabilities"))?;
        let meta = members.get("_meta").and_then(Members::read).unwrap_or_default();
        Ok(Self {
            capabilities,
            offers: ServerCapabilities::read(capabilities),
            server_info: meta.get_some(key::SERVER_INFO),
            instructions: members.get_some("instructions").and_then(string),
            keeps: match meta.get(key::SESSIONS).map(RawValue::get) {
                Some("true") => Keeps::Sessions,
                _ => Keeps::Nothing,
            },
            ttl_ms: members.get_some("ttlMs").and_then(|ttl| serde_json::from_str(ttl.get()).ok()),
        })
    }
}
