//! Names of stores to addresses, without those that nothing here may connect to ([`crate::egress`]).

use crate::egress::is_refused;
use redis::{ErrorKind, RedisError, RedisFuture, io::AsyncDNSResolver};
use std::net::SocketAddr;

/// The system's resolver behind a filter. Literal addresses pass through it too.
pub(super) struct Guarded;

impl AsyncDNSResolver for Guarded {
    fn resolve<'a, 'b: 'a>(
        &'a self,
        host: &'b str,
        port: u16,
    ) -> RedisFuture<'a, Box<dyn Iterator<Item = SocketAddr> + Send + 'a>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, port)).await?;
            let allowed: Vec<_> = found.filter(|address| !is_refused(address.ip())).collect();
            if allowed.is_empty() {
                let why = "its name leads to no address, or only to link-local and metadata addresses";
                return Err(RedisError::from((ErrorKind::InvalidClientConfig, why)));
            }
            Ok(Box::new(allowed.into_iter()) as Box<dyn Iterator<Item = SocketAddr> + Send>)
        })
    }
}
