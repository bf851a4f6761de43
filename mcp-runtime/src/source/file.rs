//! A compiled configuration in a file, plain or gzip, and the number beside it that says which it is.
//!
//! A mounted ConfigMap holds `config.json.gz` and `revision` in one directory, which is swapped as a whole: both are
//! read behind the same link, or a new number would be taken for old bytes.

use flate2::read::MultiGzDecoder;
use mcpfleet_config::MAX_BYTES;
use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

/// Name of the file with the number.
pub const REVISION: &str = "revision";
/// How gzip begins (RFC 1952, section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What lies there.
pub struct Found {
    /// The configuration as it was hashed: decompressed.
    pub bytes: Vec<u8>,
    /// Its place in the order of configurations; 0 where no file says it.
    pub revision: u64,
}

/// Why nothing can be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file system says no, or the compressed bytes are damaged.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// More than a configuration may have.
    #[error("it is longer than {MAX_BYTES} bytes when decompressed")]
    TooLong,
    /// Something else than a decimal number.
    #[error("the file `{REVISION}` beside it holds no number: {0:?}")]
    NoRevision(String),
}

/// Reads both. Blocking.
///
/// # Errors
/// [`Unreadable`].
pub fn read(path: &Path) -> Result<Found, Unreadable> {
    let path = fs::canonicalize(path)?;
    let revision = revision(&path.with_file_name(REVISION))?;
    Ok(Found { bytes: plain(fs::read(&path)?)?, revision })
}

fn plain(bytes: Vec<u8>) -> Result<Vec<u8>, Unreadable> {
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    let bound = MAX_BYTES as u64 + 1;
    MultiGzDecoder::new(bytes.as_slice()).take(bound).read_to_end(&mut plain)?;
    if plain.len() > MAX_BYTES { Err(Unreadable::TooLong) } else { Ok(plain) }
}

fn revision(path: &Path) -> Result<u64, Unreadable> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let number = text.trim();
            number.parse().map_err(|_| Unreadable::NoRevision(number.chars().take(40).collect()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::{io::Write as _, os::unix::fs::symlink};

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_read_as_the_bytes_in_it_and_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json.gz");
        fs::write(&path, gzip(b"{}")).unwrap();
        let found = read(&path).unwrap();
        assert_eq!((found.bytes.as_slice(), found.revision), (b"{}".as_slice(), 0));
        fs::write(&path, gzip(&vec![b' '; MAX_BYTES])).unwrap();
        assert_eq!(read(&path).unwrap().bytes.len(), MAX_BYTES);
        fs::write(&path, gzip(&vec![b' '; MAX_BYTES + 1])).unwrap();
        assert!(matches!(read(&path), Err(Unreadable::TooLong)));
        fs::write(&path, &gzip(b"{}")[..8]).unwrap();
        assert!(matches!(read(&path), Err(Unreadable::Io(_))));
    }

    #[test]
    fn the_number_is_that_of_the_same_directory_version() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        for (version, revision) in [("..1", "7\n"), ("..2", "eight")] {
            fs::create_dir(dir.path().join(version)).unwrap();
            fs::write(dir.path().join(version).join("config.json"), version).unwrap();
            fs::write(dir.path().join(version).join(REVISION), revision).unwrap();
        }
        // Whatever lies beside the link is not the number of what the link leads to.
        fs::write(dir.path().join(REVISION), "99").unwrap();
        symlink("..1/config.json", &path).unwrap();
        assert_eq!(read(&path).unwrap().revision, 7);
        fs::remove_file(&path).unwrap();
        symlink("..2/config.json", &path).unwrap();
        assert!(matches!(read(&path), Err(Unreadable::NoRevision(text)) if text == "eight"));
    }
}
