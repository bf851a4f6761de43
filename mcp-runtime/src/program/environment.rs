//! What a program sees of the environment: what is declared, and of ours what says where it is.

use crate::credentials::{Credentials, Missing, Secret};
use mcpfleet_config::{EnvValue, EnvVar};
use std::{collections::BTreeMap, ffi::OsString, os::unix::ffi::OsStringExt as _};

/// Of our own environment, what every program gets. Nothing that could be a secret, or address anybody.
const BASE: [&str; 13] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
];

/// The declared variables with the values of their credentials.
///
/// # Errors
/// The first credential that is missing.
pub fn variables(
    declared: &[EnvVar],
    credentials: &Credentials,
) -> Result<BTreeMap<String, Secret>, Missing> {
    let value = |variable: &EnvVar| match &variable.value {
        EnvValue::Literal(text) => Ok(Secret(text.clone().into_bytes())),
        EnvValue::Credential(from) => credentials.secret(from).cloned(),
    };
    declared.iter().map(|variable| Ok((variable.name.clone(), value(variable)?))).collect()
}

/// Everything that a program sees; what is declared wins.
pub(super) fn whole(
    declared: &BTreeMap<String, Secret>,
    own: impl IntoIterator<Item = (OsString, OsString)>,
) -> BTreeMap<OsString, OsString> {
    let own = own.into_iter().filter(|(name, _)| BASE.iter().any(|base| name == *base));
    let declared = declared.iter().map(|(name, value)| (name.into(), OsString::from_vec(value.0.clone())));
    own.chain(declared).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_sees_where_it_is_and_what_is_declared_for_it() {
        let own = ["PATH=/bin", "AWS_SECRET_ACCESS_KEY=x", "MCPFLEET_SECRET_A_B=y", "LANG=C"];
        let own = own.map(|pair| pair.split_once('=').unwrap());
        let own = own.map(|(name, value)| (name.into(), value.into()));
        let declared = BTreeMap::from([("LANG".to_owned(), Secret(b"de".to_vec()))]);
        let seen: Vec<(OsString, OsString)> = whole(&declared, own).into_iter().collect();
        assert_eq!(seen, [("LANG".into(), "de".into()), ("PATH".into(), "/bin".into())]);
    }
}
