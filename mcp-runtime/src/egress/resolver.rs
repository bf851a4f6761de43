//! Name to addresses, without those that are refused. What is returned here is what is connected to: a name that
//! leads elsewhere a moment later changes nothing.

use super::address::is_refused;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;

/// The system's resolver behind a filter.
#[derive(Debug)]
pub(super) struct Guarded;

/// A name leads only to addresses that are refused.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to a link-local or metadata address")]
pub(super) struct RefusedName;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            allowed(&found).map(|addresses| Box::new(addresses.into_iter()) as Addrs).map_err(Into::into)
        })
    }
}

fn allowed(found: &[SocketAddr]) -> Result<Vec<SocketAddr>, RefusedName> {
    let allowed: Vec<_> = found.iter().copied().filter(|address| !is_refused(address.ip())).collect();
    if allowed.is_empty() && !found.is_empty() { Err(RefusedName) } else { Ok(allowed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect()
    }

    #[test]
    fn refused_addresses_are_dropped_from_an_answer() {
        let found = addresses(&["169.254.169.254", "10.0.0.7", "fe80::1"]);
        assert_eq!(allowed(&found).unwrap(), addresses(&["10.0.0.7"]));
    }

    #[test]
    fn a_name_that_leads_nowhere_else_is_refused() {
        assert!(allowed(&addresses(&["169.254.169.254", "fd00:ec2::254"])).is_err());
    }
}
