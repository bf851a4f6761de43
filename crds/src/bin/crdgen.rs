//! Writes the CustomResourceDefinitions as YAML: `crdgen DIR` writes one file per kind.

use mcpfleet_crds::crd;
use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let dir = PathBuf::from(env::args().nth(1).ok_or("usage: crdgen DIR")?);
    fs::create_dir_all(&dir)?;
    for definition in crd::all() {
        fs::write(dir.join(crd::file_name(&definition)), crd::to_yaml(&definition)?)?;
    }
    Ok(())
}
