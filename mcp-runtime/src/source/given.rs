//! A configuration that was made in this process: there is nothing to read, and it never changes.

use super::{Declared, Read};
use crate::credentials::{self, Secret};
use mcpfleet_config::{ConfigHash, CredentialRef, RuntimeConfig, status::Rejected};
use std::{collections::BTreeMap, sync::Arc};

/// A configuration and the values of its credentials.
#[derive(Clone, Debug)]
pub struct Given {
    /// What to serve.
    pub config: Arc<RuntimeConfig>,
    /// Secret values that it names.
    pub secrets: BTreeMap<CredentialRef, Secret>,
}

impl Given {
    /// As if it had been read.
    pub fn read(&self) -> Read {
        match self.config.encode() {
            Ok(encoded) => {
                let secrets = credentials::Source::Values(self.secrets.clone());
                let config = self.config.clone();
                let declared = Declared { config, hash: encoded.hash, revision: 0, secrets };
                Read { servers: vec![declared], ..Read::default() }
            }
            Err(error) => {
                let damaged = Rejected { hash: ConfigHash::of(&[]), message: error.to_string() };
                Read { damaged: Some(damaged), ..Read::default() }
            }
        }
    }
}
