//! A peer that is gone, or goes: whether the request may have run is never in doubt.

use crate::replica::{Replica, chunk, endless, patiently, read};
use bytes::Bytes;
use mcpfleet_runtime::peer::{PeerError, Unreached};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinSet,
};

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let one = Replica::greeting(&[1]).await;
    let free = TcpListener::bind("127.0.0.2:0").await.unwrap().local_addr().unwrap();
    let error = one.ask_at(free, "/mcp").await.unwrap_err();
    assert!(matches!(error, PeerError::Unreachable { why: Unreached::Connect(_), .. }), "{error:?}");
    for name in ["", "owner", "owner:8082", "127.0.0.1", "http://127.0.0.1:1"] {
        let error = one.peers.forward(name, crate::replica::request("/mcp")).await.unwrap_err();
        assert_eq!(error, PeerError::Unreachable { peer: name.into(), why: Unreached::NoAddress });
    }
}

#[tokio::test]
async fn one_that_says_nothing_is_unreachable() {
    let one = Replica::greeting(&[1]).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = one.ask_at(silent.local_addr().unwrap(), "/mcp").await.unwrap_err();
    assert!(matches!(error, PeerError::Unreachable { why: Unreached::Timeout, .. }), "{error:?}");
}

#[tokio::test]
async fn a_peer_that_stops_finishes_what_it_has_and_takes_nothing_new() {
    let (say, mut heard) = mpsc::channel::<()>(1);
    let (begin, mut running) = mpsc::channel::<()>(1);
    let go = std::sync::Arc::new(tokio::sync::Notify::new());
    let wait = go.clone();
    let owner = Replica::start(&[1], move |_| {
        let (begin, wait, say) = (begin.clone(), wait.clone(), say.clone());
        async move {
            begin.send(()).await.unwrap();
            wait.notified().await;
            say.send(()).await.unwrap();
            crate::replica::text("done")
        }
    })
    .await;
    let one = Replica::greeting(&[1]).await;
    let asked = async { read(one.ask(&owner, "/mcp").await.unwrap()).await };
    let stopped = async {
        running.recv().await.unwrap();
        tokio::join!(owner.stop(), async {
            go.notify_one();
            heard.recv().await.unwrap();
        });
    };
    let (answer, ()) = tokio::join!(asked, stopped);
    assert_eq!(answer, "done");
    // It may not have heard yet that the connection is gone.
    let error = loop {
        match one.ask(&owner, "/mcp").await.unwrap_err() {
            PeerError::Interrupted { .. } => {}
            error => break error,
        }
    };
    assert!(matches!(error, PeerError::Unreachable { why: Unreached::Connect(_), .. }), "{error:?}");
}

/// A wire that can be cut, or fall silent with both ends in the belief that it is there.
struct Wire {
    address: SocketAddr,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    Silent,
    Cut,
}

impl Wire {
    async fn to(owner: &Replica) -> Self {
        let (socket, there) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), owner.address);
        let (address, state) = (socket.local_addr().unwrap(), watch::Sender::new(State::Whole));
        let told = state.clone();
        tokio::spawn(async move {
            let mut ways = JoinSet::new();
            while let Ok((near, _)) = socket.accept().await {
                let far = TcpStream::connect(there).await.unwrap();
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                ways.spawn(carry(near_in, far_out, told.subscribe()));
                ways.spawn(carry(far_in, near_out, told.subscribe()));
            }
        });
        Self { address, state }
    }

    fn becomes(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<State>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let now = *state.borrow_and_update();
        tokio::select! {
            biased;
            change = state.changed() => if change.is_err() || *state.borrow() == State::Cut { return },
            read = from.read(&mut buffer), if now == State::Whole => match read {
                Ok(length @ 1..) => to.write_all(&buffer[..length]).await.unwrap_or_default(),
                _ => return,
            },
        }
    }
}

#[tokio::test]
async fn a_peer_that_is_lost_before_it_answers_may_have_run_the_request() {
    for loss in [State::Cut, State::Silent] {
        let (begin, mut running) = mpsc::channel::<()>(1);
        let owner = Replica::start(&[1], move |_| {
            let begin = begin.clone();
            async move {
                begin.send(()).await.unwrap();
                std::future::pending().await
            }
        })
        .await;
        let (one, wire) = (Replica::greeting(&[1]).await, Wire::to(&owner).await);
        let (answer, ()) = tokio::join!(one.ask_at(wire.address, "/mcp"), async {
            running.recv().await.unwrap();
            wire.becomes(loss);
        });
        let error = answer.unwrap_err();
        assert!(matches!(error, PeerError::Interrupted { peer, .. } if peer == wire.address), "{error:?}");
        // The next one begins anew.
        wire.becomes(State::Cut);
    }
}

#[tokio::test]
async fn a_peer_that_falls_silent_while_it_answers_is_noticed() {
    let owner = Replica::start(&[1], |_| async { endless() }).await;
    let (one, wire) = (Replica::greeting(&[1]).await, Wire::to(&owner).await);
    let mut body = one.ask_at(wire.address, "/mcp").await.unwrap().into_body();
    wire.becomes(State::Silent);
    assert!(chunk(&mut body).await.is_err(), "a cut answer never looks whole");
}

#[tokio::test]
async fn a_peer_that_comes_back_is_dialled_anew() {
    let owner = Replica::greeting(&[1]).await;
    let (one, wire) = (Replica::greeting(&[1]).await, Wire::to(&owner).await);
    assert_eq!(read(one.ask_at(wire.address, "/mcp").await.unwrap()).await, Bytes::from("hello"));
    wire.becomes(State::Cut);
    patiently(owner.until_alone()).await;
    wire.becomes(State::Whole);
    // The pooled connection may be found to be gone only now; then nothing was sent, or it is told.
    let mut tries = 0;
    let answer = loop {
        match one.ask_at(wire.address, "/mcp").await {
            Ok(answer) => break answer,
            Err(PeerError::Interrupted { .. }) if tries == 0 => tries += 1,
            Err(error) => panic!("{error:?}"),
        }
    };
    assert_eq!(read(answer).await, "hello");
}
