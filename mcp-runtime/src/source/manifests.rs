//! Every manifest of some files and directories.

use super::{
    document::{self, Object, SecretManifest},
    fingerprint,
    lock::{self, Lock},
    problem::Problem,
};
use crate::credentials::Secret;
use base64::{Engine, engine::general_purpose::STANDARD};
use mcpfleet_config::CredentialRef;
use mcpfleet_crds::{
    compile::ObjectKey,
    foreign::{ReferenceGrant, Service},
    v1alpha1::{McpServer, McpTool, ProviderRoute},
};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs,
    path::{Path, PathBuf},
};

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// What files declare. Of objects that are declared twice the first counts.
#[derive(Debug, Default)]
pub struct Manifests {
    /// Servers.
    pub servers: BTreeMap<ObjectKey, McpServer>,
    /// Tools.
    pub tools: BTreeMap<ObjectKey, McpTool>,
    /// Routes.
    pub routes: BTreeMap<ObjectKey, ProviderRoute>,
    /// What namespaces let others refer to.
    pub grants: Vec<ReferenceGrant>,
    /// Services, which only a cluster has.
    pub services: Vec<Service>,
    /// File and first line of each object.
    pub places: BTreeMap<ObjectKey, (String, u64)>,
    /// Documents that cannot be used.
    pub problems: Vec<Problem>,
    /// Definitions of upstreams' tools that were approved.
    pub lock: Locked,
    secrets: BTreeMap<String, BTreeMap<CredentialRef, Secret>>,
}

/// The lock file beside the manifests.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Locked {
    /// There is none.
    #[default]
    Absent,
    /// What it says.
    Read(Lock),
    /// It cannot be used: what was approved is not known.
    Broken,
}

impl Manifests {
    /// Reads all `.yaml`, `.yml` and `.json` files at or below `paths`. Blocking.
    pub fn read(paths: &[PathBuf]) -> Self {
        let mut manifests = Self::default();
        for path in paths {
            if path.is_dir() {
                manifests.lock(path);
                fingerprint::files(path)
                    .iter()
                    .filter(|file| is_manifest(file))
                    .for_each(|file| manifests.file(file));
            } else {
                manifests.file(path);
            }
        }
        manifests
    }

    /// Secrets of a namespace.
    pub fn secrets_of(&self, namespace: &str) -> BTreeMap<CredentialRef, Secret> {
        self.secrets.get(namespace).cloned().unwrap_or_default()
    }

    /// Whether a namespace has a Secret of this name.
    pub fn has_secret(&self, namespace: &str, name: &str) -> bool {
        self.secrets.get(namespace).is_some_and(|secrets| secrets.keys().any(|key| key.secret == name))
    }

    fn lock(&mut self, dir: &Path) {
        match Lock::read(dir) {
            // Of several directories the first with a lock counts, as with objects that are declared twice.
            Ok(Some(lock)) if self.lock == Locked::Absent => self.lock = Locked::Read(lock),
            Ok(_) => {}
            Err(reason) => {
                self.lock = Locked::Broken;
                let remedy = "restore it, or write it anew with mcp-runtime pin --write";
                let path = Lock::path(dir).display().to_string();
                self.problems.push(Problem::error(lock::UNUSABLE, reason, remedy).at(&path, 1));
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let name = path.display().to_string();
        let text = match read_text(path) {
            Ok(text) => text,
            Err(reason) => {
                let problem = Problem::error("Unparsable", reason, "mend or remove the file");
                self.problems.push(problem.at(&name, 1));
                return;
            }
        };
        for (before, document) in document::split(&text) {
            let line = before as u64 + 1;
            match document::read(before, &document) {
                Ok(object) => self.add(object, &name, line),
                Err(problem) => {
                    let line = problem.line.unwrap_or(line);
                    self.problems.push(problem.at(&name, line));
                }
            }
        }
    }

    fn add(&mut self, object: Object, file: &str, line: u64) {
        match object {
            Object::Foreign => {}
            Object::Grant(grant) => self.grants.push(grant),
            Object::Service(service) => self.services.push(*service),
            Object::Secret(secret) => self.secret(&secret, file, line),
            Object::Server(server) => {
                if self.claim(&ObjectKey::server(&server), file, line) {
                    self.servers.insert(ObjectKey::server(&server), *server);
                }
            }
            Object::Tool(tool) => {
                if self.claim(&ObjectKey::tool(&tool), file, line) {
                    self.tools.insert(ObjectKey::tool(&tool), *tool);
                }
            }
            Object::Route(route) => {
                if self.claim(&ObjectKey::route(&route), file, line) {
                    self.routes.insert(ObjectKey::route(&route), *route);
                }
            }
        }
    }

    /// Whether this is the first declaration of an object.
    fn claim(&mut self, key: &ObjectKey, file: &str, line: u64) -> bool {
        if key.name.is_empty() {
            let problem = Problem::error("InvalidName", "metadata.name is missing", "name the object");
            self.problems.push(problem.at(file, line));
            return false;
        }
        match self.places.entry(key.clone()) {
            Entry::Vacant(free) => {
                free.insert((file.to_owned(), line));
                true
            }
            Entry::Occupied(taken) => {
                let (first, at) = taken.get();
                let message = format!("is declared twice, first at {first}:{at}");
                let problem = Problem::error("DuplicateObject", message, "remove one of the two").about(key);
                self.problems.push(problem.at(file, line));
                false
            }
        }
    }

    fn secret(&mut self, manifest: &SecretManifest, file: &str, line: u64) {
        let name = &manifest.metadata.name;
        let namespace = manifest.metadata.namespace.clone().unwrap_or_else(|| "default".into());
        let about = format!("Secret {namespace}/{name}");
        let values = self.secrets.entry(namespace).or_default();
        let credential = |key: &String| CredentialRef { secret: name.clone(), key: key.clone() };
        for (key, value) in &manifest.data {
            match STANDARD.decode(value.trim()) {
                Ok(value) => drop(values.insert(credential(key), Secret(value))),
                // The message names no part of the value: it may be the secret in plain text.
                Err(_) => self.problems.push(
                    Problem::error("Unparsable", "is no base64", "encode it, or use stringData")
                        .about(&about)
                        .field(format!("data.{key}"))
                        .at(file, line),
                ),
            }
        }
        let plain = manifest.string_data.iter();
        values.extend(plain.map(|(key, value)| (credential(key), Secret(value.clone().into_bytes()))));
    }
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}

fn read_text(path: &Path) -> Result<String, String> {
    let size = fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?.len();
    if size > MAX_FILE {
        return Err(format!("has {size} bytes; {MAX_FILE} is the most"));
    }
    let bytes = fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    Ok(text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text))
}
