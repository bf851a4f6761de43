//! The services behind the example fleets, one binary.

use clap::{Parser, ValueEnum};
use mcpfleet_e2e::services::{orders::Orders, provider::Provider, serve};
use std::net::SocketAddr;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Parser)]
#[command(version, about)]
struct Args {
    /// Which service to be.
    #[arg(value_enum)]
    service: Which,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    /// An orders API.
    Orders,
    /// A stand-in for a model provider.
    ModelProvider,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    // As process 1 of a container it would not even be ended by a signal that it does not handle.
    let mut terminated = signal(SignalKind::terminate())?;
    let serving = async {
        match args.service {
            Which::Orders => serve(args.listen, Orders).await,
            Which::ModelProvider => serve(args.listen, Provider).await,
        }
    };
    tokio::select! {
        served = serving => served,
        _ = terminated.recv() => Ok(()),
    }
}
