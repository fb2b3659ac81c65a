//! `[listen] limits`: what one peer or token may ask of the listener.

use std::{str::FromStr, time::Duration};

/// Written as `connections=512, per_peer=32, rate=100, burst=200, initiate=10, header=5, body=10`; what is left
/// out keeps its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one address; loopback is not counted, a proxy may stand there.
    pub per_peer: usize,
    /// Requests a second of one token.
    pub rate: u32,
    /// Requests of one token at once.
    pub burst: u32,
    /// Calls a minute that one user may ask for by hand.
    pub initiate: u32,
    /// How long the head of a request may take, seconds.
    pub header: Duration,
    /// How long its body may take; of an upload, the next piece of it.
    pub body: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 512, per_peer: 32, rate: 100, burst: 200, initiate: 10, header: Duration::from_secs(5), body: Duration::from_secs(10) }
    }
}

impl FromStr for Limits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut limits = Self::default();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let wrong = || format!("\"{part}\": write connections=512, per_peer=32, rate=100, burst=200, initiate=10, header=5 or body=10");
            let (key, value) = part.split_once('=').ok_or_else(wrong)?;
            let n: u32 = value.trim().parse().ok().filter(|n| *n > 0).ok_or_else(wrong)?;
            let most = if matches!(key.trim(), "header" | "body") { 3600 } else { 100_000 };
            if n > most {
                return Err(format!("\"{part}\": at most {most}"));
            }
            match key.trim() {
                "connections" => limits.connections = n as usize,
                "per_peer" => limits.per_peer = n as usize,
                "rate" => limits.rate = n,
                "burst" => limits.burst = n,
                "initiate" => limits.initiate = n,
                "header" => limits.header = Duration::from_secs(n.into()),
                "body" => limits.body = Duration::from_secs(n.into()),
                _ => return Err(wrong()),
            }
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
        let some: Limits = "per_peer=4, body=2".parse().unwrap();
        assert_eq!((some.per_peer, some.body, some.rate), (4, Duration::from_secs(2), 100));
        assert!("per_peer=0".parse::<Limits>().is_err() && "peers=1".parse::<Limits>().unwrap_err().contains("per_peer=32"));
    }
}
