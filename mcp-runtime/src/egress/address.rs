//! Which addresses are never connected to: link-local ones, and those where clouds hand out machine credentials.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::Host;

/// Metadata services that are not link-local: Alibaba Cloud, and Azure's `WireServer`.
const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16)];

/// Metadata services of AWS, Google Cloud and Oracle Cloud.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254),
    Ipv6Addr::new(0xfd00, 0x00c1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
];

/// Whether `address` is refused, in whichever of its IPv6 spellings an IPv4 address comes.
pub(crate) fn is_refused(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_refused_v4(v4),
        IpAddr::V6(v6) => {
            v6.is_unicast_link_local()
                || METADATA_V6.contains(&v6)
                || embedded_v4(v6).is_some_and(is_refused_v4)
        }
    }
}

/// Whether the host is an address that is refused. The URL parser has already turned `0xa9fea9fe` and its like
/// into dotted form.
pub(super) fn is_refused_literal(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(_) => false,
        Host::Ipv4(v4) => is_refused(IpAddr::V4(*v4)),
        Host::Ipv6(v6) => is_refused(IpAddr::V6(*v6)),
    }
}

fn is_refused_v4(address: Ipv4Addr) -> bool {
    address.is_link_local() || METADATA_V4.contains(&address)
}

/// The IPv4 address that a mapped (`::ffff:0:0/96`), compatible (`::/96`), NAT64 (`64:ff9b::/96`, RFC 6052) or 6to4
/// (`2002::/16`, RFC 3056) address leads to.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => from(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    fn refused(url: &str) -> bool {
        Url::parse(url).unwrap().host().is_some_and(|host| is_refused_literal(&host))
    }

    #[test]
    fn every_spelling_of_a_refused_address_is_refused() {
        for url in [
            "http://169.254.169.254/latest",
            "http://0xa9fea9fe/",
            "http://2852039166/",
            "http://0251.0376.0251.0376/",
            "http://169.254.43518/",
            "http://[fe80::1]/",
            "http://[::ffff:169.254.169.254]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://[::169.254.169.254]/",
            "http://[64:ff9b::169.254.169.254]/",
            "http://[2002:a9fe:a9fe::1]/",
            "http://[fd00:ec2::254]/",
            "http://100.100.100.200/",
            "http://[::ffff:100.100.100.200]/",
        ] {
            assert!(refused(url), "{url}");
        }
    }

    #[test]
    fn the_cluster_and_the_world_are_allowed() {
        for url in [
            "http://10.0.0.1/",
            "http://127.0.0.1/",
            "http://192.168.1.1/",
            "http://100.100.100.201/",
            "http://[::1]/",
            "http://[fd00::1]/",
            "http://[2001:db8::1]/",
            "http://shop.default.svc/",
        ] {
            assert!(!refused(url), "{url}");
        }
    }
}
