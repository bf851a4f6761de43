//! Who is let in.

use super::{
    Principal,
    challenge::{Challenge, Kind},
    keys::{EntryError, Keyring, Refused as KeyRefused},
    oauth::{Issuers, Refused as TokenRefused},
    presented::{Presented, presented},
    resource::{Resource, is_root, is_well_known},
};
use crate::{credentials::Credentials, egress::Egress};
use http::HeaderMap;
use jiff::Timestamp;
use mcpfleet_config::{Access, RuntimeConfig, Strangers};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// When to ask again while an issuer's keys cannot be had, in seconds.
const RETRY_AFTER: u32 = 5;

/// The door of one server, under one configuration and its secrets.
#[derive(Debug, Default)]
pub struct Gatekeeper {
    /// Absent where anybody may enter.
    guard: Option<Guard>,
}

#[derive(Debug)]
struct Guard {
    strangers: Strangers,
    issuers: Option<Issuers>,
    keys: Option<Keyring>,
    unusable_keys: BTreeMap<String, EntryError>,
    resource: Option<Resource>,
    /// All that any tool needs, sorted.
    scopes: Vec<String>,
}

impl Gatekeeper {
    /// The door that `config` asks for. What `before` has fetched of the same issuers is taken over.
    pub fn new(
        config: &RuntimeConfig,
        credentials: &Credentials,
        egress: &Egress,
        before: Option<&Self>,
    ) -> Self {
        let Access::Restricted(access) = &config.access else { return Self::default() };
        let (keys, unusable_keys) = Keyring::read(credentials.keys());
        let scopes = all_scopes(config);
        let known = before.and_then(|before| before.guard.as_ref()?.issuers.as_ref());
        let issuers = (!access.issuers.is_empty()).then(|| Issuers::new(&access.issuers, egress, known));
        let guard = Guard {
            strangers: access.strangers,
            issuers,
            keys: access.keys.is_some().then_some(keys),
            unusable_keys,
            resource: Resource::of(access, &config.server.to_string(), &scopes),
            scopes,
        };
        Self { guard: Some(guard) }
    }

    /// Begins to fetch what the first callers will need. Must be called on a tokio runtime.
    pub fn warm_up(&self) {
        if let Some(issuers) = self.guard.as_ref().and_then(|guard| guard.issuers.as_ref()) {
            issuers.warm_up();
        }
    }

    /// Whether everybody is the same here.
    pub fn is_open(&self) -> bool {
        self.guard.is_none()
    }

    /// Who calls. To be asked before anything else is done for a request.
    ///
    /// # Errors
    /// What the caller is to be told.
    pub async fn admit(&self, headers: &HeaderMap) -> Result<Arc<Principal>, Challenge> {
        let Some(guard) = &self.guard else { return Ok(Principal::anonymous()) };
        let Ok(presented) = presented(headers) else {
            let why =
                "the request has two credentials that disagree: send one, in Authorization or in x-api-key";
            return Err(guard.challenge(Kind::InvalidRequest, why));
        };
        match (presented, &guard.keys, &guard.issuers) {
            (Presented::Nothing, ..) if guard.strangers == Strangers::Admitted => Ok(Principal::anonymous()),
            (Presented::Nothing, ..) => Err(guard.challenge(Kind::NoCredential, guard.way_in())),
            (Presented::Key(key), Some(keyring), _) => {
                keyring.find(key, Timestamp::now()).map_err(|why| guard.refuse_key(why))
            }
            (Presented::Token(token), _, Some(issuers)) => {
                issuers.verify(token).await.map_err(|why| guard.refuse_token(why))
            }
            (Presented::Key(_), None, _) => {
                Err(guard.challenge(Kind::InvalidToken, "keys are not taken here; connect with OAuth"))
            }
            (Presented::Token(_), _, None) => {
                Err(guard
                    .challenge(Kind::InvalidToken, "this is no key, and access tokens are not taken here"))
            }
            (Presented::Foreign, ..) => {
                let why = "the credential is no bearer token of at most 8 KiB";
                Err(guard.challenge(Kind::InvalidToken, why))
            }
        }
    }

