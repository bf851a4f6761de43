//! The processes: upstreams with a ledger, and the runtime in front of them.

use super::{Endpoint, Modern, until, within};
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    net::SocketAddr,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
};

/// A key that replicas share.
const KEY: &str = "8b1f0c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";

/// The eras that an upstream can be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UpstreamEra {
    Legacy,
    Modern,
}

impl UpstreamEra {
    pub(crate) const BOTH: [Self; 2] = [Self::Legacy, Self::Modern];

    pub(crate) const fn flag(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Modern => "modern",
        }
    }
}

/// The upstream fixture.
pub(crate) struct Upstream {
    address: SocketAddr,
    _child: Child,
}

impl Upstream {
    pub(crate) async fn start(era: UpstreamEra) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_everything"));
        command.args(["--listen", "127.0.0.1:0", "--era", era.flag()]);
        let mut child = spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()));
        let log = Log::follow(child.stdout.take().expect("its output"));
        let line = log.line("listening").await;
        let address = line["listening"].as_str().and_then(|at| at.parse().ok()).expect("an address");
        Self { address, _child: child }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// What really happened.
    pub(crate) async fn ledger(&self) -> Value {
        Endpoint { address: self.address, path: "/ledger".to_owned() }.get(&[]).await.json().await
    }

    /// A count of the ledger, 0 when there is no such entry.
    pub(crate) async fn count(&self, tool: &str, what: &str) -> u64 {
        self.ledger().await["tools"][tool][what].as_u64().unwrap_or_default()
    }

    /// Waits until the ledger counts so many.
    pub(crate) async fn until(&self, tool: &str, what: &str, count: u64) {
        let look = || async { (self.count(tool, what).await == count).then_some(()) };
        until(&format!("{count} times {what} of {tool} in the ledger"), look).await;
    }
}

/// What replicas share beside their keys.
pub(crate) enum Shares {
    Nothing,
    /// A Redis at this URL.
    Store(String),
}

/// A Redis of the test's own.
pub(crate) struct Redis {
    address: SocketAddr,
    child: Child,
}

impl Redis {
    pub(crate) async fn start() -> Self {
        let [address] = set_aside();
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let mut command = Command::new("redis-server");
        command.args(["--save", "", "--appendonly", "no", "--bind", &host, "--port", &port]);
        let child = spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()));
        let connect = || async move { tokio::net::TcpStream::connect(address).await.ok().map(drop) };
        until("redis-server to listen", connect).await;
        Self { address, child }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub(crate) async fn kill(&mut self) {
        within("Redis to be killed", self.child.kill()).await.expect("killed");
    }
}

/// Addresses at which processes are to listen that are told so. Nothing else binds or connects from this address of the
/// machine itself, so that nobody takes a port in between.
pub(crate) fn set_aside<const N: usize>() -> [SocketAddr; N] {
    [(); N]
        .map(|()| std::net::TcpListener::bind("127.0.0.2:0").expect("a port"))
        .map(|listener| listener.local_addr().expect("its address"))
}

/// A directory of manifests.
pub(crate) struct Manifests {
    directory: TempDir,
    servers: Vec<String>,
}

impl Manifests {
    /// One server that forwards to the upstream at `url`.
    pub(crate) fn of(url: &str) -> Self {
        Self::named(&[("gateway", url)])
    }

    /// Several servers, each with one upstream, whose calls may take a minute.
    pub(crate) fn named(servers: &[(&str, &str)]) -> Self {
        Self::patient("60s", servers)
    }

    /// Several servers, each with one upstream, whose calls may take as long as `timeout` says.
    pub(crate) fn patient(timeout: &str, servers: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut text = String::new();
        for (name, url) in servers {
            let object = format!(
                "---\napiVersion: mcpfleet.dev/v1alpha1\nkind: McpServer\n\
                 metadata: {{name: {name}, namespace: default}}\nspec:\n  auth: {{anonymous: {{}}}}\n  upstreams:\n  \
                 - {{name: upstream, timeout: {timeout}, remote: {{url: \"{url}\"}}}}\n"
            );
            text.write_str(&object).expect("memory");
        }
        std::fs::write(directory.path().join("servers.yaml"), text).expect("a file");
        std::fs::write(directory.path().join("session-keys"), format!("{KEY}\n")).expect("a file");
        let servers = servers.iter().map(|(name, _)| (*name).to_owned()).collect();
        Self { directory, servers }
    }

