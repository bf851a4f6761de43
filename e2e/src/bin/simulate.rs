//! Writes the tables and plots of autoscaling: `simulate docs/autoscaling.md`.

use anyhow::{Context, anyhow};
use mcpfleet_e2e::simulator::{self, document, plot};
use std::{env, fs, path::PathBuf};

fn main() -> anyhow::Result<()> {
    let page = env::args_os().nth(1).map(PathBuf::from).context("usage: simulate docs/autoscaling.md")?;
    let plots = page.with_extension("");
    let outcomes = simulator::run();
    let text = fs::read_to_string(&page)?;
    let renewed =
        document::renew(&text, &outcomes).ok_or_else(|| anyhow!("{} has no markers", page.display()))?;
    fs::write(&page, renewed)?;
    fs::create_dir_all(&plots)?;
    for outcome in &outcomes {
        fs::write(plots.join(format!("{}.svg", outcome.trace.name)), plot::svg(outcome))?;
    }
    Ok(())
}
