//! `mcp-runtime call URL [TOOL ['{"a":1}']]`: a small MCP client.

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// MCP endpoint.
    pub url: String,
}

/// Lists the tools of a server, or calls one.
pub async fn run(_args: Args) -> anyhow::Result<std::process::ExitCode> {
    Ok(std::process::ExitCode::SUCCESS)
}
