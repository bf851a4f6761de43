//! Where configurations come from: one compiled file in a pod (and what its operator sent before, [`kept`]), a
//! directory of manifests on a laptop.
//!
//! In: a path. Out: [`Read`], what is declared there and what is wrong with it. Nothing here serves; [`crate::reload`]
//! decides what becomes of it.

pub mod check;
pub mod document;
pub mod file;
pub mod fingerprint;
pub mod given;
pub mod kept;
pub mod lock;
pub mod manifests;
pub mod problem;

use crate::{credentials, readiness::Patience};
use given::Given;
use lock::needs_pins;
use manifests::Locked;
use mcpfleet_config::{ConfigHash, DecodeError, FORMAT, RuntimeConfig, status::Rejected};
use mcpfleet_crds::compile::Placement;
use problem::Problem;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What to read.
#[derive(Clone, Debug)]
pub enum Source {
    /// A [`RuntimeConfig`] as JSON, plain or gzip.
    Config {
        /// Where.
        path: PathBuf,
        /// Newest format that is read.
        newest: u32,
    },
    /// A directory (or file) of manifests.
    Manifests(PathBuf),
    /// Made in this process.
    Given(Given),
}

/// What was read.
#[derive(Default)]
pub struct Read {
    /// Servers that can be served.
    pub servers: Vec<Declared>,
    /// Servers that are declared and cannot be served, by `namespace/name`.
    pub refused: BTreeMap<String, Rejected>,
    /// Set when the input as a whole is damaged: what is missing from `servers` may only be unreadable.
    pub damaged: Option<Rejected>,
    /// Everything that there is to say, for logs.
    pub problems: Vec<Problem>,
}

/// A server that can be served.
pub struct Declared {
    /// What to serve.
    pub config: Arc<RuntimeConfig>,
    /// Hash of its bytes.
    pub hash: ConfigHash,
    /// Its place in the order of configurations; 0 when it has none.
    pub revision: u64,
    /// Where its credentials are, unless a directory holds them.
    pub secrets: credentials::Source,
}

impl Source {
    /// The paths that are watched.
    pub fn paths(&self) -> Vec<PathBuf> {
        match self {
            Self::Config { path, .. } => vec![path.clone(), path.with_file_name(file::REVISION)],
            Self::Manifests(path) => vec![path.clone()],
            Self::Given(_) => Vec::new(),
        }
    }

    /// Newest format that is read.
    pub fn newest(&self) -> u32 {
        match self {
            Self::Config { newest, .. } => *newest,
            Self::Manifests(_) | Self::Given(_) => FORMAT,
        }
    }

    /// For how long what it declares may keep a process from being ready by not answering.
    pub fn patience(&self) -> Patience {
        match self {
            // One upstream going wrong must not take the others' clients away.
            Self::Config { .. } | Self::Manifests(_) => Patience::Short,
            // It is nothing but that upstream.
            Self::Given(_) => Patience::Endless,
        }
    }

    /// Reads everything. Blocking. `placement` is where manifests will run.
    pub fn read(&self, placement: &Placement) -> Read {
        match self {
            Self::Config { path, newest } => read_config(path, *newest),
            Self::Manifests(path) => read_manifests(path, placement),
            Self::Given(given) => given.read(),
        }
    }
}

impl Declared {
    /// The configuration that `bytes` are.
    ///
    /// # Errors
    /// Why they are none that this runtime serves.
    pub fn decode(bytes: &[u8], revision: u64, newest: u32) -> Result<Self, DecodeError> {
        let config = Arc::new(RuntimeConfig::decode_up_to(newest, bytes)?);
        // The hash is that of the bytes: it is what the writer compares with.
        let hash = ConfigHash::of(bytes);
        Ok(Self { config, hash, revision, secrets: credentials::Source::Values(BTreeMap::new()) })
    }
}

fn read_config(path: &Path, newest: u32) -> Read {
    let refuse = |bytes: &[u8], message: String| {
        let message = format!("{}: {message}", path.display());
        let damaged = Rejected { hash: ConfigHash::of(bytes), message: message.clone() };
        Read { damaged: Some(damaged), problems: vec![Problem::of_input(path, &message)], ..Read::default() }
    };
    let found = match file::read(path) {
        Ok(found) => found,
        Err(error) => return refuse(&[], error.to_string()),
    };
    match Declared::decode(&found.bytes, found.revision, newest) {
        Ok(declared) => Read { servers: vec![declared], ..Read::default() },
        Err(error) => refuse(&found.bytes, error.to_string()),
    }
}

fn read_manifests(path: &Path, placement: &Placement) -> Read {
    let manifests = manifests::Manifests::read(&[path.to_owned()]);
    let damaged = (!manifests.problems.is_empty()).then(|| {
        let message = manifests.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        Rejected { hash: ConfigHash::of(message.as_bytes()), message }
    });
    let checked = check::check(&manifests, placement);
    let mut read = Read { damaged, problems: checked.problems, ..Read::default() };
    for (name, outcome) in checked.servers {
        match outcome {
            Ok(compiled) if manifests.lock == Locked::Broken && pins_are_unknown(&compiled.config) => {
                let message = "what was approved of its upstreams is not known: the lock file cannot be used";
                let hash = ConfigHash::of(message.as_bytes());
                read.refused.insert(name, Rejected { hash, message: message.into() });
            }
            Ok(compiled) => read.servers.push(Declared {
                secrets: credentials::Source::Values(manifests.secrets_of(&compiled.config.server.namespace)),
                config: Arc::new(compiled.config),
                hash: compiled.encoded.hash,
                revision: 0,
            }),
            Err(refused) => {
                let message = refused.to_string();
                read.refused.insert(name, Rejected { hash: ConfigHash::of(message.as_bytes()), message });
            }
        }
    }
    read
}

/// Whether it would serve what nobody may have approved.
fn pins_are_unknown(config: &RuntimeConfig) -> bool {
    config.upstreams.iter().any(|upstream| needs_pins(&upstream.tools))
}
