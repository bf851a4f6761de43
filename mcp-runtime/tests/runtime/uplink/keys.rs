//! Session keys come over the stream, and go nowhere else.

use super::{
    Pod,
    operator::{Authority, Operator, term},
    saying, until_logged, until_said,
};
use crate::{
    process::until,
    replicas::{advertised, asked},
};
use mcpfleet_config::stream::SessionKey;
use mcpfleet_runtime::seal::Keyring;

fn key(epoch: u32, byte: u8) -> SessionKey {
    SessionKey { epoch, secret: [byte; 32] }
}

#[tokio::test]
async fn keys_of_the_operator_open_the_peer_port_and_touch_neither_log_nor_disk() {
    let authority = Authority::new();
    let mut operator = Operator::start(&authority, "localhost", term(1)).await;
    let pod = Pod::new(&authority);
    let runtime = pod.start_with(&operator, &["--peer", "127.0.0.1:0"]).await;
    let mut caller = operator.caller().await;
    caller.keys(&[key(1, 0x41)]);
    caller.push_accepted(1, &saying("hello")).await;
    until_said(&runtime, "hello").await;
    let peer = Keyring::random().unwrap();
    let to = advertised(&runtime).await;
    assert!(asked(&peer, &to).await.is_err(), "without a key there is no way in");
    peer.set(&[key(1, 0x41)]).unwrap();
    assert!(asked(&peer, &to).await.unwrap().contains("greet"));

    // The next is announced, and then seals.
    caller.keys(&[key(1, 0x41), key(2, 0x42)]);
    until_logged(&runtime, "[1, 2]").await;
    peer.set(&[key(2, 0x42)]).unwrap();
    assert!(asked(&peer, &to).await.is_err(), "it proves nothing before it seals");
    caller.keys(&[key(2, 0x42), key(1, 0x41)]);
    until("the next key", || async { asked(&peer, &to).await.ok() }).await;

    let logs = runtime.logs().join("\n");
    for secret in ["AAAAAAAAAAAAAAAA", "QUFBQUFBQUFB", "4141414141", "65, 65, 65"] {
        assert!(!logs.contains(secret), "{secret}");
    }
    let kept = std::fs::read_dir(pod.path("state")).unwrap();
    for file in kept {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(16).any(|window| window == [0x41; 16]));
        assert!(!String::from_utf8_lossy(&bytes).contains("QUFBQUFBQUFB"));
    }
}
