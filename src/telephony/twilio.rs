//! Twilio: callback signatures, status callbacks, the TwiML that sends a call into a room. Trunk
//! calls have no callbacks; Programmable Voice legs have.

use base64::Engine;
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::domain::{
    event::{CallEvent, Kind, Source, Target, TwilioStatus},
    recording::{Maker, News, Stage},
};

/// Checks signatures against the configured public URLs and auth tokens.
#[derive(Clone, Default)]
pub struct Signatures {
    tokens: Vec<String>,
    /// Public bases such as `https://example.com`: the URL as configured at Twilio starts with one.
    bases: Vec<String>,
}

/// A decoded form: pairs in the order received.
pub type Form = Vec<(String, String)>;

impl Signatures {
    #[must_use]
    pub fn new(tokens: Vec<String>, bases: &[String]) -> Self {
        Self { tokens, bases: bases.iter().map(|b| b.trim_end_matches('/').to_owned()).collect() }
    }

    /// Whether there is a token to check signatures with.
    #[must_use]
    pub fn can_check(&self) -> bool {
        !self.tokens.is_empty()
    }

    /// Whether a form POST to `target` (the raw request target) was signed by Twilio.
    #[must_use]
    pub fn verify(&self, target: &str, form: &Form, signature: &str) -> bool {
        let Ok(given) = base64::engine::general_purpose::STANDARD.decode(signature.trim()) else { return false };
        // The first is nearly always the one: the others are made where it is not.
        let mut urls = self.bases.iter().flat_map(|b| braces(target).map(move |t| format!("{b}{t}"))).flat_map(|url| spellings(&url));
        urls.any(|url| self.tokens.iter().any(|token| mac(token, &url, form).is_some_and(|m| m.verify_slice(&given).is_ok())))
    }
}

/// Decodes a form body: bytes that are no text are replaced.
#[must_use]
pub fn form_pairs(bytes: &[u8]) -> Form {
    let pair = |p: &[u8]| match p.iter().position(|b| *b == b'=') {
        Some(at) => (decoded(&p[..at]), decoded(&p[at + 1..])),
        None => (decoded(p), String::new()),
    };
    bytes.split(|b| *b == b'&').filter(|p| !p.is_empty()).map(pair).collect()
}

fn decoded(raw: &[u8]) -> String {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| *first == b'%').and_then(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok());
        out.push(hex.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if hex.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// The spec's `{roomName}` is typed with braces, sent with or without, and signed as it was typed or as it was sent.
fn braces(target: &str) -> impl Iterator<Item = String> {
    let (escaped, typed) = (target.replace('{', "%7B").replace('}', "%7D"), target.replace("%7B", "{").replace("%7D", "}"));
    let other = if escaped == target { typed } else { escaped };
    [target.to_owned(), other].into_iter()
}

/// A recording's callback; `None` where it names no recording.
#[must_use]
pub fn recording_status(form: &Form, now: DateTime<Utc>) -> Option<News> {
    let get = |key: &str| form.iter().find(|(k, _)| k == key).map(|(_, v)| v.trim()).filter(|v| !v.is_empty());
    let sid = get("RecordingSid").filter(|s| s.len() <= 64 && s.bytes().all(|b| b.is_ascii_alphanumeric()))?;
    let code = get("ErrorCode").filter(|c| *c != "0");
    Some(News {
        sid: sid.to_owned(),
        call: None,
        call_sid: get("CallSid").map(str::to_owned),
        maker: Maker::Twilio,
        stage: Stage::of_twilio(get("RecordingStatus").unwrap_or_default()),
        url: get("RecordingUrl").filter(|u| u.starts_with("https://") || u.starts_with("http://")).map(str::to_owned),
        duration: get("RecordingDuration").and_then(|d| d.parse().ok()).filter(|d| *d >= 0),
        reason: code.map(|c| format!("Twilio error {c}")).unwrap_or_default(),
        at: now,
    })
}

/// The URL as Twilio may have signed it: port as given, removed, default added.
fn spellings(url: &str) -> Vec<String> {
    let mut out = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return out };
    let (authority, path) = rest.find('/').map_or((rest, ""), |i| rest.split_at(i));
    let host = authority.rsplit_once('@').map_or(authority, |(_, h)| h);
    let (name, port) = host.rsplit_once(':').filter(|(_, p)| p.bytes().all(|b| b.is_ascii_digit())).map_or((host, None), |(n, p)| (n, Some(p)));
    out.push(format!("{scheme}://{host}{path}"));
    match port {
        Some(_) => out.push(format!("{scheme}://{name}{path}")),
        None => out.push(format!("{scheme}://{name}:{}{path}", if scheme == "https" { 443 } else { 80 })),
    }
    out.sort();
    out.dedup();
    out
}

fn mac(token: &str, url: &str, form: &Form) -> Option<Hmac<Sha1>> {
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).ok()?;
    mac.update(url.as_bytes());
    // By key as bytes; several values of a key once each, sorted: the official helpers' rule.
    let mut pairs: Vec<&(String, String)> = form.iter().collect();
    pairs.sort();
    pairs.dedup();
    for (key, value) in pairs {
        mac.update(key.as_bytes());
        mac.update(value.as_bytes());
    }
    Some(mac)
}

