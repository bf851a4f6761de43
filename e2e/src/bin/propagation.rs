//! How long a change takes until every runtime has acknowledged it, and what a held stream costs. Real runtime
//! processes on loopback addresses, the operator's own listener and rollout in this process.
//!
//!     MCPFLEET_RUNTIME=target/.../mcp-runtime propagation --runtimes 100 --changes 200

use anyhow::Context as _;
use clap::Parser;
use mcpfleet_e2e::loopback::{Hub, Runtime, tool};
use std::time::Duration;

#[derive(Parser)]
struct Args {
    /// Runtime processes.
    #[arg(long, default_value_t = 100)]
    runtimes: u32,
    /// Changes, one after the other.
    #[arg(long, default_value_t = 200)]
    changes: usize,
    /// How long to watch them idle, in seconds.
    #[arg(long, default_value_t = 30)]
    idle: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let hub = Hub::start().await?;
    let first = hub.apply(tool("hello", "first"))?;
    let alone = memory_kib()?;
    let mut runtimes = Vec::new();
    for number in 0..args.runtimes {
        runtimes.push(Runtime::start(&hub, number, None, &[])?);
    }
    let uids: Vec<String> = runtimes.iter().map(|runtime| runtime.uid.clone()).collect();
    hub.all_serve(&uids, &first).await;
    let held = memory_kib()?;
    let before = cpu_ticks()?;
    tokio::time::sleep(Duration::from_secs(args.idle)).await;
    let idle = cpu_ticks()? - before;
    let mut times = Vec::new();
    for change in 0..args.changes {
        times.push(hub.time_to_acknowledge(tool("hello", &format!("text {change}")), &uids).await?);
    }
    times.sort();
    report(&args, &times, held.saturating_sub(alone), idle)
}

#[allow(clippy::print_stdout, clippy::cast_precision_loss)] // a program that prints figures
fn report(args: &Args, times: &[Duration], grown_kib: u64, idle_ticks: u64) -> anyhow::Result<()> {
    let at = |share: usize| -> anyhow::Result<f64> {
        let index = (times.len() * share / 100).min(times.len().saturating_sub(1));
        Ok(times.get(index).context("there were changes")?.as_secs_f64() * 1_000.0)
    };
    println!("runtimes {}, changes {}", args.runtimes, times.len());
    println!(
        "apply to every acknowledgement: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        at(50)?,
        at(99)?,
        at(100)?
    );
    println!("memory for each held stream: {:.1} KiB", grown_kib as f64 / f64::from(args.runtimes));
    let per_pod = idle_ticks as f64 * 10.0 / args.idle as f64 / f64::from(args.runtimes);
    println!("CPU of the operator's side while idle: {per_pod:.3} ms a second for each runtime");
    Ok(())
}

/// Anonymous memory of this process.
fn memory_kib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("RssAnon:").or_else(|| line.strip_prefix("VmRSS:")));
    let number = line.and_then(|rest| rest.split_whitespace().next()).context("no resident set")?;
    Ok(number.parse()?)
}

/// CPU time of this process, in hundredths of a second.
fn cpu_ticks() -> anyhow::Result<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').context("no name")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
    ticks(11).zip(ticks(12)).map(|(user, system)| user + system).context("no times")
}
