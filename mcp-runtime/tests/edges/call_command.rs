//! `mcp-runtime call` as a whole, but for the process around it.

use crate::{
    mcp::{count, error, legacy, message, method, methods, modern, result, said, tool},
    server::{Server, closed_port, full},
};
use clap::Parser;
use mcpfleet_runtime::cli::call;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: call::Args,
}

/// Exit code of the command with these arguments, as text: the type compares with nothing.
async fn run(arguments: &[&str]) -> String {
    let cli = Cli::try_parse_from(std::iter::once("call").chain(arguments.iter().copied())).unwrap();
    format!("{:?}", call::run(cli.args).await.unwrap())
}

fn code(code: u8) -> String {
    format!("{:?}", ExitCode::from(code))
}

#[tokio::test]
async fn tools_are_listed_and_called_in_either_era() {
    let modern = Server::start(|seen| async move {
        modern(&seen, &[tool("echo")]).unwrap_or_else(|| said(&seen, "hello"))
    })
    .await;
    let legacy = Server::start(|seen| async move {
        legacy(&seen, "s-1", &[tool("echo")]).unwrap_or_else(|| said(&seen, "hello"))
    })
    .await;
    for server in [&modern, &legacy] {
        let url = server.url("/mcp");
        assert_eq!(run(&[&url, "--header", "Authorization: Bearer t"]).await, code(0));
        assert_eq!(run(&[&url, "echo", "{\"a\":1}", "--output", "json"]).await, code(0));
        let seen = server.seen();
        assert_eq!(seen[0].header("authorization"), Some("Bearer t"));
        let call = seen.iter().find(|seen| method(seen) == "tools/call").unwrap();
        assert_eq!(call.json()["params"]["arguments"], json!({"a": 1}));
    }
    assert_eq!(count(&legacy.seen(), "DELETE"), 2, "each session is ended before the command is");
    assert!(!methods(&modern.seen()).contains(&"initialize".to_owned()));
}

#[tokio::test]
async fn a_tool_that_fails_is_told_from_one_that_cannot_be_asked() {
    let server = Server::start(|seen| async move {
        modern(&seen, &[tool("t")]).unwrap_or_else(|| match seen.json()["params"]["name"].as_str() {
            Some("fails") => result(&seen, json!({"resultType": "complete", "content": [], "isError": true})),
            _ => error(&seen, 200, -32602, "there is no such tool", Value::Null),
        })
    })
    .await;
    let url = server.url("/mcp");
    assert_eq!(run(&[&url, "fails"]).await, code(1));
    assert_eq!(run(&[&url, "unknown"]).await, code(2));
    assert_eq!(run(&[&format!("http://{}/mcp", closed_port().await)]).await, code(2));
    let website = Server::start(|_| std::future::ready(Ok(full(200, "text/html", "<html>")))).await;
    assert_eq!(run(&[&website.url("/")]).await, code(2));
}

#[tokio::test]
async fn wrong_arguments_are_refused_before_anything_is_sent() {
    let server = Server::start(|seen| async move {
        Ok(full(200, "application/json", message(&seen, "result", json!({}))))
    })
    .await;
    for arguments in ["[1]", "{oops", "7", ""] {
        assert_eq!(run(&[&server.url("/mcp"), "t", arguments]).await, code(2));
    }
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn a_server_that_hangs_does_not_hang_the_command() {
    let server = Server::start(|_| std::future::pending()).await;
    assert_eq!(run(&[&server.url("/mcp"), "--timeout", "50ms"]).await, code(2));
}
