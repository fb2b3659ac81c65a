//! The address of a SIP trunk: a host and perhaps a port, nothing else. It is handed to LiveKit, which goes
//! there with a login; so what it may name is judged before.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where a trunk may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Not on the host that LiveKit runs on, nor among the services of its cloud.
    Outside,
    /// LiveKit is on this very machine, or the configuration itself names the address.
    Anywhere,
}

/// An address as it is kept and compared: `host`, `host:port`, `[v6]` or `[v6]:port`, in small letters.
///
/// # Errors
/// What it must be instead, to be said after the address.
pub fn address(text: &str, reach: Reach) -> Result<String, &'static str> {
    let text = text.trim();
    let (host, port) = parts(text).ok_or("is no host: write NAME.pstn.twilio.com or 203.0.113.7:5060, without \"sip:\", a user or parameters")?;
    if port.is_some_and(|p| !p.bytes().all(|b| b.is_ascii_digit()) || !p.parse::<u16>().is_ok_and(|p| p > 0)) {
        return Err("has no port that there is: 1 to 65535");
    }
    let inside = match host {
        Host::Ip(ip) => is_inside(ip),
        Host::Name(name) => is_inside_name(name),
    };
    if inside && reach == Reach::Outside {
        return Err("is inside this network's own hosts: a trunk there is named by [trunk] address");
    }
    Ok(text.to_ascii_lowercase())
}

enum Host<'a> {
    Ip(IpAddr),
    Name(&'a str),
}

fn parts(text: &str) -> Option<(Host<'_>, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (v6, port) = rest.split_once(']')?;
        let ip = IpAddr::V6(v6.parse().ok()?);
        return Some((Host::Ip(ip), if port.is_empty() { None } else { Some(port.strip_prefix(':')?) }));
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(h, p)| (h, Some(p)));
    if let Ok(ip) = host.parse::<Ipv4Addr>() {
        return Some((Host::Ip(ip.into()), port));
    }
    is_name(host).then_some((Host::Name(host), port))
}

/// Labels of letters, digits, hyphens and underscores; a last label that is no number, for resolvers read
/// `127.1` and `0x7f.1` as addresses.
fn is_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let label = |l: &str| {
        (1..=63).contains(&l.len()) && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') && !l.starts_with('-') && !l.ends_with('-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.len() <= 253 && host.split('.').all(label) && !last.starts_with(|c: char| c.is_ascii_digit())
}

fn is_inside(ip: IpAddr) -> bool {
    /// Where a cloud tells a machine of its own its secrets, in IPv6.
    const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    match ip {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.is_multicast() || v4.is_broadcast() || v4.octets()[0] == 0,
        IpAddr::V6(v6) => match v6.to_ipv4() {
            Some(v4) => is_inside(v4.into()),
            None => v6.is_multicast() || v6.is_unicast_link_local() || v6 == METADATA,
        },
    }
}

fn is_inside_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    ["localhost", "localhost.localdomain", "metadata", "metadata.google.internal", "instance-data"].contains(&name.as_str()) || name.ends_with(".localhost")
}

/// Name and password of a trunk; both empty for one that asks for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Login<'a> {
    pub username: &'a str,
    pub password: &'a str,
}

/// The login for an address: the one given with it, else the installation's own where the address is its
/// own too, else none. Whoever names a host could otherwise have it ask for our login.
#[must_use]
pub fn login<'a>(address: &str, given: Login<'a>, own_address: &str, own: Login<'a>) -> Login<'a> {
    let none = Login { username: "", password: "" };
    match (given.username.is_empty(), !own_address.is_empty() && address.eq_ignore_ascii_case(own_address)) {
        (false, _) => given,
        (true, true) => own,
        (true, false) => none,
    }
}

/// A trunk as it is known here, or as LiveKit has it.
#[derive(Debug, Clone, Copy)]
pub struct Described<'a> {
    pub address: &'a str,
    pub numbers: &'a [String],
}

/// What differs between a trunk as it was recorded and as LiveKit has it now, in words; `None` when nothing does.
#[must_use]
pub fn drift(here: Described<'_>, there: Described<'_>) -> Option<String> {
    let mut words = Vec::new();
    if !here.address.eq_ignore_ascii_case(there.address) {
        words.push(format!("the address is {} here and {} at LiveKit", here.address, there.address));
    }
    let only = |a: Described<'_>, b: Described<'_>| a.numbers.iter().filter(|n| !b.numbers.contains(n)).cloned().collect::<Vec<_>>().join(", ");
    let (missing, more) = (only(here, there), only(there, here));
    if !missing.is_empty() {
        words.push(format!("{missing} is not on it at LiveKit"));
    }
    if !more.is_empty() {
        words.push(format!("{more} is on it at LiveKit only"));
    }
    (!words.is_empty()).then(|| words.join("; "))
}