    /// One server whose replicas share so much, and that forwards to the upstream at `url`.
    pub(crate) fn sharing(shares: &Shares, url: &str) -> Self {
        let manifests = Self::of(url);
        if let Shares::Store(store) = shares {
            let path = manifests.path().join("servers.yaml");
            let servers = std::fs::read_to_string(&path).expect("a file");
            let text = format!(
                "{servers}  store: {{redis: {{secretRef: {{name: redis, key: url}}}}}}\n---\napiVersion: v1\nkind: Secret\n\
                 metadata: {{name: redis, namespace: default}}\nstringData: {{url: \"{store}\"}}\n"
            );
            std::fs::write(path, text).expect("a file");
        }
        manifests
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// One process of the runtime.
pub(crate) struct Runtime {
    pub(crate) mcp: Endpoint,
    admin: SocketAddr,
    child: Child,
    log: Log,
}

impl Runtime {
    /// One that serves these manifests, and has heard what their upstreams offer.
    pub(crate) async fn start(manifests: &Manifests) -> Self {
        let runtime = Self::started(manifests).await;
        runtime.heard(manifests).await;
        runtime
    }

    /// Waits until it serves what its upstreams offer.
    async fn heard(&self, manifests: &Manifests) {
        self.until_ready().await;
        for name in &manifests.servers {
            let server = Modern::new(&self.mcp.on(&format!("/default/{name}/mcp")));
            let look = || async {
                let answer = server.request(1, "tools/list", &json!({})).await.answer().await;
                answer["result"]["tools"].as_array().is_some_and(|tools| !tools.is_empty()).then_some(())
            };
            until(&format!("the tools of {name}"), look).await;
        }
    }

    /// One that listens, but may not be ready: its upstream may never be.
    pub(crate) async fn started(manifests: &Manifests) -> Self {
        let mut command = runtime(manifests);
        command.args(["--peer", "127.0.0.1:0"]);
        Self::spawned(manifests, command).await
    }

    /// One of several, which other replicas reach at `own`; these may be at any of `all`.
    pub(crate) async fn replica(manifests: &Manifests, own: SocketAddr, all: &[SocketAddr]) -> Self {
        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
        let mut command = runtime(manifests);
        command.args(["--peer", &own.to_string(), "--peers", &all.join(","), "--drain-timeout", "20s"]);
        let runtime = Self::spawned(manifests, command).await;
        runtime.heard(manifests).await;
        runtime
    }

    async fn spawned(manifests: &Manifests, mut command: Command) -> Self {
        let keys = manifests.path().join("session-keys");
        command.args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]).arg("--session-keys").arg(keys);
        Self::listening(&mut command).await
    }

    /// One that serves a program by itself; it may not be ready, for the program may never be.
    pub(crate) async fn bridge(flags: &[&str], program: &[&str]) -> Self {
        let mut command = Command::new(binary());
        command.arg("bridge").args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]).args(flags);
        command.arg("--").args(program).env("TOKEN_OF_THE_TEST", "hunter2");
        Self::listening(&mut command).await
    }

    async fn listening(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = spawn(command);
        let log = Log::follow(child.stderr.take().expect("its log"));
        let line = log.line("\"listening\"").await;
        let address = |name: &str| line[name].as_str().and_then(|at| at.parse().ok()).expect("an address");
        let mcp = Endpoint { address: address("listen"), path: "/mcp".to_owned() };
        Self { mcp, admin: address("admin"), child, log }
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn until_ready(&self) {
        let readyz = Endpoint { address: self.admin, path: "/readyz".to_owned() };
        let look = || async { readyz.get(&[]).await.status.is_success().then_some(()) };
        until("the runtime to be ready", look).await;
    }

    /// Kills it, as a machine that fails does.
    pub(crate) async fn kill(&mut self) {
        within("a process to be killed", self.child.kill()).await.expect("killed");
    }

    /// Asks it to end, as a rollout does.
    pub(crate) fn terminate(&self) {
        let process = self.child.id().expect("a process that runs").to_string();
        let sent = std::process::Command::new("kill").args(["-TERM", &process]).status().expect("kill");
        assert!(sent.success());
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) {
        let ended = within("a process to end", self.child.wait()).await.expect("its end");
        assert!(ended.success(), "{ended}: {}", self.log.text());
    }

    /// The document of `/status`.
    pub(crate) async fn status(&self) -> Value {
        Endpoint { address: self.admin, path: "/status".to_owned() }.get(&[]).await.json().await
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(&mut self) {
        self.terminate();
        self.ended().await;
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let process = self.child.id().expect("a process that runs");
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its size");
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kilobytes * 1024
    }

    /// Fails, with its log, if it has ended or panicked.
    pub(crate) fn assert_sound(&mut self) {
        let said = self.log.text();
        assert_eq!(self.child.try_wait().expect("a process"), None, "it has ended: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

/// An upstream and a runtime in front of it.
pub(crate) struct Gateway {
    pub(crate) upstream: Upstream,
    pub(crate) runtime: Runtime,
    pub(crate) mcp: Endpoint,
    _manifests: Manifests,
}

impl Gateway {
    pub(crate) async fn start(era: UpstreamEra) -> Self {
        let upstream = Upstream::start(era).await;
        let manifests = Manifests::of(&upstream.url());
        let runtime = Runtime::start(&manifests).await;
        Self { mcp: runtime.mcp.clone(), upstream, runtime, _manifests: manifests }
    }
}

/// The runtime at a pipe.
pub(crate) fn piped(manifests: &Manifests) -> Child {
    let mut command = runtime(manifests);
    spawn(command.arg("--stdio").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()))
}

fn runtime(manifests: &Manifests) -> Command {
    let mut command = Command::new(binary());
    command.arg("serve").arg("-f").arg(manifests.path());
    command
}

fn binary() -> String {
    let Ok(binary) = std::env::var("MCPFLEET_RUNTIME") else {
        panic!(
            "MCPFLEET_RUNTIME does not say where the runtime is: \
             cargo build -p mcpfleet-runtime, and set it to the path of target/debug/mcp-runtime"
        )
    };
    binary
}

fn spawn(command: &mut Command) -> Child {
    let spawned = command.kill_on_drop(true).spawn();
    spawned.unwrap_or_else(|error| panic!("{}: {error}", command.as_std().get_program().display()))
}

/// What a process has said, line by line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn follow(output: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let log = Self::default();
        let kept = log.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                kept.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        log
    }

    fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    /// The first JSON line that has this text.
    async fn line(&self, text: &str) -> Value {
        until(&format!("a line with {text}"), || async {
            let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            lines.iter().find(|line| line.contains(text)).and_then(|line| serde_json::from_str(line).ok())
        })
        .await
    }
}
