//! Did files change? Told from metadata of what paths resolve to, so that the swap of the `..data` link of a mounted
//! ConfigMap or Secret counts, and so that a poll reads no content.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// How deep directories are followed; a loop of links ends here.
const MAX_DEPTH: usize = 16;

/// What one poll saw. Equal means that nothing changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(Vec<(PathBuf, [i64; 4], [u64; 3])>);

impl Fingerprint {
    /// Looks at every file at or below `paths`.
    pub fn take<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut seen = Vec::new();
        for path in paths {
            for file in files(path) {
                if let Ok(metadata) = fs::metadata(&file) {
                    seen.push((file, times(&metadata), [metadata.dev(), metadata.ino(), metadata.len()]));
                }
            }
        }
        Self(seen)
    }
}

fn times(metadata: &Metadata) -> [i64; 4] {
    [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()]
}

/// Every file at or below `path`, in order. Names that begin with a dot are passed over: editors and kubelet keep
/// their own copies there.
pub fn files(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    gather(path, 0, &mut found);
    found.sort();
    found
}

fn gather(path: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(path) else {
        found.push(path.to_owned());
        return;
    };
    if depth >= MAX_DEPTH {
        return;
    }
    for entry in entries.flatten() {
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            gather(&entry.path(), depth + 1, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn take(path: &Path) -> Fingerprint {
        Fingerprint::take([path])
    }

    #[test]
    fn a_swap_of_the_data_link_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        for version in ["..1", "..2"] {
            fs::create_dir(path.join(version)).unwrap();
            fs::write(path.join(version).join("config.json"), "same").unwrap();
        }
        symlink("..1", path.join("..data")).unwrap();
        symlink("..data/config.json", path.join("config.json")).unwrap();
        let before = take(path);
        assert_eq!(before, take(path));
        symlink("..2", path.join("..tmp")).unwrap();
        fs::rename(path.join("..tmp"), path.join("..data")).unwrap();
        assert_ne!(before, take(path));
    }

    #[test]
    fn new_and_removed_files_are_seen_and_loops_end() {
        let dir = tempfile::tempdir().unwrap();
        symlink(dir.path(), dir.path().join("loop")).unwrap();
        let empty = take(dir.path());
        fs::write(dir.path().join("a.yaml"), "").unwrap();
        assert_ne!(empty, take(dir.path()));
    }
}
