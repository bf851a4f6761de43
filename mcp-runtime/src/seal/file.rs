//! Session keys from a file, for several processes behind one load balancer and no operator.
//!
//! One key a line, the sealing one first: at least 32 random bytes as hexadecimal digits or base64; `#` begins a comment.
//! To change keys without a client noticing, add the new one as the last line everywhere, then move it to the top, and
//! remove the old one when the sessions that it has sealed may end.

use super::{Keyring, NotSealed};
use crate::source::fingerprint::Fingerprint;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use mcpfleet_config::stream::{KEY_BYTES, SessionKey};
use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::time::{MissedTickBehavior, interval};

/// Pause between two looks whether the file has changed.
const POLL: Duration = Duration::from_secs(1);
/// Longest file, in bytes.
const MAX_FILE: u64 = 64 * 1024;
/// Most keys in it.
const MAX_KEYS: usize = 8;

const BASE64: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const ENGINES: [GeneralPurpose; 2] =
    [GeneralPurpose::new(&alphabet::STANDARD, BASE64), GeneralPurpose::new(&alphabet::URL_SAFE, BASE64)];

/// Why a file gives no keys. Nothing of a key is in it.
#[derive(Debug, thiserror::Error)]
pub enum BadFile {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    /// It is longer than any file of keys.
    #[error("it is longer than {MAX_FILE} bytes")]
    TooLong,
    /// A line that is no key.
    #[error("line {line} is no key: 32 or more random bytes are wanted, as hexadecimal digits or base64")]
    NoKey {
        /// Counted from 1.
        line: usize,
    },
    /// Not a single line is one.
    #[error(
        "there is no key in it: one of 32 or more random bytes is wanted, such as `openssl rand -hex 32` gives"
    )]
    Empty,
    /// More keys than anybody rotates through.
    #[error(
        "there are more than {MAX_KEYS} keys in it; remove those that sealed what may no longer be opened"
    )]
    TooMany,
    /// The crypto library failed.
    #[error(transparent)]
    Library(#[from] NotSealed),
}

/// A file of keys, followed.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    seen: Fingerprint,
}

impl KeyFile {
    /// Reads the file into `keys`.
    ///
    /// # Errors
    /// [`BadFile`].
    pub fn open(path: &Path, keys: &Keyring) -> Result<Self, BadFile> {
        // Before the content: what changes meanwhile is read again.
        let seen = Fingerprint::take([path]);
        keys.set(&read(path)?)?;
        Ok(Self { path: path.to_owned(), seen })
    }

    /// Reads it again whenever it changes, until dropped. A file that is no good leaves the keys as they are.
    pub async fn follow(mut self, keys: Arc<Keyring>) {
        let mut looks = interval(POLL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let now = Fingerprint::take([self.path.as_path()]);
            if now == self.seen {
                continue;
            }
            match Self::open(&self.path, &keys) {
                Ok(_) => tracing::info!(keys = keys.epochs().len(), "session keys read again"),
                Err(error) => {
                    let file = self.path.display();
                    tracing::warn!(%file, %error, "the new session keys are refused, the old ones stay");
                }
            }
            self.seen = now;
        }
    }
}

fn read(path: &Path) -> Result<Vec<SessionKey>, BadFile> {
    let mut text = String::new();
    File::open(path)?.take(MAX_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE { Err(BadFile::TooLong) } else { parse(&text) }
}

fn parse(text: &str) -> Result<Vec<SessionKey>, BadFile> {
    let mut keys: Vec<SessionKey> = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.split('#').next().unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        let bytes = bytes(text).filter(|bytes| bytes.len() >= KEY_BYTES).ok_or(BadFile::NoKey { line })?;
        let key = key(&bytes)?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    match keys.len() {
        0 => Err(BadFile::Empty),
        1..=MAX_KEYS => Ok(keys),
        _ => Err(BadFile::TooMany),
    }
}

/// Hexadecimal digits are base64 as well: they win, in every process alike.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    match digits {
        Some(digits) if digits.len() % 2 == 0 => Some(
            digits.chunks_exact(2).map(|two| two.iter().fold(0, |byte, digit| byte << 4 | digit)).collect(),
        ),
        _ => ENGINES.iter().find_map(|engine| engine.decode(text).ok()),
    }
}

/// A key's epoch follows from the key, not from its line: lines move.
fn key(bytes: &[u8]) -> Result<SessionKey, NotSealed> {
    let material = Salt::new(HKDF_SHA256, b"mcpfleet session key file 1").extract(bytes);
    let secret = super::ring::expand(&material, b"secret")?;
    let [a, b, c, d, ..] = super::ring::expand(&material, b"epoch")?;
    Ok(SessionKey { epoch: u32::from_be_bytes([a, b, c, d]).max(1), secret })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Purpose;
    use std::fs;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const SAME: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const OTHER: &str = "-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_";

    #[test]
    fn a_key_is_the_same_however_it_is_written_and_wherever_it_stands() {
        let one = parse(HEX).unwrap();
        for text in
            [&HEX.to_uppercase(), SAME, SAME.trim_end_matches('='), &format!("  {SAME} # of May\n\n{HEX}")]
        {
            assert_eq!(parse(text).unwrap(), one, "{text}");
        }
        let two = parse(&format!("# new\n{OTHER}\n{HEX}\n")).unwrap();
        assert_eq!((two.len(), &two[1]), (2, &one[0]));
        assert!(two[0].epoch != 0 && two[0].epoch != two[1].epoch);
    }

    #[test]
    fn what_is_no_key_is_named_by_its_line_and_not_repeated() {
        let short = &HEX[..62];
        for (text, line) in
            [(short.to_owned(), 1), (format!("{HEX}\n# c\nsecret!{HEX}"), 3), (format!("{HEX}\n{HEX}0"), 2)]
        {
            let error = parse(&text).unwrap_err();
            assert!(matches!(error, BadFile::NoKey { line: found } if found == line), "{text}: {error}");
            assert!(!format!("{error} {error:?}").contains(&HEX[..16]));
        }
        assert!(matches!(parse("# nothing\n\n"), Err(BadFile::Empty)));
        let many: String = (10..19).map(|n| [&n.to_string(), &HEX[2..], "\n"].concat()).collect();
        assert!(matches!(parse(&many), Err(BadFile::TooMany)));
    }

    #[tokio::test]
    async fn a_changed_file_is_read_and_a_broken_one_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        fs::write(&path, HEX).unwrap();
        let keys = Keyring::random().unwrap();
        let file = KeyFile::open(&path, &keys).unwrap();
        let sealed = keys.seal(Purpose::Session, b"state").unwrap();
        let mut changed = keys.changed();
        let following = tokio::spawn(file.follow(keys.clone()));
        fs::write(&path, "no key").unwrap();
        assert!(KeyFile::open(&path, &keys).is_err() && !changed.has_changed().unwrap());
        fs::write(&path, format!("{OTHER}\n{HEX}")).unwrap();
        changed.changed().await.unwrap();
        assert_eq!(keys.epochs().len(), 2);
        assert_eq!(keys.open(Purpose::Session, &sealed).unwrap(), b"state");
        following.abort();
    }
}
