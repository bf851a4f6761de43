//! Writes what is generated from the types: `crdgen CHART_TEMPLATES_DIR REFERENCE.md`.

use mcpfleet_crds::{crd, reference};
use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let [templates, page] = env::args()
        .skip(1)
        .map(PathBuf::from)
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| "usage: crdgen CHART_TEMPLATES_DIR REFERENCE.md")?;
    fs::create_dir_all(&templates)?;
    for definition in crd::all() {
        fs::write(templates.join(crd::file_name(&definition)), crd::to_chart_template(&definition)?)?;
    }
    fs::write(page, reference::markdown())?;
    Ok(())
}
