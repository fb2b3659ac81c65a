//! `[listen] limits`: what one peer, token or owner may ask of the listener.

use std::{str::FromStr, time::Duration};

/// Written as `connections=512, per_peer=32, rate=100`; what is left out keeps its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one address; loopback and proxies are not counted. Of a client behind a proxy, requests
    /// at once.
    pub per_peer: usize,
    /// Requests a second of one token.
    pub rate: u32,
    /// Requests of one token at once.
    pub burst: u32,
    /// Calls a minute that one owner asks for one by one.
    pub initiate: u32,
    /// Signed webhooks a second, of everybody.
    pub webhooks: u32,
    /// Streams of news of one owner.
    pub streams: usize,
    /// How long the head of a request may take.
    pub header: Duration,
    /// How long its body may take; of an upload, the next piece of it.
    pub body: Duration,
    /// How long a peer may leave an answer unread.
    pub write: Duration,
    /// Bytes of a JSON body.
    pub json: usize,
    /// Bytes of a webhook's.
    pub webhook: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            per_peer: 32,
            rate: 100,
            burst: 200,
            initiate: 10,
            webhooks: 10_000,
            streams: 8,
            header: Duration::from_secs(5),
            body: Duration::from_secs(10),
            write: Duration::from_secs(30),
            json: 256 << 10,
            webhook: 64 << 10,
        }
    }
}

/// A name, the most it may be, and where it goes.
type Name = (&'static str, u32, fn(&mut Limits, u32));

const NAMES: [Name; 12] = [
    ("connections", 100_000, |l, n| l.connections = n as usize),
    ("per_peer", 100_000, |l, n| l.per_peer = n as usize),
    ("rate", 100_000, |l, n| l.rate = n),
    ("burst", 100_000, |l, n| l.burst = n),
    ("initiate", 100_000, |l, n| l.initiate = n),
    ("webhooks", 1_000_000, |l, n| l.webhooks = n),
    ("streams", 1000, |l, n| l.streams = n as usize),
    ("header", 3600, |l, n| l.header = Duration::from_secs(n.into())),
    ("body", 3600, |l, n| l.body = Duration::from_secs(n.into())),
    ("write", 3600, |l, n| l.write = Duration::from_secs(n.into())),
    ("json_kib", 16 << 10, |l, n| l.json = (n as usize) << 10),
    ("webhook_kib", 16 << 10, |l, n| l.webhook = (n as usize) << 10),
];

impl FromStr for Limits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut limits = Self::default();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let wrong = || {
                let names: Vec<&str> = NAMES.iter().map(|(name, ..)| *name).collect();
                format!("\"{part}\": write name=number, such as per_peer=32; the names are {}", names.join(", "))
            };
            let (key, value) = part.split_once('=').ok_or_else(wrong)?;
            let (_, most, put) = NAMES.iter().find(|(name, ..)| *name == key.trim()).ok_or_else(wrong)?;
            let n: u32 = value.trim().parse().ok().filter(|n| *n > 0).ok_or_else(wrong)?;
            if n > *most {
                return Err(format!("\"{part}\": at most {most}"));
            }
            put(&mut limits, n);
        }
        Ok(limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_of_them() {
        assert_eq!("".parse(), Ok(Limits::default()));
        let some: Limits = "per_peer=4, body=2, json_kib=1".parse().unwrap();
        assert_eq!((some.per_peer, some.body, some.rate, some.json), (4, Duration::from_secs(2), 100, 1024));
        assert!("per_peer=0".parse::<Limits>().is_err() && "peers=1".parse::<Limits>().unwrap_err().contains("per_peer"));
        assert!(NAMES.iter().all(|(name, most, _)| format!("{name}={most}").parse::<Limits>().is_ok()));
    }
}
