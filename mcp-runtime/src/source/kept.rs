//! The configuration that the operator sent last, kept for the next start of the process.
//!
//! One file: a line of JSON that says revision, hash and length, and the bytes. It is written beside and renamed, so
//! that a crash leaves the old one.

use mcpfleet_config::{
    ConfigHash,
    stream::{Announced, codec},
};
use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

/// Name of the file.
const FILE: &str = "accepted.config";

/// Reads what was kept; `None` when there is nothing. Blocking.
///
/// # Errors
/// When there is something that cannot be what was written.
pub fn read(dir: &Path) -> io::Result<Option<(Announced, Vec<u8>)>> {
    let whole = match fs::read(dir.join(FILE)) {
        Ok(whole) => whole,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "it is damaged");
    let mut parts = whole.splitn(2, |byte| *byte == b'\n');
    let (Some(head), Some(bytes)) = (parts.next(), parts.next()) else { return Err(damaged()) };
    let announced: Announced = serde_json::from_slice(head).map_err(io::Error::other)?;
    if announced.hash != ConfigHash::of(bytes) {
        return Err(damaged());
    }
    Ok(Some((announced, bytes.to_vec())))
}

/// Keeps a configuration instead of the one before. Blocking.
///
/// # Errors
/// When the directory cannot be written.
pub fn write(dir: &Path, announced: &Announced, bytes: &[u8]) -> io::Result<()> {
    let draft = dir.join(format!(".{FILE}"));
    let mut file = File::create(&draft)?;
    file.write_all(&codec::line(announced)?)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, dir.join(FILE))?;
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_back_and_damage_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()).unwrap(), None);
        for (revision, bytes) in [(1, b"one\nline".as_slice()), (2, b"two")] {
            let length = u32::try_from(bytes.len()).unwrap();
            let announced = Announced { revision, hash: ConfigHash::of(bytes), length };
            write(dir.path(), &announced, bytes).unwrap();
            assert_eq!(read(dir.path()).unwrap(), Some((announced, bytes.to_vec())));
        }
        let path = dir.path().join(FILE);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(read(dir.path()).is_err());
        fs::write(&path, b"no line").unwrap();
        assert!(read(dir.path()).is_err());
    }
}
