//! `mcp-runtime serve`: what a process is told of the other replicas of its servers.

use crate::{
    adoption::question,
    model::Body,
    peer::{
        Peers,
        listener::{self, Desk},
    },
    seal::{Keyring, file::KeyFile},
    transport::{Closing, Shared, routes},
};
use anyhow::Context;
use http::{Request, Response};
use hyper::body::Incoming;
use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;

/// How often names of other replicas are looked up.
const LOOKUP: Duration = Duration::from_secs(10);

/// Arguments of the command.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Flags {
    /// Keys that all processes behind one address share, one a line, the sealing one first: 32 or more random bytes,
    /// hexadecimal or base64. Read again when it changes. Without it, and without an operator, a session ends with the
    /// process that began it.
    #[arg(long, env = "MCPFLEET_SESSION_KEYS", value_name = "FILE", conflicts_with = "operator")]
    session_keys: Option<PathBuf>,
    /// Where other replicas connect, proving that they share our session keys, to hand on what is for this one.
    #[arg(long, env = "MCPFLEET_PEER", value_name = "ADDR")]
    peer: Option<SocketAddr>,
    /// Where they reach that port, when it is not the address of --peer: an IP address, with or without a port.
    #[arg(long, env = "MCPFLEET_PEER_ADVERTISE", value_name = "IP[:PORT]", requires = "peer", value_parser = advertised)]
    peer_advertise: Option<Advertised>,
    /// The other replicas' peer ports, this one's perhaps among them: who adopts a session whose replica is gone is agreed
    /// with them. A name stands for all its addresses, and is looked up again every 10 s. An operator says it by itself.
    #[arg(
        long,
        env = "MCPFLEET_PEERS",
        value_name = "HOST:PORT",
        value_delimiter = ',',
        requires = "peer",
        conflicts_with = "operator"
    )]
    peers: Vec<String>,
}

/// What to tell others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Advertised {
    ip: IpAddr,
    /// That of the listener, when it is absent.
    port: Option<u16>,
}

/// What comes of the arguments.
pub(super) struct Replicas {
    pub(super) keys: Arc<Keyring>,
    pub(super) peers: Option<Arc<Peers>>,
    socket: Option<TcpListener>,
}

impl Flags {
    /// Reads the keys, and listens.
    ///
    /// # Errors
    /// The file holds no keys, or the address is taken or of no use to others.
    pub(super) async fn open(&self) -> anyhow::Result<Replicas> {
        let keys = Keyring::random()?;
        if let Some(path) = &self.session_keys {
            let file = KeyFile::open(path, &keys);
            let file = file.with_context(|| format!("--session-keys {} cannot be used", path.display()))?;
            tokio::spawn(file.follow(keys.clone()));
        }
        let Some(address) = self.peer else { return Ok(Replicas { keys, peers: None, socket: None }) };
        let socket = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address} for replicas"))?;
        let own = self.own(socket.local_addr()?)?;
        tracing::info!(listen = %socket.local_addr()?, advertised = %own, "listening for other replicas");
        let peers = Peers::new(keys.clone(), own);
        if !self.peers.is_empty() {
            tokio::spawn(follow(self.peers.clone(), peers.clone()));
        }
        Ok(Replicas { peers: Some(peers), keys, socket: Some(socket) })
    }

    fn own(&self, bound: SocketAddr) -> anyhow::Result<SocketAddr> {
        let told = self.peer_advertise.unwrap_or(Advertised { ip: bound.ip(), port: None });
        anyhow::ensure!(
            !told.ip.is_unspecified(),
            "--peer {bound} says where to listen, not where others reach it: give --peer-advertise IP"
        );
        Ok(SocketAddr::new(told.ip, told.port.unwrap_or(bound.port())))
    }
}

impl Replicas {
    /// Answers other replicas, when there is a port for them.
    pub(super) fn serve(self, shared: &Arc<Shared>) {
        let Some(socket) = self.socket else { return };
        let Closing { stop, connections } = shared.peer_port.clone();
        let desk = Desk { keys: self.keys, stop, tasks: connections };
        let shared = shared.clone();
        tokio::spawn(listener::run(socket, desk, move |request| hear(shared.clone(), request)));
    }
}

/// Questions of other replicas, and the requests that they hand on.
async fn hear(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    if request.uri().path() == question::PATH {
        return Ok(question::answer(&shared, request).await);
    }
    routes::handle(shared, request).await
}

/// Keeps up with the addresses behind the names of other replicas.
async fn follow(names: Vec<String>, peers: Arc<Peers>) {
    loop {
        let mut all = Vec::new();
        for name in &names {
            match tokio::net::lookup_host(name).await {
                Ok(found) => all.extend(found),
                Err(error) => tracing::warn!(name, %error, "the name of other replicas leads nowhere now"),
            }
        }
        peers.set_others(all);
        tokio::time::sleep(LOOKUP).await;
    }
}

fn advertised(text: &str) -> Result<Advertised, String> {
    let whole = text.parse::<SocketAddr>().map(|at| Advertised { ip: at.ip(), port: Some(at.port()) });
    let whole = whole.or_else(|_| text.parse::<IpAddr>().map(|ip| Advertised { ip, port: None }));
    whole.map_err(|_| format!("{text:?} is neither an IP address nor IP:PORT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(bound: &str, told: Option<&str>) -> anyhow::Result<String> {
        let peer_advertise = told.map(|told| advertised(told).unwrap());
        let flags = Flags { session_keys: None, peer: None, peer_advertise, peers: Vec::new() };
        Ok(flags.own(bound.parse()?)?.to_string())
    }

    #[test]
    fn others_are_told_an_address_that_they_can_dial() {
        assert_eq!(own("127.0.0.1:8082", None).unwrap(), "127.0.0.1:8082");
        assert_eq!(own("0.0.0.0:8082", Some("10.0.0.7")).unwrap(), "10.0.0.7:8082");
        assert_eq!(own("[::]:8082", Some("fd00::7")).unwrap(), "[fd00::7]:8082");
        assert_eq!(own("0.0.0.0:8082", Some("[fd00::7]:9")).unwrap(), "[fd00::7]:9");
        assert!(own("0.0.0.0:8082", None).unwrap_err().to_string().contains("--peer-advertise"));
        assert!(own("0.0.0.0:8082", Some("0.0.0.0:1")).is_err());
        for bad in ["", "pod-1", "pod-1:8082", "10.0.0.7:", "10.0.0.7:99999"] {
            assert!(advertised(bad).unwrap_err().contains(bad), "{bad}");
        }
    }
}
