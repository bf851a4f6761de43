//! Reading values from where they lie.

use super::Secret;
use mcpfleet_config::CredentialRef;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

/// Largest value, in bytes: what the API server takes for a whole Secret.
const MAX_BYTES: u64 = 1024 * 1024;

/// How often a Secret whose mount was swapped while it was read is read again.
const ATTEMPTS: usize = 3;

/// Most entries of a Secret that are read: far more than fit in one.
const MAX_ENTRIES: usize = 10_000;

type Found = BTreeMap<CredentialRef, Secret>;

/// Values of mounted Secrets. The keys of one Secret are of one version of it.
pub(super) fn mounted(root: &Path, wanted: &BTreeSet<&CredentialRef>) -> Found {
    let mut by_secret: BTreeMap<&str, Vec<&CredentialRef>> = BTreeMap::new();
    for name in wanted.iter().filter(|name| is_file_name(&name.secret) && is_file_name(&name.key)) {
        by_secret.entry(&name.secret).or_default().push(name);
    }
    by_secret.into_iter().flat_map(|(secret, keys)| one_secret(&root.join(secret), &keys)).collect()
}

/// Every entry of a mounted Secret, of one version of it.
pub(super) fn whole(root: &Path, secret: &str) -> BTreeMap<String, Secret> {
    if !is_file_name(secret) {
        return BTreeMap::new();
    }
    let dir = root.join(secret);
    let entries = || {
        let entries = std::fs::read_dir(&dir).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        // What begins with two dots is the kubelet's own.
        let keys = names.filter(|name| is_file_name(name)).take(MAX_ENTRIES);
        keys.filter_map(|key| Some((key.clone(), value(&dir.join(&key))?))).collect()
    };
    of_one_version(&dir, entries)
}

/// The kubelet changes a mounted Secret by pointing its `..data` link elsewhere, all keys at once.
fn one_secret(dir: &Path, keys: &[&CredentialRef]) -> Found {
    of_one_version(dir, || {
        keys.iter().filter_map(|name| Some(((*name).clone(), value(&dir.join(&name.key))?))).collect()
    })
}

fn of_one_version<T>(dir: &Path, read: impl Fn() -> T) -> T {
    let version = || -> Option<PathBuf> { std::fs::read_link(dir.join("..data")).ok() };
    let mut before = version();
    let mut found = read();
    for _ in 1..ATTEMPTS {
        let now = version();
        if now == before {
            break;
        }
        before = now;
        found = read();
    }
    found
}

fn value(path: &Path) -> Option<Secret> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MAX_BYTES + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= MAX_BYTES).then(|| trimmed(bytes))
}

/// Values that were given, and else those of the environment.
pub(super) fn given(values: &Found, wanted: &BTreeSet<&CredentialRef>) -> Found {
    let look_up = |name: &CredentialRef| {
        let secret = values.get(name).map(|secret| secret.0.clone());
        secret.or_else(|| std::env::var_os(variable(name)).map(std::ffi::OsString::into_encoded_bytes))
    };
    wanted.iter().filter_map(|name| Some(((*name).clone(), trimmed(look_up(name)?)))).collect()
}

/// Name of the environment variable that stands for a credential.
pub(super) fn variable(name: &CredentialRef) -> String {
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
    };
    format!("MCPFLEET_SECRET_{}_{}", plain(&name.secret), plain(&name.key))
}

/// Without the newline at the end that editors and `echo` leave.
fn trimmed(mut bytes: Vec<u8>) -> Secret {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Secret(bytes)
}

/// A name that stays within its directory. Kubernetes allows no other; a hand-written configuration might.
fn is_file_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("..") && text != "." && !text.contains(['/', '\0'])
}
