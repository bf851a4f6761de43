//! MCP servers that are programs: started, fed, watched, and ended with everything that they have started
//! (2025-11-25 and 2026-07-28, basic/transports, "stdio").
//!
//! ```text
//! Program (command, environment, how often) -> start: spawner thread -> `mcp-runtime contain` -> COMMAND and its children
//! Process: lines in (queued, written whole) · lines out (Output) · stderr -> log · stop: close stdin, SIGTERM, SIGKILL
//! ```
//! Between us and the program stands [`contain`]: whatever becomes of this process, nothing that the program has started
//! outlives it.

pub mod contain;
mod declared;
mod environment;
mod lines;
mod log;
mod minder;
mod process;
mod restart;
mod spawner;

pub use declared::{MAX_PROCESSES, Program, ProgramError, Seat};
pub use environment::variables;
pub use lines::{Line, Lines};
pub use minder::{End, stop_all};
pub use process::{Output, Process};
