//! One `mcp-runtime` process, started as a pod would start it.

use super::Hub;
use anyhow::Context as _;
use mcpfleet_config::Encoded;
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::{Child, Command};

/// A running process; killed when dropped.
pub struct Runtime {
    /// Its identity.
    pub uid: String,
    /// Where clients connect.
    pub data: SocketAddr,
    /// Where probes are.
    pub admin: SocketAddr,
    directory: PathBuf,
    flags: Vec<String>,
    operator: String,
    child: Child,
}

impl Runtime {
    /// Starts one that dials `hub`, with more `flags`, from a boot configuration or none.
    ///
    /// # Errors
    /// The binary is not there; `make test-e2e` builds it.
    pub fn start(hub: &Hub, number: u32, boot: Option<&Encoded>, flags: &[&str]) -> anyhow::Result<Self> {
        let uid = format!("uid-{number}");
        let directory = hub.directory().join(&uid);
        std::fs::create_dir_all(&directory)?;
        std::fs::write(
            directory.join("token"),
            super::token::token(super::SERVER, &format!("pod-{uid}"), &uid),
        )?;
        std::fs::copy(hub.bundle(), directory.join("ca.crt"))?;
        if let Some(boot) = boot {
            std::fs::write(directory.join("config.json"), &boot.json)?;
        }
        // Loopback is a /8: each process has an address of its own, as a pod has.
        let [_, high, middle, low] = (number + 0x0001_0000).to_be_bytes();
        let free = || {
            TcpListener::bind((Ipv4Addr::new(127, high, middle, low), 0))
                .and_then(|socket| socket.local_addr())
        };
        let (data, admin) = (free()?, free()?);
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let operator = format!("https://localhost:{}", hub.address.port());
        let child = spawn(&directory, (data, admin), &operator, &flags)?;
        Ok(Self { uid, data, admin, directory, flags, operator, child })
    }

    /// Kills it and starts it anew on the same addresses and files, as a kubelet restarts a container.
    ///
    /// # Errors
    /// The binary is not there.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        self.child = spawn(&self.directory, (self.data, self.admin), &self.operator, &self.flags)?;
        Ok(())
    }

    /// URL of its MCP endpoint.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.data)
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }
}

fn spawn(
    directory: &Path,
    (data, admin): (SocketAddr, SocketAddr),
    operator: &str,
    flags: &[String],
) -> anyhow::Result<Child> {
    let binary =
        std::env::var("MCPFLEET_RUNTIME").context("MCPFLEET_RUNTIME names no binary: run `make test-e2e`")?;
    let file = |name: &str| directory.join(name).into_os_string();
    std::fs::create_dir_all(directory.join("state"))?;
    let log = std::fs::OpenOptions::new().create(true).append(true).open(directory.join("log"))?;
    Command::new(&binary)
        .arg("serve")
        .arg("--config")
        .arg(file("config.json"))
        .args(["--operator", operator, "--listen", &data.to_string(), "--admin", &admin.to_string()])
        .arg("--operator-token")
        .arg(file("token"))
        .arg("--operator-ca")
        .arg(file("ca.crt"))
        .arg("--state")
        .arg(file("state"))
        .args(flags)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run {binary}"))
}
