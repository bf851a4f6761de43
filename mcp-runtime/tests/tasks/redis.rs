//! A Redis of the test's own.

use std::{
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// It ends with this, and with it all that it holds.
pub(crate) struct Redis {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Redis {
    pub(crate) async fn start() -> Self {
        // Nothing else binds or connects from this address: nobody takes the port in between.
        let address = TcpListener::bind("127.0.0.2:0").unwrap().local_addr().unwrap();
        Self::at(address).await
    }

    pub(crate) async fn at(address: SocketAddr) -> Self {
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let child = Command::new("redis-server")
            .args(["--save", "", "--appendonly", "no", "--bind", &host, "--port", &port])
            .args(["--dir", "/tmp"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("redis-server is installed by e2e/scripts/setup: {error}"));
        while tokio::net::TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self { child, address }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
