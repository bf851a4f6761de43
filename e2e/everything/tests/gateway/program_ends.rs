//! Nothing of a program outlives the runtime that has started it.

use crate::harness::{Modern, Trouble, text};
use serde_json::json;

/// Starts what follows it deaf to SIGTERM.
const DEAF: [&str; 4] = ["sh", "-c", "trap '' TERM; exec \"$@\"", "sh"];

#[tokio::test]
async fn a_program_that_is_asked_to_end_is_gone_with_its_children() {
    for (starter, doing) in [
        (&[][..], &[][..]),
        (&[], &["--child"]),
        (&[], &["--stay", "--child"]),
        (&DEAF, &["--stay", "--child"]),
    ] {
        let mut trouble = Trouble::under(starter, &[], doing).await;
        trouble.runtime.until_ready().await;
        assert_eq!(text(&Modern::new(&trouble.mcp).call(1, "count", &json!({})).await), "1");
        assert!(!trouble.alive().is_empty());
        trouble.runtime.stop().await;
        assert_eq!(trouble.alive(), [""; 0], "{starter:?} {doing:?}");
    }
}

#[tokio::test]
async fn a_program_whose_runtime_is_killed_is_gone_with_its_children() {
    for starter in [&[][..], &DEAF] {
        let mut trouble =
            Trouble::under(starter, &["--processes", "per-session"], &["--stay", "--child"]).await;
        trouble.runtime.until_ready().await;
        assert_eq!(text(&Modern::new(&trouble.mcp).call(1, "count", &json!({})).await), "1");
        assert!(trouble.alive().len() >= 2, "a program and its child");
        trouble.runtime.kill().await;
        trouble.until_alive(0).await;
    }
}

#[tokio::test]
async fn a_program_that_crashes_leaves_no_children() {
    let trouble = Trouble::start(&["--processes", "per-session"], &["--child"]).await;
    let session = crate::harness::Session::open(&trouble.mcp).await;
    session.call(1, "count", &json!({})).await;
    trouble.until_alive(4).await;
    session.call(2, "crash", &json!({})).await;
    trouble.until_alive(2).await;
}
