//! Other servers that this one lists to callers whom they would let in. Format 4.

use crate::{Access, Invalid, Strangers};
use serde::{Deserialize, Serialize};

/// Most neighbours of one server.
pub const MAX_NEIGHBOURS: usize = 500;

/// A server elsewhere, and the least that tells who may know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Neighbour {
    /// `namespace/name`.
    pub name: String,
    /// Its MCP endpoint.
    pub url: String,
    /// Whether it serves callers without a credential.
    pub strangers: Strangers,
    /// Tokens that it takes; a key of its own cannot be judged elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<Admitted>,
}

/// Tokens that a neighbour takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Admitted {
    /// `iss`.
    pub issuer: String,
    /// Values of `aud` of which a token must have one.
    pub audiences: Vec<String>,
    /// Claims that a token must have, sorted.
    pub claims: Vec<String>,
}

impl Neighbour {
    /// A neighbour with this door.
    pub fn new(name: String, url: String, access: &Access) -> Self {
        let (strangers, issuers) = match access {
            Access::Anonymous => (Strangers::Admitted, Vec::new()),
            Access::Restricted(restricted) => {
                let admitted = restricted.issuers.iter().map(|issuer| {
                    let optional = [&issuer.tenant_claim, &issuer.agent_claim];
                    let optional = optional.into_iter().flatten().cloned();
                    let mut claims: Vec<String> = optional.chain([issuer.user_claim.clone()]).collect();
                    claims.sort();
                    claims.dedup();
                    Admitted { issuer: issuer.issuer.clone(), audiences: issuer.audiences.clone(), claims }
                });
                (restricted.strangers, admitted.collect())
            }
        };
        Self { name, url, strangers, issuers }
    }

    /// Whether its URL is one that a client can use.
    pub fn can_be_reached(&self) -> bool {
        url::Url::parse(&self.url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
    }

    /// Whether it can be said of anybody that it would let them in.
    pub fn admits_anybody(&self) -> bool {
        self.strangers == Strangers::Admitted || !self.issuers.is_empty()
    }
}

/// The MCP endpoint of a server whose public URL is `url`, which may end with it or not.
pub fn mcp_endpoint(url: &str) -> String {
    let base = url.trim_end_matches('/');
    if base.ends_with("/mcp") { base.to_owned() } else { format!("{base}/mcp") }
}

/// What is wrong with a list of them.
pub(crate) fn check(neighbours: &[Neighbour]) -> Result<(), Invalid> {
    let refuse = |field: String, reason: &str| Err(Invalid { field, reason: reason.to_owned() });
    if neighbours.len() > MAX_NEIGHBOURS {
        return refuse("neighbours".into(), "has more than 500 servers");
    }
    for neighbour in neighbours {
        if !neighbour.can_be_reached() {
            return refuse(format!("neighbours[{}].url", neighbour.name), "is no http or https URL");
        }
    }
    Ok(())
}
