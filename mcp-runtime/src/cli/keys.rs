//! `mcp-runtime keys new`: a virtual key, shown once, and the Secret entry that knows it.

use crate::identity::keys::generate;
use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, process::ExitCode};

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a key: print it once, and the Secret that knows it.
    New(New),
}

/// Whose key it is, and what it may.
#[derive(Debug, clap::Args)]
pub struct New {
    /// Name of the key: letters, digits, '_', '-' or '.'. Shown in logs and metrics.
    #[arg(long, value_name = "NAME")]
    id: String,
    /// Organisation that its bearer belongs to.
    #[arg(long)]
    tenant: Option<String>,
    /// Person that bears it.
    #[arg(long)]
    user: Option<String>,
    /// Program that bears it.
    #[arg(long)]
    agent: Option<String>,
    /// A scope that it is granted; can be repeated.
    #[arg(long = "scope", value_name = "SCOPE", value_parser = scope)]
    scopes: Vec<String>,
    /// A tool that it is limited to, `*` standing for any text; can be repeated. Without it, every tool.
    #[arg(long = "tool", value_name = "TOOL")]
    tools: Vec<String>,
    /// How long it is good: a number and `h` or `d`, such as 90d. Without it, until its entry is removed.
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    expires: Option<SignedDuration>,
    /// Name of the Secret in the output.
    #[arg(long, value_name = "SECRET", default_value = "mcp-keys")]
    secret: String,
}

/// Runs the command. The key goes to standard output with the rest: it is nowhere else.
///
/// # Errors
/// The id is none, or the system has no randomness.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Command::New(new) = &args.command;
    print(&new.output(Timestamp::now())?);
    Ok(ExitCode::SUCCESS)
}

impl New {
    fn output(&self, now: Timestamp) -> anyhow::Result<String> {
        let mut made = generate(&self.id).with_context(|| format!("no key {:?}", self.id))?;
        let entry = &mut made.entry;
        entry.tenant.clone_from(&self.tenant);
        entry.user.clone_from(&self.user);
        entry.agent.clone_from(&self.agent);
        entry.scopes.clone_from(&self.scopes);
        entry.tools = (!self.tools.is_empty()).then(|| self.tools.clone());
        entry.expires = self.expires.map(|lifetime| now.checked_add(lifetime)).transpose()?;
        let secret = serde_json::json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": self.secret},
            "stringData": BTreeMap::from([(&self.id, made.entry.to_yaml()?)]),
        });
        Ok(format!(
            "# The key. It is shown this once and stored nowhere; give it to whom it is for.\n# {}\n\
             # What the server knows of it. Add the entry to the Secret that spec.auth.keys names.\n{}",
            made.key,
            serde_saphyr::to_string(&secret)?
        ))
    }
}

fn scope(text: &str) -> Result<String, String> {
    if mcpfleet_config::is_scope(text) {
        Ok(text.to_owned())
    } else {
        Err("a scope has 1 to 128 printable characters without space, '\"' and '\\'".into())
    }
}

/// Kubernetes durations know no days, and keys live for days.
fn lifetime(text: &str) -> Result<SignedDuration, String> {
    let hours = match (text.strip_suffix('d'), text.strip_suffix('h')) {
        (Some(days), _) => days.parse::<u32>().ok().and_then(|days| days.checked_mul(24)),
        (None, Some(hours)) => hours.parse::<u32>().ok(),
        (None, None) => None,
    };
    match hours {
        Some(hours @ 1..=876_000) => Ok(SignedDuration::from_hours(hours.into())),
        _ => Err("write a number and `h` or `d`, from 1h to 36500d".into()),
    }
}

#[allow(clippy::print_stdout, reason = "the key is the output of this command")]
fn print(text: &str) {
    print!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::keys::Entry;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        new: New,
    }

    fn new(args: &[&str]) -> Result<New, clap::Error> {
        Cli::try_parse_from([&["keys", "--id", "ci"], args].concat()).map(|cli| cli.new)
    }

    #[test]
    fn the_entry_says_what_was_asked_for_and_never_the_key() {
        let args =
            ["--tenant", "acme", "--scope", "a", "--scope", "b", "--tool", "search_*", "--expires", "90d"];
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let output = new(&args).unwrap().output(now).unwrap();
        let key = output.lines().nth(1).unwrap().trim_start_matches("# ");
        assert!(key.starts_with("mcpf_ci_") && key.len() == "mcpf_ci_".len() + 43, "{key}");
        assert_eq!(output.matches(key).count(), 1);
        let secret: serde_json::Value = serde_saphyr::from_str(&output).unwrap();
        let entry = Entry::read(secret["stringData"]["ci"].as_str().unwrap().as_bytes()).unwrap();
        assert_eq!((entry.tenant.as_deref(), entry.scopes.len()), (Some("acme"), 2));
        assert_eq!(entry.tools, Some(vec!["search_*".to_owned()]));
        assert_eq!(entry.expires.unwrap().to_string(), "2026-04-01T00:00:00Z");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for odd in [["--expires", "0d"], ["--expires", "soon"], ["--expires", "90"], ["--scope", "a b"]] {
            assert!(new(&odd).is_err(), "{odd:?}");
        }
        let odd = New { id: "a b".into(), ..new(&[]).unwrap() };
        assert!(odd.output(Timestamp::UNIX_EPOCH).is_err());
    }
}
