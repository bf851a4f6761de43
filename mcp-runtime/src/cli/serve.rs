//! `mcp-runtime serve`: wires everything together, and takes it apart again on SIGTERM.

use super::{
    listening::Listening,
    replicas::{self, Replicas},
    stdio,
};
use crate::{
    admin::{self, Admin},
    egress::Egress,
    fleet, program,
    readiness::{Patience, Readiness},
    reload::{Around, Reloader, push::Link},
    seal::Keyring,
    source::{Source, given::Given},
    telemetry::{self, Metrics},
    transport::{
        Exposure, Shared,
        listener::{self, Drained, Form, Limits, own_address},
        tls::Tls,
    },
    uplink::{Uplink, operator::Operator, teller::Teller},
};
use anyhow::Context;
use mcpfleet_config::FORMAT;
use mcpfleet_crds::compile::Placement;
use std::{
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    input: Input,
    /// Directory of mounted Secrets: `<DIR>/<secret>/<key>`.
    #[arg(long, env = "MCPFLEET_CREDENTIALS", value_name = "DIR")]
    credentials: Option<PathBuf>,
    /// Directory with `tls.crt`, `tls.key` and perhaps `ca.crt`. Turns TLS on.
    #[arg(long, env = "MCPFLEET_TLS_DIR", value_name = "DIR")]
    tls_dir: Option<PathBuf>,
    /// Serve one client at standard input and output instead of listening, as desktop applications start servers.
    #[arg(long, conflicts_with_all = ["config", "operator"])]
    stdio: bool,
    /// Which server `--stdio` serves, when DIR has several.
    #[arg(long, value_name = "NAMESPACE/NAME", requires = "stdio")]
    server: Option<String>,
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    fleet: Fleet,
    #[command(flatten)]
    replicas: replicas::Flags,
}

/// What a pod of a fleet is told.
#[derive(Debug, Default, clap::Args)]
struct Fleet {
    /// The operator: follow the configurations that it sends, and report to it.
    #[arg(long = "operator", env = "MCPFLEET_OPERATOR", value_name = "URL",
          requires_all = ["operator_token", "operator_ca", "config"], conflicts_with = "manifests")]
    operator: Option<Url>,
    /// Service account token that proves to the operator who this is.
    #[arg(long, value_name = "FILE", requires = "operator")]
    operator_token: Option<PathBuf>,
    /// Authorities (PEM) that the operator's certificate must come from.
    #[arg(long, value_name = "FILE", requires = "operator")]
    operator_ca: Option<PathBuf>,
    /// Directory for the configuration that the operator sent last, so that a restart begins with it.
    #[arg(long, value_name = "DIR", requires = "operator")]
    state: Option<PathBuf>,
    /// Refuse configurations of a newer format than this, to rehearse an upgrade.
    #[arg(long, env = "MCPFLEET_MAX_CONFIG_FORMAT", value_name = "N", default_value_t = FORMAT,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(FORMAT)), conflicts_with = "manifests")]
    max_config_format: u32,
}

#[derive(Debug, Default, clap::Args)]
#[group(required = true, multiple = false)]
struct Input {
    /// Compiled configuration of one server: JSON, plain or gzip. A file `revision` beside it says how new it is.
    #[arg(long, env = "MCPFLEET_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Manifests: McpServer, McpTool, ProviderRoute and Secret, read recursively.
    #[arg(short = 'f', long = "manifests", env = "MCPFLEET_MANIFESTS", value_name = "DIR")]
    manifests: Option<PathBuf>,
    /// From another command rather than from the command line.
    #[arg(skip)]
    given: Option<Given>,
}

impl Args {
    /// Those of a process that serves one configuration which is there already, by itself.
    pub(super) fn giving(given: Given, listening: Listening) -> Self {
        Self {
            input: Input { given: Some(given), ..Input::default() },
            credentials: None,
            tls_dir: None,
            stdio: false,
            server: None,
            listening,
            fleet: Fleet { max_config_format: FORMAT, ..Fleet::default() },
            replicas: replicas::Flags::default(),
        }
    }

    fn source(&self) -> anyhow::Result<Source> {
        if let Some(given) = &self.input.given {
            return Ok(Source::Given(given.clone()));
        }
        match (&self.input.config, &self.input.manifests) {
            (Some(file), None) => {
                Ok(Source::Config { path: file.clone(), newest: self.fleet.max_config_format })
            }
            (None, Some(dir)) => Ok(Source::Manifests(dir.clone())),
            _ => anyhow::bail!("give exactly one of --config FILE and -f DIR"),
        }
    }

    /// Where everything is, for a process that listens at `bound`.
    fn around(&self, bound: SocketAddr) -> anyhow::Result<Around> {
        let scheme = if self.tls_dir.is_some() { "https" } else { "http" };
        Ok(Around {
            source: self.source()?,
            placement: Placement::Standalone { base_url: format!("{scheme}://{}", own_address(bound)) },
            credentials: self.credentials.clone(),
            tls: Tls::open(self.tls_dir.clone()),
        })
    }

