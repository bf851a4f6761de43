//! `mcp-runtime install PATH`: puts this binary somewhere else, for containers whose image has neither it nor a shell.

use anyhow::Context as _;
use std::{
    fs::{self, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The running binary, even if its file was replaced since.
const OURSELVES: &str = "/proc/self/exe";
/// Anybody may run it.
const MODE: u32 = 0o755;

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to write. What is there is replaced as a whole.
    path: PathBuf,
}

/// Copies it.
///
/// # Errors
/// The directory is not there or full, or the path is a directory.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    install(Path::new(OURSELVES), &args.path)
        .with_context(|| format!("cannot install to {}", args.path.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Whoever looks sees the old file or the new one, and never half of it.
fn install(from: &Path, to: &Path) -> io::Result<()> {
    let name = to.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut fresh = std::ffi::OsString::from(".");
    fresh.push(name);
    fresh.push(format!(".{}", std::process::id()));
    let fresh = to.with_file_name(fresh);
    let written = write(from, &fresh).and_then(|()| fs::rename(&fresh, to));
    if written.is_err() {
        // What is left of it is of no use; the first error is the one that tells.
        drop(fs::remove_file(&fresh));
    }
    written
}

fn write(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut target = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(to)?;
    io::copy(&mut source, &mut target)?;
    // Whatever the process's umask says.
    target.set_permissions(Permissions::from_mode(MODE))?;
    target.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_copied_whole_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::write(&from, "new").unwrap();
        fs::write(&to, "an old one that is longer").unwrap();
        install(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "new");
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, MODE);
        fs::create_dir(dir.path().join("dir")).unwrap();
        assert!(install(&from, &dir.path().join("dir")).is_err());
        let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["dir", "from", "to"]);
    }
}
