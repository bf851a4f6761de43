//! A slow HTTP service behind a tool: it answers when the test says so, and counts.

use crate::process::until;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Semaphore,
};

pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    arrived: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

impl Backend {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (arrived, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let (count, open) = (arrived.clone(), gate.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (count, open) = (count.clone(), open.clone());
                tokio::spawn(async move {
                    // One request a connection, small enough for one read.
                    let mut request = [0; 4096];
                    if stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                        count.fetch_add(1, Ordering::SeqCst);
                        open.acquire().await.unwrap().forget();
                        let answer =
                            b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 4\r\nconnection: close\r\n\r\ndone";
                        drop(stream.write_all(answer).await);
                    }
                });
            }
        });
        Self { address, arrived, gate }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/work", self.address)
    }

    /// Requests that came.
    pub(crate) fn arrived(&self) -> usize {
        self.arrived.load(Ordering::SeqCst)
    }

    pub(crate) async fn until_arrived(&self, count: usize) {
        until("requests at the backend", || async { (self.arrived() >= count).then_some(()) }).await;
    }

    /// Lets this many requests be answered.
    pub(crate) fn answer(&self, count: usize) {
        self.gate.add_permits(count);
    }
}
