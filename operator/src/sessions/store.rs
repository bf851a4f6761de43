//! The Secret that holds the master keys: read and written by the leader.

use super::{Error, Master, SessionKeys, rotation};
use jiff::Timestamp;
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{Api, api::PostParams};
use mcpfleet_config::stream::KEY_BYTES;
use std::collections::BTreeMap;

/// Name of the Secret, in the operator's own namespace.
pub const SECRET: &str = "mcpfleet-operator-session-keys";

/// Label of what the operator makes.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "mcpfleet-operator");
/// `key.<epoch>`: 32 bytes.
const KEY: &str = "key.";
/// `made.<epoch>`: when, as RFC 3339 has it.
const MADE: &str = "made.";

/// What is wrong with an epoch in the Secret. Nothing of a key is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    #[error("{0} names no epoch: a number from 1 is wanted")]
    Epoch(String),
    #[error("{KEY}{0} does not have {KEY_BYTES} bytes")]
    Length(u32),
    #[error("{MADE}{0} is missing, or no time")]
    Time(u32),
}

/// Makes the Secret what it should be, and takes it. What is new counts only once it is stored.
pub(super) async fn tend(secrets: &Api<Secret>, keys: &SessionKeys, now: Timestamp) -> Result<(), Error> {
    let found = secrets.get_opt(SECRET).await?;
    let known = found.as_ref().map(read).unwrap_or_default();
    if !known.is_empty() {
        // What is stored counts, even if what is due cannot be written.
        keys.adopt(&known, now);
    }
    let (masters, steps) = rotation::rotate(known, now)?;
    if !steps.is_empty() {
        let wanted = wanted(found.clone(), &masters);
        match found {
            Some(_) => secrets.replace(SECRET, &PostParams::default(), &wanted).await?,
            None => secrets.create(&PostParams::default(), &wanted).await?,
        };
    }
    for step in steps {
        tracing::info!(secret = SECRET, "{}", step.sentence());
    }
    keys.adopt(&masters, now);
    Ok(())
}

/// The Secret as it should be. Labels of others stay; its version is the one that was read, so that nobody's write is
/// overwritten.
pub(super) fn wanted(found: Option<Secret>, masters: &[Master]) -> Secret {
    let mut secret = found.unwrap_or_else(|| Secret { type_: Some("Opaque".into()), ..Secret::default() });
    secret.metadata.name = Some(SECRET.into());
    let labels = secret.metadata.labels.get_or_insert_default();
    labels.insert(MANAGED_BY.0.into(), MANAGED_BY.1.into());
    let mut data = BTreeMap::new();
    for Master { epoch, made, secret } in masters {
        data.insert(format!("{KEY}{epoch}"), ByteString(secret.to_vec()));
        data.insert(format!("{MADE}{epoch}"), ByteString(made.to_string().into_bytes()));
    }
    secret.data = Some(data);
    secret
}

/// What the Secret holds, oldest first. What is damaged is told and passed over: it is gone with the next write.
pub(super) fn read(secret: &Secret) -> Vec<Master> {
    let empty = BTreeMap::new();
    let data = secret.data.as_ref().unwrap_or(&empty);
    let keys = data.iter().filter_map(|(name, value)| Some((name.strip_prefix(KEY)?, value)));
    let read = keys.map(|(epoch, value)| master(data, epoch, value));
    let mut masters: Vec<Master> = read
        .filter_map(|master| {
            master
                .inspect_err(
                    |damage| tracing::warn!(secret = SECRET, %damage, "a session key is passed over"),
                )
                .ok()
        })
        .collect();
    masters.sort_by_key(|master| master.epoch);
    masters
}

pub(super) fn master(
    data: &BTreeMap<String, ByteString>,
    epoch: &str,
    value: &ByteString,
) -> Result<Master, Damage> {
    let number = epoch.parse().ok().filter(|number: &u32| *number > 0 && number.to_string() == epoch);
    let epoch = number.ok_or_else(|| Damage::Epoch(format!("{KEY}{epoch}")))?;
    let secret = value.0.as_slice().try_into().map_err(|_| Damage::Length(epoch))?;
    let made = data.get(&format!("{MADE}{epoch}")).and_then(|made| str::from_utf8(&made.0).ok());
    let made = made.and_then(|made| made.trim().parse().ok()).ok_or(Damage::Time(epoch))?;
    Ok(Master { epoch, made, secret })
}
