//! `[listen] proxies` and `client_header`: who stands in front of the listener, and where it says for whom.

use std::net::IpAddr;

/// Addresses whose word about the client is taken, and the header they say it in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    nets: Vec<(IpAddr, u8)>,
    header: String,
}

impl Proxies {
    /// Reads `127.0.0.1, 10.0.0.0/8` and the name of a header.
    ///
    /// # Errors
    /// In words, for what is no address or no header's name.
    pub fn parse(addresses: &str, header: &str) -> Result<Self, String> {
        let is_name = !header.is_empty() && header.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !is_name {
            return Err(format!("\"{header}\" is no header's name: write x-forwarded-for"));
        }
        let parts = addresses.split(',').map(str::trim).filter(|p| !p.is_empty());
        let nets = parts.map(|p| net(p).ok_or_else(|| format!("\"{p}\" is no address: write 127.0.0.1 or 10.0.0.0/8"))).collect::<Result<_, _>>()?;
        Ok(Self { nets, header: header.to_ascii_lowercase() })
    }

    #[must_use]
    pub fn header(&self) -> &str {
        &self.header
    }

    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.nets.iter().any(|(net, bits)| prefix(address, *bits) == prefix(*net, *bits))
    }

    /// The client by the header's lines, in order: the nearest address that is no proxy of ours. What stands
    /// before it the client may have written itself.
    #[must_use]
    pub fn client<'a>(&self, lines: impl DoubleEndedIterator<Item = &'a str>) -> Option<IpAddr> {
        let mut entries = lines.rev().flat_map(|line| line.rsplit(','));
        entries.find_map(|entry| match address(entry) {
            Some(address) if self.holds(address) => None,
            // What cannot be read ends the search: beyond it nothing can be believed.
            other => Some(other),
        })?
    }
}

fn net(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
    let address: IpAddr = address.parse().ok().map(|a: IpAddr| a.to_canonical())?;
    let all = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(all), |b| b.parse().ok().filter(|b| *b <= all))?;
    Some((address, bits))
}

/// Family and leading bits.
fn prefix(address: IpAddr, bits: u8) -> (bool, u128) {
    let shifted = |value: u128, width: u32| value.checked_shr(width.saturating_sub(bits.into())).unwrap_or(0);
    match address {
        IpAddr::V4(a) => (true, shifted(a.to_bits().into(), 32)),
        IpAddr::V6(a) => (false, shifted(a.to_bits(), 128)),
    }
}

/// `1.2.3.4`, `1.2.3.4:80`, `[::1]:80`, and RFC 7239's `for="[::1]:80";proto=https`.
fn address(entry: &str) -> Option<IpAddr> {
    let named = entry.split(';').filter_map(|p| p.trim().split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("for"));
    let text = named.map_or(entry, |(_, value)| value).trim().trim_matches('"');
    let inner = text.strip_prefix('[').and_then(|rest| rest.split(']').next());
    let bare = || text.parse().ok().or_else(|| text.rsplit_once(':')?.0.parse().ok());
    inner.map_or_else(bare, |i| i.parse().ok()).map(|a: IpAddr| a.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_the_nearest_address_that_is_no_proxy() {
        let proxies = Proxies::parse("127.0.0.1, ::1, 10.0.0.0/8", "X-Forwarded-For").unwrap();
        let client = |lines: &[&str]| proxies.client(lines.iter().copied()).map(|a| a.to_string());
        for (lines, want) in [
            (&["203.0.113.9"][..], Some("203.0.113.9")),
            (&["6.6.6.6, 203.0.113.9, 10.1.2.3"], Some("203.0.113.9")),
            (&["6.6.6.6", "203.0.113.9"], Some("203.0.113.9")),
            (&["203.0.113.9:4711"], Some("203.0.113.9")),
            (&["[2001:db8::7]:4711"], Some("2001:db8::7")),
            (&["2001:db8::7"], Some("2001:db8::7")),
            (&["for=\"[2001:db8::7]:4711\";proto=https;by=10.0.0.1"], Some("2001:db8::7")),
            (&["::ffff:203.0.113.9"], Some("203.0.113.9")),
            (&["6.6.6.6, unknown"], None),
            (&["10.0.0.1"], None),
            (&[], None),
        ] {
            assert_eq!(client(lines).as_deref(), want, "{lines:?}");
        }
        assert!(proxies.holds("10.255.0.1".parse().unwrap()) && !proxies.holds("11.0.0.1".parse().unwrap()));
        assert!(proxies.holds("::ffff:127.0.0.1".parse().unwrap()) && !Proxies::default().holds("127.0.0.1".parse().unwrap()));
        assert!(Proxies::parse("10.0.0.0/33", "x").is_err() && Proxies::parse("here", "x").is_err() && Proxies::parse("", "a b").is_err());
    }
}
