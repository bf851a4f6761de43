//! Where configurations come from: one compiled file in a pod, a directory of manifests on a laptop.
//!
//! In: a path. Out: [`Read`], what is declared there and what is wrong with it. Nothing here serves; [`crate::reload`]
//! decides what becomes of it.

pub mod check;
pub mod document;
pub mod fingerprint;
pub mod manifests;
pub mod problem;

use crate::credentials;
use mcpfleet_config::{ConfigHash, RuntimeConfig, status::Rejected};
use mcpfleet_crds::compile::Placement;
use problem::Problem;
use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

/// What to read.
#[derive(Clone, Debug)]
pub enum Source {
    /// A [`RuntimeConfig`] as JSON.
    Config(PathBuf),
    /// A directory (or file) of manifests.
    Manifests(PathBuf),
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
    /// Where its credentials are, unless a directory holds them.
    pub secrets: credentials::Source,
}

impl Source {
    /// The path that is watched.
    pub fn path(&self) -> &PathBuf {
        let (Self::Config(path) | Self::Manifests(path)) = self;
        path
    }

    /// Reads everything. Blocking. `placement` is where manifests will run.
    pub fn read(&self, placement: &Placement) -> Read {
        match self {
            Self::Config(path) => read_config(path),
            Self::Manifests(path) => read_manifests(path, placement),
        }
    }
}

fn read_config(path: &PathBuf) -> Read {
    let refuse = |bytes: &[u8], message: String| {
        let message = format!("{}: {message}", path.display());
        let damaged = Rejected { hash: ConfigHash::of(bytes), message: message.clone() };
        Read { damaged: Some(damaged), problems: vec![Problem::of_input(path, &message)], ..Read::default() }
    };
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return refuse(&[], error.to_string()),
    };
    match RuntimeConfig::decode(&bytes) {
        Ok(config) => {
            // The hash is that of the bytes: it is what the writer compares with.
            let hash = ConfigHash::of(&bytes);
            let secrets = credentials::Source::Values(BTreeMap::new());
            Read { servers: vec![Declared { config: Arc::new(config), hash, secrets }], ..Read::default() }
        }
        Err(error) => refuse(&bytes, error.to_string()),
    }
}

fn read_manifests(path: &PathBuf, placement: &Placement) -> Read {
    let manifests = manifests::Manifests::read(std::slice::from_ref(path));
    let damaged = (!manifests.problems.is_empty()).then(|| {
        let message = manifests.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        Rejected { hash: ConfigHash::of(message.as_bytes()), message }
    });
    let checked = check::check(&manifests, placement);
    let mut read = Read { damaged, problems: checked.problems, ..Read::default() };
    for (name, outcome) in checked.servers {
        match outcome {
            Ok(compiled) => read.servers.push(Declared {
                secrets: credentials::Source::Values(manifests.secrets_of(&compiled.config.server.namespace)),
                config: Arc::new(compiled.config),
                hash: compiled.encoded.hash,
            }),
            Err(refused) => {
                let message = refused.to_string();
                read.refused.insert(name, Rejected { hash: ConfigHash::of(message.as_bytes()), message });
            }
        }
    }
    read
}