    /// What a caller is told who lacks scopes: all that are needed, not only those that lack. One without a credential is
    /// asked for one first (RFC 6750, section 3.1).
    pub fn insufficient_scope(&self, principal: &Principal, needed: &[String]) -> Challenge {
        let kind = if principal.is_anonymous() { Kind::NoCredential } else { Kind::InsufficientScope };
        let message = format!("this needs the scopes {}", needed.join(" "));
        let metadata = self.guard.as_ref().and_then(Guard::metadata_url);
        Challenge { kind, message, metadata, scopes: needed.to_vec() }
    }

    /// Entries of the keys' Secret that open nothing, by name.
    pub fn unusable_keys(&self) -> impl Iterator<Item = (&str, &EntryError)> {
        let entries = self.guard.iter().flat_map(|guard| &guard.unusable_keys);
        entries.map(|(name, why)| (name.as_str(), why))
    }

    /// The metadata document that this server has for a path, and how well it fits.
    pub fn metadata(&self, host: &str, path: &str) -> Option<(Fit, &str)> {
        let resource = self.guard.as_ref()?.resource.as_ref()?;
        let fit = match path {
            path if !is_well_known(path) => return None,
            path if resource.is_at(host, path) => Fit::Exact,
            path if resource.is_below(path) => Fit::Path,
            path if is_root(path) => Fit::Root,
            _ => return None,
        };
        Some((fit, &resource.document))
    }
}

/// How well a metadata document fits what was asked for; the best comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Host and path of the resource.
    Exact,
    /// Its path; the host may be a proxy's.
    Path,
    /// No path: any resource that there is, as long as there is only one.
    Root,
}

impl Fit {
    /// Whether it speaks of one server also where there are several.
    pub fn is_unambiguous(self) -> bool {
        self != Self::Root
    }
}

impl Guard {
    fn challenge(&self, kind: Kind, message: impl Into<String>) -> Challenge {
        Challenge {
            kind,
            message: message.into(),
            metadata: self.metadata_url(),
            scopes: self.scopes.clone(),
        }
    }

    fn metadata_url(&self) -> Option<String> {
        self.resource.as_ref().map(|resource| resource.metadata_url.clone())
    }

    fn way_in(&self) -> &'static str {
        match (&self.issuers, &self.keys) {
            (Some(_), Some(_)) => "connect with OAuth, or send a key in Authorization: Bearer or x-api-key",
            (Some(_), None) => "connect with OAuth: the WWW-Authenticate header says where",
            (None, _) => "send a key in Authorization: Bearer or x-api-key",
        }
    }

    fn refuse_key(&self, why: KeyRefused) -> Challenge {
        let message = match why {
            KeyRefused::Unknown => "the key is unknown",
            KeyRefused::Expired => "the key has expired; ask for a new one",
        };
        self.challenge(Kind::InvalidToken, message)
    }

    fn refuse_token(&self, why: TokenRefused) -> Challenge {
        match why {
            TokenRefused::Token(error) => {
                self.challenge(Kind::InvalidToken, format!("the access token is refused: {error}"))
            }
            TokenRefused::Unavailable { issuer } => {
                let message = format!(
                    "the keys of issuer {issuer} cannot be had now, so that nobody can tell whether the token is good; try \
                     again in {RETRY_AFTER} s"
                );
                self.challenge(Kind::Unavailable(RETRY_AFTER), message)
            }
        }
    }
}

fn all_scopes(config: &RuntimeConfig) -> Vec<String> {
    let tools = config.tools.iter().flat_map(|tool| &tool.scopes);
    let upstreams = config.upstreams.iter().flat_map(|upstream| &upstream.scopes);
    let prompts = config.prompts.iter().flat_map(|prompt| &prompt.scopes);
    let resources = config.resources.iter().flat_map(|resource| &resource.scopes);
    let all: BTreeSet<&String> = tools.chain(upstreams).chain(prompts).chain(resources).collect();
    all.into_iter().cloned().collect()
}
