//! For whom a value holds, where several hosts share a database: none of these is in it.

/// Whom a key is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This host alone.
    Host,
    /// All calls while this host dials: to be the same on every host that may.
    Dialling,
}

impl Scope {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Host => "this host",
            Self::Dialling => "while this host dials",
        }
    }
}

/// Sections that decide of calls.
const DIALLING: &[&str] = &["engine", "trunk", "breaker", "compliance", "retention", "recording", "livekit", "twilio"];

/// Keys of those sections that do not.
const BUT: &[&str] = &["engine.enabled", "engine.on_hangup", "engine.drain_timeout"];

/// Whom a key is about.
#[must_use]
pub fn scope_of(key: &str) -> Scope {
    let section = key.split('.').next().unwrap_or_default();
    if DIALLING.contains(&section) && !BUT.contains(&key) { Scope::Dialling } else { Scope::Host }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::KEYS;

    #[test]
    fn every_exception_is_a_key() {
        assert!(BUT.iter().all(|but| KEYS.iter().any(|(key, _)| key == but)));
        assert!(DIALLING.iter().all(|section| KEYS.iter().any(|(key, _)| key.starts_with(&format!("{section}.")))));
        assert_eq!((scope_of("compliance.profile"), scope_of("console.theme"), scope_of("engine.enabled")), (Scope::Dialling, Scope::Host, Scope::Host));
    }
}
