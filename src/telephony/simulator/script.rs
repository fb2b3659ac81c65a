//! A scripted telephone network: which number does what, call by call, and which faults are on.

use std::time::Duration;

use serde::Deserialize;

use super::{
    Faults,
    behaviour::{Behaviour, Callee, Plan},
};
use crate::domain::outcome::Outcome;

/// A script file. Entries for the same number are its first, second, ... call; the last one stays.
///
/// ```toml
/// [[callee]]
/// ends = "0142"            # the last digits of the number, or the whole of it
/// ring = 2.5               # seconds
/// talk = 20                # answers and talks so long; without talk it waits for our hang-up
/// outcome = "interested"   # what the agent reports
///
/// [[callee]]
/// ends = "0143"
/// code = 486               # a SIP refusal
/// text = "Busy here"
///
/// [[callee]]
/// ends = "0144"
/// answers = false          # rings for ever
///
/// [[happens]]
/// after = 30               # seconds from the start
/// what = "host_dies"       # or server_dies, sip_dies, redis_forgets, redis_dies, workers_die
/// down = 5                 # seconds
///
/// [faults]
/// webhook_drop = 0.3
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    #[serde(default)]
    callee: Vec<Entry>,
    #[serde(default)]
    pub(super) happens: Vec<Happening>,
    #[serde(default)]
    pub faults: Faults,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Happening {
    /// Seconds from the start.
    pub after: f64,
    pub what: What,
    /// Seconds until it is back.
    #[serde(default)]
    pub down: f64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    HostDies,
    ServerDies,
    SipDies,
    RedisForgets,
    RedisDies,
    WorkersDie,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    ends: String,
    #[serde(default)]
    ring: f64,
    talk: Option<f64>,
    outcome: Option<Outcome>,
    code: Option<u16>,
    #[serde(default)]
    text: String,
    #[serde(default = "yes")]
    answers: bool,
}

fn yes() -> bool {
    true
}

impl Script {
    /// # Errors
    /// With line and reason, when the text is no script.
    pub fn parse(text: &str) -> Result<Self, String> {
        let script: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        let wrong = |e: &Entry| {
            let seconds = [Some(e.ring), e.talk].into_iter().flatten().all(|s| (0.0..=86_400.0).contains(&s));
            let code = e.code.is_none_or(|c| (300..700).contains(&c));
            (!seconds || !code || e.ends.is_empty() || !e.ends.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit())).then(|| {
                format!("callee \"{}\": ends wants digits, ring and talk 0 to 86400 seconds, code 300 to 699", crate::domain::text::clean(&e.ends, 20))
            })
        };
        let late = |h: &Happening| ![h.after, h.down].iter().all(|s| (0.0..=86_400.0).contains(s));
        if script.happens.iter().any(late) {
            return Err("happens: after and down want 0 to 86400 seconds".to_owned());
        }
        script.callee.iter().find_map(wrong).map_or(Ok(script), Err)
    }

    /// The plan for the `nth` call to a number; numbers it does not name behave by their digits.
    pub(super) fn plan(&self, number: &str, nth: usize) -> Plan {
        let mut of_number = self.callee.iter().filter(|e| number.ends_with(&e.ends));
        let mut found = of_number.next();
        for _ in 0..nth {
            found = of_number.next().or(found);
        }
        found.map_or_else(|| Behaviour::Digits.plan(number, nth), Entry::plan)
    }
}

impl Entry {
    fn plan(&self) -> Plan {
        let ring = Duration::from_secs_f64(self.ring);
        let callee = match self.code {
            Some(code) => Callee::Reject { ring, code, text: self.text.clone().into() },
            None if !self.answers => Callee::RingForever,
            None => Callee::Answer { ring, talk: self.talk.map(Duration::from_secs_f64) },
        };
        Plan { callee, outcome: self.outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_by_call() {
        let script =
            Script::parse("[[callee]]\nends = \"0142\"\ncode = 486\n[[callee]]\nends = \"0142\"\nring = 2\ntalk = 20\noutcome = \"interested\"").unwrap();
        assert!(matches!(script.plan("+12025550142", 0).callee, Callee::Reject { code: 486, .. }));
        for nth in [1, 2, 9] {
            assert_eq!(script.plan("+12025550142", nth).outcome, Some(Outcome::Interested), "the last entry stays: {nth}");
        }
        assert!(matches!(script.plan("+12025550408", 0).callee, Callee::RingForever), "others by their digits");
    }

    #[test]
    fn a_wrong_script_says_where() {
        assert!(Script::parse("[[callee]]\nends = \"0142\"\nrings = 1").unwrap_err().contains("rings"));
        assert!(Script::parse("[[callee]]\nends = \"0142\"\ncode = 20").unwrap_err().contains("callee \"0142\""));
        assert!(Script::parse("[[happens]]\nafter = 5\nwhat = \"host_dies\"\ndown = 5").is_ok());
        assert!(Script::parse("[[happens]]\nafter = 5\nwhat = \"nothing\"").unwrap_err().contains("host_dies"));
        assert!(Script::parse("[faults]\nwebhook_lost = 1.0").unwrap_err().contains("webhook_lost"));
    }
}
