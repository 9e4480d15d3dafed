//! Which addresses a hook may reach.
//!
//! Whoever may configure a hook, or whose name server answers for one, could otherwise have the scheduler talk to
//! services that trust its network. The address that is connected to is looked at, not the name: the resolver of the
//! client hands out none that is refused, so that a name that means another address the next time gains nothing.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Why an address is refused: the words after “is”. `None` if it may be reached.
pub(super) fn objection(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => objection_v4(address),
        IpAddr::V6(address) => objection_v6(address),
    }
}

// By the IANA registries of special-purpose addresses.
fn objection_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [0, ..] => Some("an address of no machine"),
        [127, ..] => Some("this machine itself"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some("an address of a private network"),
        [100, 64..=127, ..] => Some("an address of a provider's own network"),
        [169, 254, ..] => Some("an address of the link alone"),
        [192, 0, 0 | 2, _] | [198, 18..=19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Some("an address for tests, documents or protocols")
        }
        [224..=239, ..] => Some("an address of a group"),
        [240..=255, ..] => Some("an address that is not in use"),
        _ => None,
    }
}

fn objection_v6(address: Ipv6Addr) -> Option<&'static str> {
    let inner = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        objection_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("an address of no machine"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("this machine itself"),
        // An address of version 4 in other clothes; a real one comes as itself.
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] => Some("a mapped address"),
        // What leads to version 4 is judged by where it leads to.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x2002, high, low, ..] => inner(high, low),
        [0x64, 0xff9b, 1, ..] => Some("an address of a private network"),
        [0x100, 0, 0, 0, ..] | [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => {
            Some("an address for tests, documents or protocols")
        }
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Some("an address of a private network"),
        [0xfe80..=0xfebf, ..] => Some("an address of the link alone"),
        [0xff00..=0xffff, ..] => Some("an address of a group"),
        _ => None,
    }
}

/// The resolver of a client that may reach public addresses alone.
#[derive(Debug)]
pub(super) struct PublicAlone;

/// A name that leads nowhere it may.
#[derive(Debug)]
struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl Resolve for PublicAlone {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let name = name.as_str();
            // The port is put in by whoever asks.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
            Ok(Box::new(judged(name, found)?.into_iter()) as Addrs)
        })
    }
}

fn judged(name: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Refused> {
    let (public, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|address| objection(address.ip()).is_none());
    match (public.is_empty(), others.first()) {
        (false, _) => Ok(public),
        (true, Some(address)) => Err(Refused(refusal(name, address.ip()))),
        (true, None) => Err(Refused(format!("`{name}` has no address"))),
    }
}

/// The sentence about an address that is refused.
pub(super) fn refusal(name: &str, address: IpAddr) -> String {
    let why = objection(address).unwrap_or("not public");
    let of = if name.trim_matches(['[', ']']) == address.to_string() {
        String::new()
    } else {
        format!(", the address of `{name}`,")
    };
    format!("`{address}`{of} is {why}; allow private addresses for this channel if that is meant")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_refused_in_every_form() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.1.2.3",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::a00:1",
            "::ffff:0:10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ] {
            let address: IpAddr = text.parse().unwrap();
            assert!(objection(address).is_some(), "{text}");
        }
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "64:ff9b::808:808",
            "2002:808:808::",
        ] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(objection(address), None, "{text}");
        }
    }

    #[test]
    fn of_several_addresses_of_a_name_the_public_ones_are_used() {
        let at = |text: &str| SocketAddr::new(text.parse().unwrap(), 0);
        let found = judged("h.example", vec![at("10.0.0.1"), at("8.8.8.8")]).unwrap();
        assert_eq!(found, [at("8.8.8.8")]);
        let error = judged("h.example", vec![at("10.0.0.1")]).unwrap_err().to_string();
        assert_eq!(
            error,
            "`10.0.0.1`, the address of `h.example`, is an address of a private network; allow private addresses for \
             this channel if that is meant"
        );
        assert!(judged("h.example", Vec::new()).is_err());
    }
}
