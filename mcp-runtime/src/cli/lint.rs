//! `mcp-runtime lint DIR|FILE...`: what compile has to say, before a cluster or a runtime sees it.

use crate::source::{
    check::{Checked, check},
    manifests::Manifests,
    problem::Severity,
};
use mcpfleet_crds::compile::Placement;
use std::{path::PathBuf, process::ExitCode};

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Manifests: files, or directories that are read recursively.
    #[arg(required = true, value_name = "DIR|FILE")]
    pub paths: Vec<PathBuf>,
    /// How to print findings.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// How to print findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// One line each.
    Text,
    /// One JSON array.
    Json,
}

/// Checks manifests. Exits 1 on any error; warnings alone exit 0.
///
/// # Errors
/// When the findings cannot be written as JSON.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let manifests = Manifests::read(&args.paths);
    // Lint speaks of what a cluster would do.
    let checked = check(&manifests, &Placement::Cluster);
    let text = match args.output {
        Output::Json => serde_json::to_string_pretty(&checked.problems)?,
        Output::Text => report(&manifests, &checked),
    };
    print(&text);
    Ok(ExitCode::from(u8::from(checked.has_errors())))
}

fn report(manifests: &Manifests, checked: &Checked) -> String {
    let count = |severity| checked.problems.iter().filter(|problem| problem.severity == severity).count();
    let mut lines: Vec<String> = checked.problems.iter().map(ToString::to_string).collect();
    lines.push(format!(
        "{} servers, {} tools, {} routes: {} errors, {} warnings",
        manifests.servers.len(),
        manifests.tools.len(),
        manifests.routes.len(),
        count(Severity::Error),
        count(Severity::Warning),
    ));
    lines.join("\n")
}

#[allow(clippy::print_stdout, reason = "findings are the output of this command")]
fn print(text: &str) {
    println!("{text}");
}
