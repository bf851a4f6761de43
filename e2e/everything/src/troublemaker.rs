//! `troublemaker`: an MCP server of 2025-11-25 on standard input and output that does what programs should not. It writes
//! the ids of its processes into a directory, so that a test can tell what is left of them.

#![allow(clippy::disallowed_methods, reason = "it blocks and it ends at once: that is what it is for")]

use clap::Parser;
use serde_json::{Value, json};
use std::fs;
use std::io::{self, BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Longer than any test.
const FOR_EVER: Duration = Duration::from_hours(1);

/// What it does beside serving.
#[derive(Parser)]
struct Arguments {
    /// Where each process writes a file of its id, and its children theirs.
    #[arg(long)]
    processes: PathBuf,
    /// End at once with this code.
    #[arg(long)]
    end: Option<i32>,
    /// Read on after the end of input, so that only a signal ends it.
    #[arg(long)]
    stay: bool,
    /// Have a child that has left the process group.
    #[arg(long)]
    child: bool,
    /// What becomes of a question that comes before `initialize`.
    #[arg(long, default_value = "refuse")]
    early: Early,
    /// Write so many lines that are no messages.
    #[arg(long, default_value_t = 0)]
    garbage: usize,
    /// Write so many lines to standard error.
    #[arg(long, default_value_t = 0)]
    chatter: usize,
    /// End with code 3 after the file of this name was made; the next process serves.
    #[arg(long)]
    once: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Early {
    Refuse,
    Ignore,
    Die,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    note(&arguments, std::process::id())?;
    if let Some(code) = arguments.end {
        std::process::exit(code);
    }
    if let Some(file) = &arguments.once
        && fs::OpenOptions::new().write(true).create_new(true).open(file).is_ok()
    {
        std::process::exit(3);
    }
    if arguments.child {
        let child = Command::new("setsid").arg("sleep").arg("3600").stdin(Stdio::null()).spawn()?;
        note(&arguments, child.id())?;
    }
    for line in 0..arguments.chatter {
        writeln!(io::stderr(), "line {line} of {}", arguments.chatter)?;
    }
    for line in 0..arguments.garbage {
        writeln!(io::stdout(), "no message: {line}")?;
    }
    let mut server = Server { early: arguments.early, greeted: false, calls: 0 };
    for line in io::stdin().lock().lines() {
        let Ok(message) = serde_json::from_str::<Value>(&line?) else { continue };
        server.take(&message)?;
    }
    if arguments.stay {
        sleep(FOR_EVER);
    }
    Ok(())
}

fn note(arguments: &Arguments, process: u32) -> io::Result<()> {
    fs::write(arguments.processes.join(process.to_string()), "")
}

struct Server {
    early: Early,
    greeted: bool,
    calls: u64,
}

impl Server {
    fn take(&mut self, message: &Value) -> io::Result<()> {
        let method = message["method"].as_str().unwrap_or_default();
        let (Some(id), false) = (message.get("id"), method.is_empty()) else { return Ok(()) };
        match method {
            "initialize" => {
                self.greeted = true;
                let info = json!({"name": "troublemaker", "title": "Trouble", "version": "9.9",
                                  "websiteUrl": "https://trouble.example.com"});
                let capabilities = json!({"tools": {}, "logging": {}});
                let instructions = "Call with care.";
                let result = json!({"protocolVersion": "2025-11-25", "capabilities": capabilities,
                                    "serverInfo": info, "instructions": instructions});
                say(&json!({"jsonrpc": "2.0", "id": id, "result": result}))
            }
            _ if !self.greeted => match self.early {
                Early::Refuse => refuse(id, -32601, "not yet"),
                Early::Ignore => Ok(()),
                Early::Die => std::process::exit(1),
            },
            "tools/list" => say(&json!({"jsonrpc": "2.0", "id": id, "result": {"tools": tools()}})),
            "tools/call" => self.call(id, message),
            "ping" => say(&json!({"jsonrpc": "2.0", "id": id, "result": {}})),
            _ => refuse(id, -32601, "unknown"),
        }
    }

    fn call(&mut self, id: &Value, message: &Value) -> io::Result<()> {
        let arguments = &message["params"]["arguments"];
        self.calls += 1;
        let text = match message["params"]["name"].as_str().unwrap_or_default() {
            "count" => self.calls.to_string(),
            "process" => std::process::id().to_string(),
            "variable" => std::env::var(arguments["name"].as_str().unwrap_or_default()).unwrap_or_default(),
            "crash" => std::process::exit(9),
            "hang" => {
                sleep(FOR_EVER);
                String::new()
            }
            "large" => {
                "x".repeat(usize::try_from(arguments["bytes"].as_u64().unwrap_or_default()).unwrap_or(0))
            }
            "progress" => {
                let token = &message["params"]["_meta"]["progressToken"];
                for step in 0..arguments["steps"].as_u64().unwrap_or_default() {
                    let params = json!({"progressToken": token, "progress": step});
                    say(&json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}))?;
                }
                "done".to_owned()
            }
            "tell" => {
                let params = json!({"level": "error", "data": arguments["secret"]});
                say(&json!({"jsonrpc": "2.0", "method": "notifications/message", "params": params}))?;
                "told".to_owned()
            }
            _ => return refuse(id, -32602, "no such tool"),
        };
        // The id last, as some SDKs have it.
        let content = json!([{"type": "text", "text": text}]);
        let line = format!("{{\"result\":{{\"content\":{content}}},\"jsonrpc\":\"2.0\",\"id\":{id}}}\n");
        io::stdout().write_all(line.as_bytes())?;
        io::stdout().flush()
    }
}

fn tools() -> Value {
    let names = ["count", "crash", "hang", "large", "process", "progress", "tell", "variable"];
    names.map(|name| json!({"name": name, "inputSchema": {"type": "object"}})).as_slice().into()
}

fn refuse(id: &Value, code: i64, message: &str) -> io::Result<()> {
    say(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}))
}

fn say(message: &Value) -> io::Result<()> {
    writeln!(io::stdout(), "{message}")?;
    io::stdout().flush()
}
