//! Whom the runtime talks to, and as whom.

use super::{
    Pod,
    operator::{Authority, Manner, Operator, term},
    saying, token, until_logged,
};
use http::StatusCode;
use std::process::Command;

#[tokio::test]
async fn a_redirect_is_followed_to_an_address_and_the_name_is_verified_there() {
    let authority = Authority::new();
    let mut leader = Operator::start(&authority, "localhost", term(1)).await;
    let imposter = Operator::start(&authority, "127.0.0.1", term(1)).await;
    let follower = Operator::start(&authority, "localhost", Manner::Redirect(imposter.location())).await;
    let pod = Pod::new(&authority);
    let _runtime = pod.start(&follower).await;
    follower.until_dials(2).await;
    assert!(imposter.tokens().is_empty(), "the token was given to somebody of another name");
    follower.behave(Manner::Redirect(leader.location()));
    assert_eq!(leader.caller().await.hello().await.server.to_string(), "agents/support");
}

#[tokio::test]
async fn an_operator_of_another_authority_is_not_told_the_token_until_that_authority_is_trusted() {
    let authority = Authority::new();
    let mut operator = Operator::start(&authority, "localhost", term(1)).await;
    let pod = Pod::new(&Authority::new());
    pod.mount(1, &saying("one"));
    let runtime = pod.start(&operator).await;
    until_logged(&runtime, "TLS with it fails").await;
    runtime.until_ready().await;
    assert!(operator.tokens().is_empty());
    pod.write("ca.crt", &authority.pem());
    operator.caller().await.hello().await;
}

#[tokio::test]
async fn each_dial_carries_the_token_of_that_moment_and_failures_are_said_once() {
    let authority = Authority::new();
    let mut operator =
        Operator::start(&authority, "localhost", Manner::Refuse(StatusCode::UNAUTHORIZED)).await;
    let pod = Pod::new(&authority);
    pod.mount(1, &saying("one"));
    let runtime = pod.start(&operator).await;
    operator.until_dials(3).await;
    let bearer = |id: &str| format!("Bearer {}", token(id));
    assert!(operator.tokens().iter().all(|token| *token == bearer("first")));
    pod.write("token", &token("second"));
    operator.behave(term(1));
    let mut stream = operator.caller().await;
    drop(stream.hello().await);
    drop(stream);
    operator.behave(term(1));
    operator.caller().await.hello().await;
    assert_eq!(operator.tokens().last(), Some(&bearer("second")));
    let said = runtime.logs().iter().filter(|line| line.contains("no stream to the operator;")).count();
    assert_eq!(said, 2, "one for the refusals, one for the stream that was closed");
    assert!(runtime.admin("/metrics").await.contains("mcpfleet_operator_connected 1"));
}

#[test]
fn flags_that_do_not_belong_together_are_refused() {
    let refused = |args: &[&str], word: &str| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_mcp-runtime")).arg("serve").args(args).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains(word), "{args:?}: {told}");
    };
    let url = "https://localhost:1";
    refused(&["--config", "c", "--operator", url, "--operator-ca", "ca"], "--operator-token");
    refused(&["--config", "c", "--operator", url, "--operator-token", "t"], "--operator-ca");
    refused(
        &["-f", "d", "--operator", url, "--operator-ca", "ca", "--operator-token", "t"],
        "cannot be used with",
    );
    refused(&["--config", "c", "--state", "s"], "--operator");
    refused(&["--config", "c", "--max-config-format", "99"], "99");
    let plain = ["--operator", "http://localhost:1", "--operator-ca", "ca", "--operator-token", "t"];
    refused(
        &[&["--config", "c", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"][..], &plain].concat(),
        "https://HOST",
    );
}
