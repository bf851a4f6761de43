//! `mcp-runtime bridge -- COMMAND`: serves one program over Streamable HTTP, in every revision.
//!
//! The ordinary server with a configuration that is made here: one upstream, under its own names, for whoever reaches the
//! listener. The program's environment is this process's own, which was made for it.

use super::{
    listening::{Listening, duration},
    serve,
};
use crate::{credentials::Secret, source::given::Given};
use mcpfleet_config::{
    Access, Admission, CredentialRef, DEFAULT_MAX_STREAMS, EnvValue, EnvVar, Listener, Processes,
    RuntimeConfig, ServerName, Upstream, UpstreamTools, UpstreamTransport,
};
use std::{
    collections::BTreeMap, ffi::OsString, os::unix::ffi::OsStringExt as _, path::Path, process::ExitCode,
    sync::Arc, time::Duration,
};

/// Beginning of the variables that are meant for this process rather than for the program.
const OURS: &str = "MCPFLEET_";
/// Name of the Secret that stands for our environment, so that no value of it is part of a configuration.
const ENVIRONMENT: &str = "environment";
/// Longest name of a program.
const MAX_NAME: usize = 63;

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    listening: Listening,
    /// Who shares a process of the program.
    #[arg(long, value_enum, default_value_t = Sharing::Shared)]
    processes: Sharing,
    /// What it is called in logs, metrics and status, and in the path `/default/NAME/mcp`; default: the command's name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// How long one call may take.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    timeout: Duration,
    /// The program and its arguments.
    #[arg(required = true, last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Who shares a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Sharing {
    /// Everybody: nobody is asked anything in the middle of a call of a legacy program.
    Shared,
    /// Nobody: a process for each session.
    PerSession,
}

/// Serves until a signal, then drains, and ends the program.
///
/// # Errors
/// When it cannot start: an address is taken, or the name is none.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let given = args.given(std::env::vars_os())?;
    serve::run(serve::Args::giving(given, args.listening)).await
}

impl Args {
    fn given(&self, own: impl IntoIterator<Item = (OsString, OsString)>) -> anyhow::Result<Given> {
        let (env, secrets) = environment(own);
        let upstream = Upstream {
            name: self.name()?,
            prefix: String::new(),
            transport: UpstreamTransport::Stdio {
                command: self.command.clone(),
                env,
                processes: match self.processes {
                    Sharing::Shared => Processes::Shared,
                    Sharing::PerSession => Processes::PerSession,
                },
            },
            timeout_ms: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX),
            scopes: Vec::new(),
            tools: UpstreamTools::default(),
        };
        let mut config = config(upstream);
        config.format = config.oldest_format();
        config.validate()?;
        Ok(Given { config: Arc::new(config), secrets })
    }

    fn name(&self) -> anyhow::Result<String> {
        let command = self.command.first().map(String::as_str).unwrap_or_default();
        let file = Path::new(command).file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = self.name.clone().unwrap_or_else(|| plain(file));
        let fits = !name.is_empty() && name.len() <= MAX_NAME && plain(&name) == name;
        anyhow::ensure!(
            fits,
            "--name {name:?} is no name: use up to {MAX_NAME} letters, digits, '-' and '_'"
        );
        Ok(name)
    }
}

/// As much of a file's name as can stand in a path.
fn plain(text: &str) -> String {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let kept: String = text.chars().filter(allowed).take(MAX_NAME).collect();
    if kept.is_empty() { "program".into() } else { kept }
}

/// One upstream, and bounds that are those of whoever stands in front.
fn config(upstream: Upstream) -> RuntimeConfig {
    RuntimeConfig {
        format: 0,
        server: ServerName { namespace: "default".into(), name: upstream.name.clone() },
        listener: Listener { tls: None, allowed_origins: Vec::new() },
        access: Access::Anonymous,
        admission: Admission {
            concurrency: 1_024,
            queue_length: 1_024,
            queue_timeout_ms: 30_000,
            max_streams: DEFAULT_MAX_STREAMS,
        },
        tools: Vec::new(),
        prompts: Vec::new(),
        resources: Vec::new(),
        upstreams: vec![upstream],
        providers: Vec::new(),
        serves_models: false,
        store: None,
        tool_search: None,
        neighbours: Vec::new(),
    }
}

/// Our environment as declared variables, and their values.
fn environment(
    own: impl IntoIterator<Item = (OsString, OsString)>,
) -> (Vec<EnvVar>, BTreeMap<CredentialRef, Secret>) {
    let own = own.into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let own =
        own.filter(|(name, _)| !name.starts_with(OURS) && !name.contains('/') && name != "." && name != "..");
    let own: BTreeMap<String, OsString> = own.collect();
    let (mut variables, mut secrets) = (Vec::new(), BTreeMap::new());
    for (name, value) in own {
        let from = CredentialRef { secret: ENVIRONMENT.into(), key: name.clone() };
        // An empty credential counts as missing.
        let value = if value.is_empty() {
            EnvValue::Literal(String::new())
        } else {
            secrets.insert(from.clone(), Secret(value.into_vec()));
            EnvValue::Credential(from)
        };
        variables.push(EnvVar { name, value });
    }
    (variables, secrets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parsed(args: &[&str]) -> Args {
        Line::parse_from(["bridge"].iter().chain(args)).args
    }

    #[test]
    fn the_environment_is_the_programs_and_no_part_of_the_configuration() {
        let own = [("A", "hunter2"), ("B", ""), ("MCPFLEET_ADMIN", "x"), ("..", "x")];
        let own = own.map(|(name, value)| (name.into(), value.into()));
        let given = parsed(&["--", "/bin/cat", "--listen"]).given(own).unwrap();
        let upstream = given.config.is_program().unwrap();
        assert_eq!(upstream.name, "cat");
        let UpstreamTransport::Stdio { command, env, processes } = &upstream.transport else { panic!() };
        assert_eq!((command.join(" ").as_str(), *processes), ("/bin/cat --listen", Processes::Shared));
        assert_eq!(env.iter().map(|variable| variable.name.as_str()).collect::<Vec<_>>(), ["A", "B"]);
        assert!(!serde_json::to_string(&*given.config).unwrap().contains("hunter2"));
        assert_eq!(given.secrets.len(), 1);
    }

    #[test]
    fn a_name_must_fit_into_a_path() {
        let own: [(OsString, OsString); 0] = [];
        let refused = parsed(&["--name", "a/b", "--", "cat"]).given(own.clone()).unwrap_err();
        assert!(refused.to_string().contains("--name \"a/b\""), "{refused}");
        assert!(parsed(&["--name", "a_B-1", "--processes", "per-session", "--", "cat"]).given(own).is_ok());
    }
}
