//! Numbers and trunks: "No outbound trunk found", and what LiveKit told of the last dials, for which no new one
//! is made.

use std::{collections::BTreeSet, time::Duration};

use chrono::Duration as Span;

use super::{Finding, Patient, unread};
use crate::{
    desk::{Desk, DeskError},
    domain::{
        campaign::Status,
        id::{AssistantId, OwnerId},
        text::clean,
    },
    store::{LastDial, NumberRow, TrunkRow},
    telephony::{
        Trunk,
        livekit::{InboundTrunk, Rule},
    },
};

pub async fn trunks(p: &Patient) -> Vec<Finding> {
    let Some(desk) = &p.desk else { return super::no_rows() };
    let there = p.livekit.as_ref().and_then(|(_, exam)| exam.trunks.as_ref().ok());
    match look(desk, &p.owners, there).await {
        Ok(found) if found.is_empty() => vec![Finding::good("trunks", "every assistant that is called with has a number and a trunk")],
        Ok(found) => found,
        Err(e) => unread("trunks", &e),
    }
}

async fn look(desk: &Desk, owners: &[OwnerId], there: Option<&Vec<Trunk>>) -> Result<Vec<Finding>, DeskError> {
    let store = desk.store();
    let here = store.trunks().await?;
    let mut found = Vec::new();
    for owner in owners {
        let mut needed: BTreeSet<(AssistantId, String)> = BTreeSet::new();
        for c in store.campaigns(*owner, None, 500, 0).await?.rows {
            if c.execution_status != Status::Completed {
                needed.insert((c.assistant_id, c.assistant_name));
            }
        }
        for (assistant, name) in needed {
            let number = store.number_of(assistant).await?;
            found.extend(number_of(&name, number.as_ref()));
        }
        let numbers = store.numbers(*owner).await?;
        for trunk in here.iter().filter(|t| t.user_id == *owner && numbers.iter().any(|n| n.outbound_trunk_id.as_ref() == Some(&t.livekit_id))) {
            found.extend(drift(trunk, there));
            found.extend(unresolved(trunk).await);
        }
    }
    Ok(found)
}

/// What takes calls in: inbound trunks, their rules, and the rule that TwiML's room names need.
pub async fn ways_in(p: &Patient) -> Vec<Finding> {
    let (Some(desk), Some((livekit, exam))) = (&p.desk, &p.livekit) else { return super::no_rows() };
    // Why LiveKit cannot be asked is told above.
    if exam.trunks.is_err() {
        return super::no_rows();
    }
    let mut numbers = Vec::new();
    for owner in &p.owners {
        match desk.store().numbers(*owner).await {
            Ok(rows) => numbers.extend(rows),
            Err(e) => return unread("ways_in", &e.into()),
        }
    }
    match (livekit.inbound_trunks().await, livekit.rules().await) {
        (Ok(trunks), Ok(rules)) => {
            let mut found: Vec<Finding> = numbers.iter().filter_map(|n| way_in(n, &trunks, &rules)).collect();
            if !p.config.twilio_tokens.is_empty() && !rules.iter().any(Rule::is_by_callee) {
                let words = "calls to your own numbers through Twilio's voice URL find no room: no dispatch rule at LiveKit names rooms by the callee. Your own dials are made";
                let way_out = "make one with an empty room prefix (`dispatchRuleCallee`), or let Twilio's trunk bring calls in, without a voice URL";
                found.push(Finding::warning("no_callee_rule", words, way_out));
            }
            if found.is_empty() { vec![Finding::good("ways_in", "every number that takes calls has its trunk and rule at LiveKit")] } else { found }
        }
        (Err(e), _) | (_, Err(e)) => vec![Finding::warning("ways_in", format!("LiveKit does not tell what takes calls in: {e}"), "see the check of LiveKit")],
    }
}

fn way_in(number: &NumberRow, trunks: &[InboundTrunk], rules: &[Rule]) -> Option<Finding> {
    let trunk = number.inbound_trunk_id.as_deref()?;
    let again = format!("`dialdeck number assign {}` again makes what is missing", number.number);
    if !trunks.iter().any(|t| t.trunk_id == trunk) {
        return Some(Finding::warning(
            "inbound_trunk_gone",
            format!("LiveKit knows inbound trunk {trunk} of {} no more: nobody can call it", number.number),
            again,
        ));
    }
    let ruled = rules.iter().any(|r| r.names(trunk));
    (!ruled).then(|| Finding::warning("no_rule", format!("no dispatch rule at LiveKit takes calls to {} in", number.number), again))
}

/// The spec's first case.
fn number_of(assistant: &str, number: Option<&NumberRow>) -> Option<Finding> {
    let way_out = format!("`dialdeck number assign NUMBER --assistant \"{assistant}\" --address NAME.pstn.twilio.com`, or POST /api/v1/phone-numbers/assign");
    match number {
        None => Some(Finding::bad("no_trunk", format!("No outbound trunk found: assistant \"{assistant}\" has no phone number"), way_out)),
        Some(n) if n.trunk_id.is_none() => {
            let words = format!("No outbound trunk found: number {} of assistant \"{assistant}\" has none", n.number);
            Some(Finding::bad("no_trunk", words, way_out))
        }
        Some(_) => None,
    }
}

