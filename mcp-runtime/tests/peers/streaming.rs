//! Answers come as they are made, no faster than they are read, and end when nobody reads them.

use crate::replica::{Replica, chunk, endless, patiently, read, streamed};
use bytes::Bytes;
use futures::stream;
use http_body_util::BodyExt as _;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

/// A script that answers once, by what the test sends.
fn spoken(chunks: mpsc::Receiver<Bytes>) -> crate::replica::Script {
    let chunks = Arc::new(Mutex::new(Some(chunks)));
    Arc::new(move |_| {
        let chunks = chunks.clone();
        Box::pin(async move {
            let chunks = chunks.lock().await.take().unwrap();
            streamed(stream::unfold(chunks, |mut chunks| async {
                chunks.recv().await.map(|chunk| (chunk, chunks))
            }))
        })
    })
}

#[tokio::test]
async fn each_chunk_arrives_before_the_next_is_made() {
    let (say, chunks) = mpsc::channel(1);
    let owner = Replica::scripted(&[1], spoken(chunks)).await;
    let one = Replica::greeting(&[1]).await;
    // The head is there before any of the body.
    let mut body = one.ask(&owner, "/mcp").await.unwrap().into_body();
    for text in ["one", "two", "three"] {
        say.send(Bytes::from_static(text.as_bytes())).await.unwrap();
        assert_eq!(chunk(&mut body).await.unwrap(), text);
    }
    drop(say);
    assert!(patiently(body.frame()).await.is_none());
}

/// Says when it is dropped.
struct Cancels(CancellationToken);

impl Drop for Cancels {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[tokio::test]
async fn a_body_that_is_dropped_cancels_at_the_owner() {
    let cancelled = CancellationToken::new();
    let guard = cancelled.clone();
    let owner = Replica::start(&[1], move |_| {
        let guard = Cancels(guard.clone());
        async move {
            streamed(stream::unfold(guard, |guard| async move {
                std::future::pending::<()>().await;
                Some((Bytes::new(), guard))
            }))
        }
    })
    .await;
    let one = Replica::greeting(&[1]).await;
    let response = one.ask(&owner, "/mcp").await.unwrap();
    assert!(!cancelled.is_cancelled());
    drop(response);
    patiently(cancelled.cancelled()).await;
}

#[tokio::test]
async fn a_forward_that_is_dropped_cancels_at_the_owner() {
    let cancelled = CancellationToken::new();
    let (began, mut running) = mpsc::channel(1);
    let guard = cancelled.clone();
    let owner = Replica::start(&[1], move |_| {
        let (guard, began) = (Cancels(guard.clone()), began.clone());
        async move {
            began.send(()).await.unwrap();
            std::future::pending::<()>().await;
            drop(guard);
            endless()
        }
    })
    .await;
    let one = Replica::greeting(&[1]).await;
    tokio::select! {
        _ = one.ask(&owner, "/mcp") => panic!("it never answers"),
        _ = running.recv() => {}
    }
    patiently(cancelled.cancelled()).await;
}

#[tokio::test]
async fn a_slow_reader_slows_its_own_answer_and_no_other() {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = made.clone();
    let owner = Replica::start(&[1], move |request| {
        let (made, flood) = (counter.clone(), request.uri().path() == "/flood");
        async move {
            let chunks = stream::repeat_with(move || {
                made.fetch_add(1, Ordering::SeqCst);
                Bytes::from(vec![7; 16 * 1024])
            });
            if flood { streamed(chunks) } else { crate::replica::text("hello") }
        }
    })
    .await;
    let one = Replica::greeting(&[1]).await;
    let mut flood = one.ask(&owner, "/flood").await.unwrap().into_body();
    for _ in 0..200 {
        assert_eq!(read(one.ask(&owner, "/mcp").await.unwrap()).await, "hello");
    }
    // The window of the stream and what waits to be sent are full: 4 chunks each, and one in hand.
    let stalled = made.load(Ordering::SeqCst);
    assert!(stalled <= 16, "{stalled} chunks were made for a reader that reads nothing");
    let mut got = 0;
    while got < 64 * 16 * 1024 {
        got += chunk(&mut flood).await.unwrap().len();
    }
    assert!(made.load(Ordering::SeqCst) >= 64);
}

#[tokio::test]
async fn more_requests_than_a_connection_holds_open_another() {
    let owner = Replica::start(&[1], |_| async { endless() }).await;
    let one = Replica::greeting(&[1]).await;
    let mut held = Vec::new();
    for _ in 0..300 {
        held.push(one.ask(&owner, "/mcp").await.unwrap());
    }
    assert_eq!(owner.connections(), 3);
    // Room that is given back is used again.
    held.truncate(100);
    for _ in 0..150 {
        held.push(one.ask(&owner, "/mcp").await.unwrap());
    }
    assert_eq!(owner.connections(), 3);
}

#[tokio::test]
async fn many_at_once_share_one_dial() {
    let owner = Replica::greeting(&[1]).await;
    let one = Arc::new(Replica::greeting(&[1]).await);
    let address = owner.address;
    let asked: Vec<_> = (0..100)
        .map(|_| {
            let one = one.clone();
            tokio::spawn(async move { read(one.ask_at(address, "/mcp").await.unwrap()).await })
        })
        .collect();
    for answer in asked {
        assert_eq!(answer.await.unwrap(), "hello");
    }
    assert_eq!(owner.connections(), 1);
}
