//! The Secret that holds the authority: read by every replica, written by the leader when something is due.

use super::{
    Certificates, Error,
    authority::{Anchor, Ca, Damage},
    rotation::{self, Authority, Step},
};
use jiff::Timestamp;
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{Api, api::PostParams};
use std::collections::BTreeMap;

/// Name of the Secret, in the operator's own namespace.
pub const SECRET: &str = "mcpfleet-operator-ca";

/// Label of what the operator makes.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "mcpfleet-operator");
/// All authorities that runtimes are to trust.
const BUNDLE: &str = "ca.crt";
/// Certificate and key that sign.
const CURRENT: [&str; 2] = ["tls.crt", "tls.key"];
/// Certificate and key that will sign.
const NEXT: [&str; 2] = ["next.crt", "next.key"];

/// What a look at the Secret has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// An authority, and nothing is left to do.
    Whole,
    /// Nothing yet: the leader will make it.
    Nothing,
}

/// Takes what the Secret holds.
pub(super) async fn follow(
    secrets: &Api<Secret>,
    certificates: &Certificates,
    now: Timestamp,
) -> Result<Seen, Error> {
    let Some(secret) = secrets.get_opt(SECRET).await? else { return Ok(Seen::Nothing) };
    certificates.adopt(usable(&secret, now)?, now)?;
    Ok(Seen::Whole)
}

/// Makes the Secret what it should be, and takes it. What is new counts only once it is stored.
pub(super) async fn tend(
    secrets: &Api<Secret>,
    certificates: &Certificates,
    now: Timestamp,
) -> Result<Seen, Error> {
    let found = secrets.get_opt(SECRET).await?;
    let known = found.as_ref().and_then(|secret| match usable(secret, now) {
        Ok(authority) => Some(authority),
        Err(damage) => {
            tracing::warn!(secret = SECRET, %damage, "the certificate authority is replaced by a new one");
            None
        }
    });
    if let Some(authority) = &known {
        // What is stored serves, even if what is due cannot be written.
        certificates.adopt(authority.clone(), now)?;
    }
    let (authority, steps) = rotation::rotate(known, now)?;
    write(secrets, found, &authority, &steps).await?;
    certificates.adopt(authority, now)?;
    Ok(Seen::Whole)
}

/// Writes what differs: over the state that was read, or not at all.
pub(super) async fn write(
    secrets: &Api<Secret>,
    found: Option<Secret>,
    authority: &Authority,
    steps: &[Step],
) -> Result<(), Error> {
    let wanted = wanted(found.clone(), authority);
    match found {
        Some(found) if found == wanted => return Ok(()),
        Some(_) => secrets.replace(SECRET, &PostParams::default(), &wanted).await?,
        None => secrets.create(&PostParams::default(), &wanted).await?,
    };
    for step in steps {
        tracing::info!(secret = SECRET, "{}", step.sentence());
    }
    Ok(())
}

/// The Secret as it should be. Labels of others stay; its version is the one that was read.
pub(super) fn wanted(found: Option<Secret>, authority: &Authority) -> Secret {
    let mut secret = found.unwrap_or_else(|| Secret { type_: Some("Opaque".into()), ..Secret::default() });
    secret.metadata.name = Some(SECRET.into());
    let labels = secret.metadata.labels.get_or_insert_default();
    labels.insert(MANAGED_BY.0.into(), MANAGED_BY.1.into());
    secret.data = Some(data(authority));
    secret
}

fn data(authority: &Authority) -> BTreeMap<String, ByteString> {
    let mut data = BTreeMap::from([(BUNDLE.to_owned(), ByteString(authority.bundle().into_bytes()))]);
    let pairs = [(CURRENT, Some(&authority.current)), (NEXT, authority.next.as_ref())];
    for ([certificate, key], ca) in pairs {
        let Some(ca) = ca else { continue };
        data.insert(certificate.into(), ByteString(ca.anchor.pem().into_bytes()));
        data.insert(key.into(), ByteString(ca.key_pem.clone().into_bytes()));
    }
    data
}

/// What the Secret holds, if it can still sign, now or soon.
pub(super) fn usable(secret: &Secret, now: Timestamp) -> Result<Authority, Damage> {
    let authority = read(secret)?;
    let newest = authority.next.as_ref().unwrap_or(&authority.current);
    if newest.anchor.expired(now) { Err(Damage::Expired(newest.anchor.not_after)) } else { Ok(authority) }
}

/// What the Secret holds. Only the pair that signs must be whole: the rest is made anew.
pub(super) fn read(secret: &Secret) -> Result<Authority, Damage> {
    let data = secret.data.as_ref();
    let value = |key: &'static str| data.and_then(|data| data.get(key)).ok_or(Damage::Missing(key));
    let pair = |names: [&'static str; 2]| Ca::read(&value(names[0])?.0, &value(names[1])?.0, names);
    let current = pair(CURRENT)?;
    let next = value(NEXT[0]).is_ok().then(|| pair(NEXT)).and_then(heard);
    let bundle = value(BUNDLE).map(|bundle| anchors(&bundle.0)).unwrap_or_default();
    let known = |anchor: &Anchor| {
        *anchor == current.anchor || next.as_ref().is_some_and(|next| next.anchor == *anchor)
    };
    let mut previous: Vec<Anchor> = bundle.into_iter().filter(|anchor| !known(anchor)).collect();
    previous.sort();
    previous.dedup();
    Ok(Authority { current, next, previous })
}

/// Authorities in the bundle; what is none is passed over, and gone with the next write.
fn anchors(bundle: &[u8]) -> Vec<Anchor> {
    let parts = pem::parse_many(bundle)
        .map_err(|error| Damage::Unreadable { what: BUNDLE, reason: error.to_string() });
    let parts = heard(parts).unwrap_or_default();
    parts.iter().filter_map(|part| heard(Anchor::read(part.contents(), BUNDLE))).collect()
}

/// Says what is wrong with a part that can be done without.
fn heard<T>(part: Result<T, Damage>) -> Option<T> {
    part.inspect_err(|damage| tracing::warn!(secret = SECRET, %damage, "a part of it is passed over")).ok()
}
