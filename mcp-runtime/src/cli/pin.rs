//! `mcp-runtime pin -f DIR`: asks upstreams with `pinning: Strict` for their tools, and prints or writes what approves them.
//!
//! The same manifests, compile path and pool as `serve -f DIR`, so what is pinned is what would be served. On standard
//! output the YAML to paste (nothing with `--write`), on standard error what has changed since the last time: read that
//! before you approve it.

mod report;

use crate::{
    credentials::{self, Credentials},
    egress::Egress,
    outgoing::Signer,
    source::{
        check::check,
        lock::{Lock, Locked as Approved, Tools},
        manifests::{Locked, Manifests},
        problem::Severity,
    },
    upstream::{Definitions, Pool},
};
use anyhow::{Context as _, bail};
use mcpfleet_config::{RuntimeConfig, Upstream};
use mcpfleet_crds::{compile::Placement, v1alpha1::DurationString};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::time::timeout;

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Manifests, as for `serve -f`.
    #[arg(short = 'f', long = "manifests", value_name = "DIR")]
    manifests: PathBuf,
    /// The only server to pin.
    #[arg(long, value_name = "NAMESPACE/NAME")]
    server: Option<String>,
    /// Write DIR/mcpfleet.lock instead of printing.
    #[arg(long)]
    write: bool,
    /// Where `serve -f DIR` runs, for upstreams that are servers of DIR themselves.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    at: String,
    /// Directory of mounted Secrets: `<DIR>/<secret>/<key>`; without it values come from Secret manifests and the
    /// environment.
    #[arg(long, env = "MCPFLEET_CREDENTIALS", value_name = "DIR")]
    credentials: Option<PathBuf>,
    /// How long upstreams may take to answer, all of them together.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    timeout: Duration,
}

/// What was found of one upstream.
struct Pinned {
    server: String,
    /// As it is declared, with the pins that it has now.
    upstream: Upstream,
    given: Result<Tools, String>,
}

fn duration(text: &str) -> Result<Duration, String> {
    DurationString::from(text).to_millis().map(Duration::from_millis).map_err(|error| error.to_string())
}

/// Asks, prints or writes. Exits 1 when an upstream did not answer: what was approved of that one stays as it is.
///
/// # Errors
/// Nothing is there to pin, or the lock file cannot be read or written.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let manifests = Manifests::read(std::slice::from_ref(&args.manifests));
    let servers = servers(&args, &manifests)?;
    let mut pinned = Vec::new();
    for config in servers {
        let secrets = match &args.credentials {
            Some(dir) => credentials::Source::Directory(dir.clone()),
            None => credentials::Source::Values(manifests.secrets_of(&config.server.namespace)),
        };
        let credentials = Arc::new(Credentials::load_for(&secrets, &config));
        pinned.extend(ask(&config, &credentials, args.timeout).await?);
    }
    let out = if args.write {
        write(&args, manifests.lock, &pinned)?;
        String::new()
    } else {
        report::yaml(&pinned)
    };
    // A reader that has seen enough closes the pipe: that is no failure of ours.
    let _ = write!(io::stderr(), "{}", report::changes(&pinned));
    let _ = write!(io::stdout(), "{out}");
    let all = pinned.iter().all(|pinned| pinned.given.is_ok());
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The servers that have something to pin, with those upstreams only.
fn servers(args: &Args, manifests: &Manifests) -> anyhow::Result<Vec<RuntimeConfig>> {
    let checked =
        check(manifests, &Placement::Standalone { base_url: args.at.trim_end_matches('/').to_owned() });
    for problem in checked.problems.iter().filter(|problem| problem.severity == Severity::Error) {
        let _ = writeln!(io::stderr(), "{problem}");
    }
    if manifests.lock == Locked::Broken && args.write && args.server.is_some() {
        bail!(
            "the lock file cannot be read, and what it says of other servers would be lost; leave out --server"
        );
    }
    let wanted = |name: &String| args.server.as_ref().is_none_or(|server| server == name);
    if let Some(server) = args.server.as_ref().filter(|server| !checked.servers.contains_key(*server)) {
        let names: Vec<&str> = checked.servers.keys().map(String::as_str).collect();
        bail!("there is no server {server:?}; there are: {}", names.join(", "));
    }
    let compiled = checked.servers.into_iter().filter(|(name, _)| wanted(name));
    let mut configs = Vec::new();
    for (name, outcome) in compiled {
        let mut config = outcome.with_context(|| name)?.config;
        config.upstreams.retain(|upstream| upstream.tools.pins.is_some());
        if !config.upstreams.is_empty() {
            configs.push(config);
        }
    }
    if configs.is_empty() {
        bail!(
            "no upstream has `pinning: Strict`: set it in spec.upstreams[].tools of those that are to be pinned"
        );
    }
    Ok(configs)
}

async fn ask(
    config: &RuntimeConfig,
    credentials: &Arc<Credentials>,
    longest: Duration,
) -> anyhow::Result<Vec<Pinned>> {
    let egress = Egress::new()?;
    let pool = Pool::new(egress.clone(), Signer::new(egress));
    pool.apply(&config.upstreams, credentials);
    let mut roster = pool.changed();
    // Whoever has not answered by then is reported as such.
    let _ = timeout(longest, roster.wait_for(|roster| roster.is_settled())).await;
    let of = |definitions: Definitions| {
        let upstream = config.upstreams.iter().find(|it| it.name == definitions.upstream)?.clone();
        let given = definitions.given.map(tools).map_err(|status| {
            status.message.unwrap_or_else(|| format!("no answer within {} s", longest.as_secs()))
        });
        Some(Pinned { server: config.server.to_string(), upstream, given })
    };
    Ok(pool.definitions().into_iter().filter_map(of).collect())
}

fn tools(definitions: Vec<Map<String, Value>>) -> Tools {
    let named = definitions.into_iter().filter_map(|definition| {
        let name = definition.get("name")?.as_str()?.to_owned();
        Some((name, Approved::new(definition)))
    });
    // Of two tools of one name the first is served.
    named.fold(Tools::new(), |mut tools, (name, approved)| {
        tools.entry(name).or_insert(approved);
        tools
    })
}

/// Writes what was given; what did not answer keeps what it had.
fn write(args: &Args, before: Locked, pinned: &[Pinned]) -> anyhow::Result<()> {
    if !args.manifests.is_dir() {
        bail!("{} is no directory: a lock file stands beside manifests", args.manifests.display());
    }
    let mut old = match before {
        Locked::Read(lock) => lock,
        Locked::Absent | Locked::Broken => Lock::default(),
    };
    let mut lock = Lock::default();
    for Pinned { server, upstream, given } in pinned {
        let had = old.servers.get_mut(server).and_then(|upstreams| upstreams.remove(&upstream.name));
        if let Some(tools) = given.as_ref().ok().cloned().or(had) {
            lock.servers.entry(server.clone()).or_default().insert(upstream.name.clone(), tools);
        }
    }
    if let Some(only) = &args.server {
        lock.servers.extend(old.servers.into_iter().filter(|(server, _)| server != only));
    }
    lock.write(&args.manifests)
        .with_context(|| format!("cannot write {}", Lock::path(&args.manifests).display()))
}

/// Pins that an upstream has now.
fn pins(upstream: &Upstream) -> BTreeMap<String, String> {
    upstream.tools.pins.clone().unwrap_or_default()
}