/// The signature Twilio would send: for the simulator and `doctor`.
#[must_use]
pub fn sign(token: &str, url: &str, form: &Form) -> String {
    mac(token, url, form).map_or_else(String::new, |m| base64::engine::general_purpose::STANDARD.encode(m.finalize().into_bytes()))
}

/// A status callback as an event. An unknown status or `CallSid` is stored all the same.
#[must_use]
pub fn status_callback(form: Form, now: DateTime<Utc>) -> CallEvent {
    let get = |key: &str| form.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str()).unwrap_or_default();
    let status = match get("CallStatus") {
        "queued" | "initiated" => Some(TwilioStatus::Queued),
        "ringing" => Some(TwilioStatus::Ringing),
        "in-progress" | "answered" => Some(TwilioStatus::InProgress),
        "completed" => Some(TwilioStatus::Completed),
        "busy" => Some(TwilioStatus::Busy),
        "no-answer" => Some(TwilioStatus::NoAnswer),
        "failed" => Some(TwilioStatus::Failed),
        "canceled" => Some(TwilioStatus::Canceled),
        _ => None,
    };
    let sid = get("CallSid");
    let kind = match status {
        Some(status) => Kind::Twilio { status, duration: get("CallDuration").parse().ok(), sip_code: get("SipResponseCode").parse().ok() },
        None => Kind::Other { what: format!("twilio {}", crate::domain::text::clean(get("CallStatus"), 40)) },
    };
    CallEvent {
        key: format!("twilio:{sid}:{}", digest(&form)),
        target: if sid.is_empty() { Target::None } else { Target::CallSid(sid.to_owned()) },
        source: Source::Twilio,
        at: DateTime::parse_from_rfc2822(get("Timestamp")).map_or(now, |t| t.to_utc()),
        kind,
        raw: serde_json::Value::Object(form.into_iter().map(|(k, v)| (k, v.into())).collect()),
    }
}

/// The same callback again has the same digest, whatever the order of its fields.
fn digest(form: &Form) -> String {
    let mut pairs: Vec<&(String, String)> = form.iter().collect();
    pairs.sort();
    let mut hash = Sha256::new();
    for (k, v) in pairs {
        hash.update((k.len() as u64).to_be_bytes());
        hash.update(k);
        hash.update((v.len() as u64).to_be_bytes());
        hash.update(v);
    }
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&hash.finalize()[..12])
}

/// TwiML that sends a call into a LiveKit room over SIP. `None` when the room's name or host has a
/// character that no room of ours has.
#[must_use]
pub fn dial_into_room(room: &str, sip_host: &str) -> Option<String> {
    let plain = |s: &str, extra: &str| !s.is_empty() && s.len() <= 200 && s.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c));
    (plain(room, "-_") && plain(sip_host, "-.:[]"))
        .then(|| format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Dial><Sip>sip:{room}@{sip_host}</Sip></Dial></Response>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pairs: &[(&str, &str)]) -> Form {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    /// The vector published in Twilio's documentation of request validation.
    #[test]
    fn the_published_vector() {
        let f = form(&[("CallSid", "CA1234567890ABCDE"), ("Caller", "+12349013030"), ("Digits", "1234"), ("From", "+12349013030"), ("To", "+18005551212")]);
        let signature = sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", &f);
        assert_eq!(signature, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=");
        let ok = Signatures::new(vec!["12345".into()], &["https://mycompany.com".into()]);
        assert!(ok.verify("/myapp.php?foo=1&bar=2", &f, &signature));
        assert!(!ok.verify("/myapp.php?foo=1&bar=3", &f, &signature));
        assert!(!Signatures::new(vec!["other".into()], &["https://mycompany.com".into()]).verify("/myapp.php?foo=1&bar=2", &f, &signature));
        assert!(!ok.verify("/myapp.php?foo=1&bar=2", &f, ""));
    }

    #[test]
    fn ports_as_given_removed_or_added() {
        let f = form(&[]);
        let with_port = sign("t", "https://x.example:443/a", &f);
        assert!(Signatures::new(vec!["t".into()], &["https://x.example".into()]).verify("/a", &f, &with_port));
        let without = sign("t", "https://x.example/a", &f);
        assert!(Signatures::new(vec!["t".into()], &["https://x.example:8443".into()]).verify("/a", &f, &without));
    }

    #[test]
    fn a_repeat_has_the_same_key_and_another_status_another() {
        let a = status_callback(form(&[("CallSid", "CA1"), ("CallStatus", "ringing")]), DateTime::UNIX_EPOCH);
        let b = status_callback(form(&[("CallStatus", "ringing"), ("CallSid", "CA1")]), DateTime::UNIX_EPOCH);
        let c = status_callback(form(&[("CallSid", "CA1"), ("CallStatus", "completed")]), DateTime::UNIX_EPOCH);
        assert_eq!(a.key, b.key);
        assert_ne!(a.key, c.key);
    }

    #[test]
    fn twiml_takes_only_a_room_alphabet() {
        assert!(dial_into_room("in-CA123", "sip.example.com:5060").unwrap().contains("<Sip>sip:in-CA123@sip.example.com:5060</Sip>"));
        assert_eq!(dial_into_room("a&b", "x"), None);
        assert_eq!(dial_into_room("a", "x\"/>"), None);
    }
}
