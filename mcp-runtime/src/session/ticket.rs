//! What is sealed into a session id.

use crate::seal::{self, NotSealed};
use mcpfleet_protocol::{ClientCapabilities, Revision};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a session lasts at most. The client initialises again after it; tombstones need not be kept longer.
pub const LIFETIME: Duration = Duration::from_hours(24);
/// Longest address that is sealed in, in bytes: an IPv6 address in brackets with scope and port.
const MAX_OWNER: usize = 64;
/// First byte of the sealed text.
const VERSION: u8 = 1;
const FIXED: usize = 1 + 1 + 2 + 8 + 16 + 16;

/// What tells two sessions apart.
pub type SessionKey = [u8; 16];

/// One session, as its id says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// What was negotiated; legacy.
    pub revision: Revision,
    /// What the client said that it can do.
    pub capabilities: ClientCapabilities,
    /// Whose it is: fingerprint of the principal.
    pub partition: [u8; 16],
    /// Its own name.
    pub key: SessionKey,
    /// When it began, in seconds since 1970.
    pub issued: u64,
    /// `ip:port` of the peer listener of the replica that made it; empty when that has none.
    pub owner: String,
}

impl Ticket {
    /// A session that begins now.
    ///
    /// # Errors
    /// The cryptographic library failed.
    pub fn new(
        revision: Revision,
        capabilities: ClientCapabilities,
        partition: [u8; 16],
        owner: &str,
    ) -> Result<Self, NotSealed> {
        let owner = if owner.len() <= MAX_OWNER { owner.to_owned() } else { String::new() };
        Ok(Self { revision, capabilities, partition, key: seal::name()?, issued: now(), owner })
    }

    /// Whether it has lasted as long as a session may.
    pub fn is_over(&self) -> bool {
        now().saturating_sub(self.issued) >= LIFETIME.as_secs()
    }

    /// The bytes to seal.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIXED + self.owner.len());
        bytes.extend([VERSION, revision_byte(self.revision)]);
        bytes.extend(self.capabilities.to_bits().to_be_bytes());
        bytes.extend(self.issued.to_be_bytes());
        bytes.extend(self.partition);
        bytes.extend(self.key);
        bytes.extend(self.owner.as_bytes());
        bytes
    }

    /// The session that these unsealed bytes say, or `None` when another version of this program sealed them.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (fixed, owner) = bytes.split_at_checked(FIXED)?;
        let ([VERSION, revision], rest) = fixed.split_first_chunk()? else { return None };
        let (bits, rest) = rest.split_first_chunk()?;
        let (issued, rest) = rest.split_first_chunk()?;
        let (partition, key) = rest.split_first_chunk()?;
        Some(Self {
            revision: *Revision::KNOWN.get(usize::from(*revision))?,
            capabilities: ClientCapabilities::from_bits(u16::from_be_bytes(*bits)),
            partition: *partition,
            key: key.try_into().ok()?,
            issued: u64::from_be_bytes(*issued),
            owner: std::str::from_utf8(owner).ok()?.to_owned(),
        })
    }
}

fn revision_byte(revision: Revision) -> u8 {
    let at = Revision::KNOWN.into_iter().position(|known| known == revision);
    at.and_then(|at| u8::try_from(at).ok()).unwrap_or_default()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_ticket_reads_back_as_it_was(revision in 0usize..4, bits: u16, partition: [u8; 16], owner in "[0-9.:]{0,40}") {
            let capabilities = ClientCapabilities::from_bits(bits);
            let ticket = Ticket::new(Revision::KNOWN[revision], capabilities, partition, &owner).unwrap();
            prop_assert_eq!(Ticket::from_bytes(&ticket.to_bytes()), Some(ticket));
        }

        #[test]
        fn other_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Ticket::from_bytes(&bytes);
        }
    }

    #[test]
    fn a_session_ends_by_itself() {
        let mut ticket =
            Ticket::new(Revision::LATEST_LEGACY, ClientCapabilities::default(), [0; 16], "").unwrap();
        assert!(!ticket.is_over());
        ticket.issued -= LIFETIME.as_secs();
        assert!(ticket.is_over());
    }
}