/// What LiveKit has of a trunk that is stored here.
fn drift(trunk: &TrunkRow, there: Option<&Vec<Trunk>>) -> Vec<Finding> {
    let Some(there) = there else { return Vec::new() };
    let (id, again) = (&trunk.livekit_id, "assign the number again: `dialdeck number assign`");
    let Some(t) = there.iter().find(|t| t.trunk_id == *id) else {
        return vec![Finding::bad("trunk_gone", format!("LiveKit knows no trunk {id} (\"{}\") any more", trunk.name), again)];
    };
    let mut found = Vec::new();
    if !t.address.eq_ignore_ascii_case(&trunk.address) {
        let words = format!("trunk {id} goes to {} at LiveKit, to {} here", clean(&t.address, 100), trunk.address);
        found.push(Finding::warning("trunk_address", words, again));
    }
    let missing: Vec<&str> = trunk.numbers.0.iter().filter(|n| !t.numbers.contains(n)).map(String::as_str).collect();
    if !missing.is_empty() {
        let words = format!("trunk {id} does not carry {} at LiveKit any more", missing.join(", "));
        found.push(Finding::warning("trunk_numbers", words, again));
    }
    found
}

/// So long a name may take.
const LOOKUP: Duration = Duration::from_secs(3);

/// LiveKit looks the name up, not this host, which may have other servers of names: only a warning.
async fn unresolved(trunk: &TrunkRow) -> Option<Finding> {
    let host = trunk.address.rsplit_once(':').map_or(trunk.address.as_str(), |(h, _)| h);
    let known = matches!(tokio::time::timeout(LOOKUP, tokio::net::lookup_host((host, 5060))).await, Ok(Ok(_)));
    let words = format!("the address of trunk {}, {host}, is not known from here: calls by it may fail", trunk.livekit_id);
    (!known)
        .then(|| Finding::warning("trunk_name_unknown", words, "check its spelling; a Twilio trunk's is NAME.pstn.twilio.com, as its Termination page has it"))
}

/// What a dial's end says of our side, by the words that LiveKit's answers are stored under: the beginning of
/// the reason, a word for it, and the way out.
const FAULTS: &[(&str, &str, &str)] = &[
    ("no SIP service answers", "no_sip_service", "start livekit-sip with the same Redis as livekit-server, and look into its log"),
    ("the SIP service is overloaded", "sip_overloaded", "give livekit-sip more cores, or [trunk] max_concurrent fewer lines"),
    ("LiveKit knows no such trunk", "trunk_unknown", "assign the number again: `dialdeck number assign`"),
    ("the trunk's host refuses the connection", "trunk_refused", "check port and transport of the trunk: its provider listens elsewhere"),
    ("the trunk's host does not answer", "trunk_silent", "check the trunk's address, and the firewall between LiveKit and it"),
    ("the trunk's address does not resolve", "trunk_name_unknown", "check its spelling; a Twilio trunk's is NAME.pstn.twilio.com"),
    ("the trunk's host speaks no TLS", "trunk_tls", "choose another transport for the trunk, or its provider's TLS port"),
    ("the trunk's host cannot be reached", "trunk_unreached", "check the trunk's address, and the network of the host with livekit-sip"),
    ("the trunk did not answer SIP", "trunk_silent", "open UDP between livekit-sip and the trunk, and allow its address in the provider's access list"),
    ("the trunk refuses our login", "trunk_login", "give the trunk its user name and password, and put them on the provider's credential list"),
    ("Forbidden (country closed", "trunk_forbidden", "open the country at the carrier (Twilio: Voice geographic permissions), or check the trunk's login"),
    ("key or secret refused", "livekit_secret", "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET"),
    ("the key may not make calls", "livekit_grant", "use a key with SIP rights"),
    ("the request's token had expired", "livekit_clock_behind", "set this host's clock right: `timedatectl set-ntp true`"),
    ("the host is no LiveKit server", "livekit_other", "check LIVEKIT_HOST"),
    ("the host has no SIP API", "livekit_no_sip", "check LIVEKIT_HOST, and that the server is a recent one"),
    ("connection refused", "livekit_away", "check LIVEKIT_HOST and that the server runs"),
];

/// Dials that are looked at.
const LAST: i64 = 20;
const SINCE: Span = Span::hours(24);

/// The spec's fourth case, as far as LiveKit told it.
pub async fn last_dials(p: &Patient) -> Vec<Finding> {
    let Some(desk) = &p.desk else { return super::no_rows() };
    let mut dials = Vec::new();
    for owner in &p.owners {
        match desk.store().last_dials(*owner, desk.now() - SINCE, LAST).await {
            Ok(rows) => dials.extend(rows),
            Err(e) => return unread("last_dials", &e.into()),
        }
    }
    dials.sort_by_key(|d| std::cmp::Reverse(d.completed_at));
    judge(&dials)
}

fn judge(dials: &[LastDial]) -> Vec<Finding> {
    let Some(newest) = dials.first() else { return vec![Finding::good("last_dials", "nobody was dialled in the last 24 hours")] };
    let fault = |d: &LastDial| FAULTS.iter().find(|(reason, ..)| d.reason.starts_with(reason));
    let mut found: Vec<Finding> = Vec::new();
    for (reason, code, way_out) in dials.iter().filter_map(fault) {
        if found.iter().any(|f| f.code == *code) {
            continue;
        }
        let times = dials.iter().filter(|d| d.reason.starts_with(reason)).count();
        let words = format!("Calls not connecting: {reason} ({times} of the last {} dials)", dials.len());
        // Where the newest dial went through it is over.
        let over = !newest.reason.starts_with(reason);
        found.push(if over { Finding::warning(code, format!("{words}, but not the last one"), *way_out) } else { Finding::bad(code, words, *way_out) });
    }
    if found.is_empty() { vec![Finding::good("last_dials", format!("none of the last {} failed by our own fault", dials.len()))] } else { found }
}