    /// The stream to the operator, when there is one, and its end at the reloader.
    fn uplink(
        &self,
        shared: &Arc<Shared>,
        readiness: &Arc<Readiness>,
    ) -> anyhow::Result<Option<(Uplink, Link)>> {
        let Fleet { operator, operator_token, operator_ca, state, max_config_format } = &self.fleet;
        let Some(url) = operator else { return Ok(None) };
        let (Some(token), Some(ca)) = (operator_token, operator_ca) else {
            anyhow::bail!("--operator needs --operator-token and --operator-ca");
        };
        let operator = Operator::new(url, token.clone(), ca.clone())?;
        let (pushes, arriving) = mpsc::channel(1);
        let teller = Teller {
            shared: shared.clone(),
            readiness: readiness.clone(),
            started: Instant::now(),
            newest: *max_config_format,
        };
        Ok(Some((Uplink { operator, teller, pushes }, Link { pushes: arriving, state: state.clone() })))
    }
}

/// Serves until a signal, then drains.
///
/// # Errors
/// When it cannot start: an address is taken, or the HTTP client cannot be built.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    telemetry::init_logs();
    // Before anything else: a signal that comes while starting must not kill without a drain.
    let signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    if args.stdio {
        return desktop(args, signals).await;
    }
    let data = TcpListener::bind(args.listening.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listening.listen))?;
    let admin = TcpListener::bind(args.listening.admin)
        .await
        .with_context(|| format!("cannot listen on {}", args.listening.admin))?;
    let replicas = args.replicas.open().await?;
    let stop = CancellationToken::new();
    let serving = start(&args, data, admin, replicas, stop.clone())?;
    Ok(finish(serving, signals, &stop).await)
}

/// Serves standard input and output.
async fn desktop(args: Args, (mut terminate, mut interrupt): (Signal, Signal)) -> anyhow::Result<ExitCode> {
    let bound = args.listening.listen;
    let keys = Keyring::random()?;
    let (fleet, metrics) = (Arc::new(fleet::Fleet::default()), Arc::new(Metrics::default()));
    let shared = Shared::new(fleet, metrics, Exposure::Loopback, keys, None);
    let readiness = Readiness::new(shared.clone(), own_address(bound), Patience::Short);
    let reloader = Reloader::new(args.around(bound)?, None, readiness, shared.clone(), Egress::new()?);
    let code = tokio::select! {
        code = stdio::run(shared, reloader, args.server) => code,
        () = either(&mut terminate, &mut interrupt) => Ok(ExitCode::SUCCESS),
    };
    program::stop_all().await;
    code
}

fn start(
    args: &Args,
    data: TcpListener,
    admin: TcpListener,
    replicas: Replicas,
    stop: CancellationToken,
) -> anyhow::Result<impl Future<Output = Drained> + use<>> {
    let bound = data.local_addr()?;
    let exposure = if bound.ip().is_loopback() { Exposure::Loopback } else { Exposure::Network };
    let (keys, peers) = (replicas.keys.clone(), replicas.peers.clone());
    let shared =
        Shared::new(Arc::new(fleet::Fleet::default()), Arc::new(Metrics::default()), exposure, keys, peers);
    let around = args.around(bound)?;
    let readiness = Readiness::new(shared.clone(), own_address(bound), around.source.patience());
    let limits =
        Limits { connections: args.listening.max_connections as usize, drain: args.listening.drain_timeout };
    let about = Arc::new(Admin {
        shared: shared.clone(),
        readiness: readiness.clone(),
        source: around.source.clone(),
        started: AtomicBool::new(false),
    });
    tracing::info!(listen = %bound, admin = %admin.local_addr()?, "listening");
    let (uplink, link) = args.uplink(&shared, &readiness)?.unzip();
    let reloader = Reloader::new(around, link, readiness.clone(), shared.clone(), Egress::new()?);
    tokio::spawn(admin::serve(admin, about.clone()));
    replicas.serve(&shared);
    let (send_form, form) = oneshot::channel();
    let first = move || {
        about.started.store(true, Ordering::Relaxed);
        // Not before: it would say that it serves nothing, and be sent what it is about to read.
        if let Some(uplink) = uplink {
            tokio::spawn(uplink.run());
        }
    };
    // The listener may be gone already when the first configuration comes.
    tokio::spawn(reloader.run(first, |form| drop(send_form.send(form))));
    Ok(accept(data, form, readiness, shared, limits, stop))
}

/// Accepts connections once it is known what to speak on them.
async fn accept(
    data: TcpListener,
    form: oneshot::Receiver<Form>,
    readiness: Arc<Readiness>,
    shared: Arc<Shared>,
    limits: Limits,
    stop: CancellationToken,
) -> Drained {
    let form = tokio::select! {
        form = form => form,
        () = stop.cancelled() => return Drained::All,
    };
    let Ok(form) = form else { return Drained::All };
    readiness.listening(form.clone());
    tokio::spawn(readiness.keep_proving());
    listener::run(data, form, shared, limits, stop).await
}

/// Waits for the first signal, then for the drain or a second signal.
async fn finish(
    serving: impl Future<Output = Drained>,
    (mut terminate, mut interrupt): (Signal, Signal),
    stop: &CancellationToken,
) -> ExitCode {
    let signals = async {
        either(&mut terminate, &mut interrupt).await;
        tracing::info!("draining");
        stop.cancel();
        either(&mut terminate, &mut interrupt).await;
    };
    tokio::select! {
        drained = stopped(serving) => {
            tracing::info!(all = drained == Drained::All, "stopped");
            ExitCode::SUCCESS
        }
        () = signals => {
            tracing::warn!("second signal: stopping at once");
            ExitCode::from(130)
        }
    }
}

/// Waits for the drain, and then for the programs that it has used.
async fn stopped(serving: impl Future<Output = Drained>) -> Drained {
    let drained = serving.await;
    program::stop_all().await;
    drained
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
