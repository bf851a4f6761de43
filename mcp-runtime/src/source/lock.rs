//! `mcpfleet.lock`: the definitions of upstreams' tools that were approved, beside the manifests of a directory.
//!
//! For upstreams with `pinning: Strict`: it pins those that have no pins of their own, and shows what has changed of those
//! that have. JSON, sorted, so that a change of it reads well in a review; written by `mcp-runtime pin --write`. A cluster
//! knows nothing of it: there pins stand in the spec.

use mcpfleet_config::{RuntimeConfig, UpstreamTools, pin::DefinitionHash, upstream_tools::MAX_PINS};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Name of the file.
pub const NAME: &str = "mcpfleet.lock";
/// Reason of a problem with it.
pub const UNUSABLE: &str = "LockUnusable";
/// Version of its form.
const VERSION: u32 = 1;
/// Largest file, in bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    version: u32,
    /// By `namespace/name`, and then by upstream.
    pub servers: BTreeMap<String, BTreeMap<String, Tools>>,
}

/// Approved tools of an upstream, by its names of them.
pub type Tools = BTreeMap<String, Locked>;

/// An approved definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// Its hash, as pins are written.
    pub hash: String,
    /// The whole, as the upstream gave it.
    pub definition: Map<String, Value>,
}

impl Default for Lock {
    fn default() -> Self {
        Self { version: VERSION, servers: BTreeMap::new() }
    }
}

impl Locked {
    /// Approves a definition.
    pub fn new(definition: Map<String, Value>) -> Self {
        Self { hash: DefinitionHash::of(&definition).to_string(), definition }
    }

    fn is_whole(&self) -> bool {
        self.hash.parse::<DefinitionHash>().is_ok_and(|hash| hash.fits(&DefinitionHash::of(&self.definition)))
    }
}

impl Lock {
    /// Where the file of a directory is.
    pub fn path(dir: &Path) -> PathBuf {
        dir.join(NAME)
    }

    /// Reads the file of a directory; `None` when there is none. Blocking.
    ///
    /// # Errors
    /// Why it cannot be used: unreadable, of another version, changed by hand.
    pub fn read(dir: &Path) -> Result<Option<Self>, String> {
        let path = Self::path(dir);
        let size = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot be read: {error}")),
        };
        if size > MAX_BYTES {
            return Err(format!("has {size} bytes; {MAX_BYTES} is the most"));
        }
        let text = fs::read_to_string(&path).map_err(|error| format!("cannot be read: {error}"))?;
        Self::parse(&text).map(Some)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let lock: Self = serde_json::from_str(text).map_err(|error| format!("is no lock file: {error}"))?;
        if lock.version != VERSION {
            return Err(format!("has version {}; {VERSION} is the only one that is known", lock.version));
        }
        for (server, upstreams) in &lock.servers {
            for (upstream, tools) in upstreams {
                if tools.len() > MAX_PINS {
                    return Err(format!("{server}, upstream {upstream}: more than {MAX_PINS} tools"));
                }
                if let Some((tool, _)) = tools.iter().find(|(_, locked)| !locked.is_whole()) {
                    let place = format!("{server}, upstream {upstream}, tool {tool:?}");
                    return Err(format!("{place}: the hash is not that of the definition beside it"));
                }
            }
        }
        Ok(lock)
    }

    /// Writes the file of a directory, at once. Blocking.
    ///
    /// # Errors
    /// When the directory cannot be written to.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        let draft = dir.join(format!(".{NAME}"));
        fs::write(&draft, format!("{text}\n"))?;
        fs::rename(draft, Self::path(dir))
    }

    /// Pins what has no pins of its own, and adds the texts of what has. Returns the upstreams that are pinned by it alone.
    pub fn apply(&self, config: &mut RuntimeConfig) -> Vec<String> {
        let Some(locked) = self.servers.get(&config.server.to_string()) else { return Vec::new() };
        let mut pinned = Vec::new();
        for upstream in &mut config.upstreams {
            let Some(tools) = locked.get(&upstream.name) else { continue };
            if needs_pins(&upstream.tools) && !tools.is_empty() {
                let pins = tools.iter().map(|(tool, locked)| (tool.clone(), locked.hash.clone()));
                upstream.tools.pins = Some(pins.collect());
                pinned.push(upstream.name.clone());
            }
            let Some(pins) = &upstream.tools.pins else { continue };
            let fitting = tools.iter().filter(|(tool, locked)| pins.get(*tool) == Some(&locked.hash));
            upstream.tools.approved =
                fitting.map(|(tool, locked)| (tool.clone(), locked.definition.clone())).collect();
        }
        pinned
    }
}

/// Whether definitions are to be pinned and none is.
pub fn needs_pins(tools: &UpstreamTools) -> bool {
    tools.pins.as_ref().is_some_and(BTreeMap::is_empty)
}

#[cfg(test)]
mod tests;
