//! LiveKit: whether it answers, takes our key, has the time, and has SIP.

use super::{Finding, Patient};
use crate::telephony::livekit::{Complaint, Exam};

/// A token is good for fifteen seconds: a clock that is further off has every dial refused.
const WRONG_CLOCK: i64 = 15;
const LATE_CLOCK: i64 = 5;

pub fn reach(p: &Patient) -> Vec<Finding> {
    let (Some((_, exam)), Some(config)) = (&p.livekit, &p.config.livekit) else { return Vec::new() };
    let host = crate::config::shown("livekit.host", &config.host);
    match &exam.rooms {
        Ok(()) => vec![Finding::good("livekit", format!("{host} answers and takes our key"))],
        Err(why) => vec![complaint(&host, why, "list rooms")],
    }
}

/// Of values that are tried before they are kept: what should be known though they hold, or why they do not, and which
/// of `host`, `key` and `secret` is to blame.
///
/// # Errors
/// When the server does not take them.
pub fn tried(host: &str, exam: &Exam) -> Result<Option<Finding>, (Option<&'static str>, Finding)> {
    let host = crate::config::shown("livekit.host", host);
    match (&exam.rooms, &exam.trunks) {
        (Err(why), _) => Err((field(why), complaint(&host, why, "list rooms"))),
        (Ok(()), Err(why)) => Ok(Some(complaint(&host, why, "manage SIP trunks"))),
        (Ok(()), Ok(_)) => Ok(None),
    }
}

fn field(why: &Complaint) -> Option<&'static str> {
    match why {
        Complaint::Away(_) | Complaint::NotLiveKit(_) => Some("host"),
        Complaint::UnknownKey | Complaint::NoGrant => Some("key"),
        Complaint::WrongSecret => Some("secret"),
        Complaint::TokenExpired | Complaint::TokenEarly | Complaint::NoSip | Complaint::RedisAway | Complaint::Other(_) => None,
    }
}

fn complaint(host: &str, why: &Complaint, what: &str) -> Finding {
    let failed = |code, words: String, way_out: &str| Finding::bad(code, format!("LiveKit connection failed: {words}"), way_out);
    match why {
        Complaint::Away(words) => {
            failed("livekit_away", format!("nothing answers at {host} ({words})"), "check LIVEKIT_HOST, that the server runs, and the firewall between")
        }
        Complaint::NotLiveKit(status) => {
            failed("livekit_other", format!("{host} is no LiveKit server (its answer, HTTP {status}, is not LiveKit's)"), "check LIVEKIT_HOST")
        }
        Complaint::UnknownKey => failed(
            "livekit_key",
            format!("{host} knows no such API key"),
            "check LIVEKIT_API_KEY: it must be one of the server's `keys`, or of the project at LiveKit Cloud",
        ),
        Complaint::WrongSecret => failed(
            "livekit_secret",
            format!("{host} knows our key, but the secret is not the one that goes with it"),
            "check LIVEKIT_API_SECRET: copy it again, without quotes or spaces",
        ),
        Complaint::TokenExpired => failed(
            "livekit_clock_behind",
            format!("{host} says our tokens have expired: this host's clock is behind"),
            "set the clock right: `timedatectl set-ntp true`",
        ),
        Complaint::TokenEarly => failed(
            "livekit_clock_ahead",
            format!("{host} says our tokens are not valid yet: this host's clock is ahead"),
            "set the clock right: `timedatectl set-ntp true`",
        ),
        Complaint::NoGrant => failed(
            "livekit_grant",
            format!("{host} takes key and secret, but the key may not {what}"),
            "use a key with all rights on this project: rooms, agents and SIP",
        ),
        Complaint::NoSip => failed(
            "livekit_no_sip",
            format!("{host} has no SIP: it runs without Redis, by which it would reach livekit-sip"),
            "give livekit-server and livekit-sip the same Redis in their configuration",
        ),
        Complaint::RedisAway => failed("livekit_redis", format!("{host} runs, but its Redis does not answer it"), "start Redis"),
        Complaint::Other(words) => failed("livekit_error", format!("{host}: {words}"), "look into LiveKit's log"),
    }
}

pub fn clock(p: &Patient) -> Vec<Finding> {
    let Some((_, exam)) = &p.livekit else { return Vec::new() };
    let (Some(theirs), Some(ours)) = (exam.time, p.asked_at) else { return Vec::new() };
    let off = (ours - theirs).num_seconds();
    let words = format!("this host's clock is {} s {} LiveKit's", off.abs(), if off > 0 { "ahead of" } else { "behind" });
    let way_out = "set the clock right on both hosts: `timedatectl set-ntp true`";
    match off.abs() {
        WRONG_CLOCK.. => vec![Finding::bad("clock", words, way_out)],
        LATE_CLOCK.. => vec![Finding::warning("clock", words, way_out)],
        _ => vec![Finding::good("clock", "agrees with LiveKit's")],
    }
}

/// What can be known of SIP without dialling: that the server lists trunks for our key.
pub fn sip(p: &Patient) -> Vec<Finding> {
    let (Some((_, exam)), Some(config)) = (&p.livekit, &p.config.livekit) else { return Vec::new() };
    let host = crate::config::shown("livekit.host", &config.host);
    match &exam.trunks {
        Ok(trunks) => {
            vec![Finding::good(
                "sip",
                format!(
                    "{host} takes our key and has {}; whether it dials, the first call shows",
                    if trunks.len() == 1 { "1 outbound trunk".to_owned() } else { format!("{} outbound trunks", trunks.len()) }
                ),
            )]
        }
        // Said once, by the check of LiveKit.
        Err(why) if exam.rooms.as_ref().err() == Some(why) => Vec::new(),
        Err(why) => vec![complaint(&host, why, "manage SIP trunks")],
    }
}
