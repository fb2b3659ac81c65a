//! "Why is nothing dialling?": one sentence with the binding gate and the next moment it changes,
//! from the same rows and the same gates the engine uses. Serves the console's `w`, the API's
//! status, `campaign why` and the preflight.

use chrono::{DateTime, Utc};

use super::{Desk, DeskError, Preflight, calls::campaign_facts, campaigns::missing_fields};
use crate::{
    domain::{campaign::Status, gate, schedule, zone},
    store::{CampaignRow, ZoneHead},
};

/// The binding gate in words, and when it changes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Explanation {
    /// `open` when calls are being made.
    pub gate: String,
    pub message: String,
    pub until: Option<DateTime<Utc>>,
    /// What waits, and for what.
    #[serde(skip)]
    pub waiting: Waiting,
}

/// The contacts left: who may be called now, who later.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    pub dialable_now: i64,
    /// Due later, or where the law is closed.
    pub later: i64,
    pub zones: Vec<ZoneWait>,
    /// On the list, or flagged in the file.
    pub do_not_call: i64,
    /// Called as often as allowed, and not reached.
    pub exhausted: i64,
    /// Rows of the import that were refused.
    pub invalid: i64,
    /// Seconds of calling that are left, at the pace so far.
    pub calling_seconds: i64,
}

/// Contacts that wait for their zone to open.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ZoneWait {
    pub zones: String,
    pub waiting: i64,
    /// `None`: no hour suits all its zones, or the zone is unknown.
    pub opens: Option<DateTime<Utc>>,
}

/// Contacts looked at for missing script fields before a start.
const SAMPLE: i64 = 5000;

impl Desk {
    /// Whether a zone may be called now, and when it may.
    #[must_use]
    pub fn zone_opens(&self, key: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let Some(window) = self.rules.profile.contact_window() else { return Some(now) };
        schedule::next_open_in_all(&window, &zone::parse_key(key)?, now)
    }

    /// # Errors
    /// When the database cannot be read.
    pub async fn explain(&self, row: &CampaignRow) -> Result<Explanation, DeskError> {
        let now = self.now();
        let heads = self.store.zone_heads(row.id).await?;
        let (zones, dialable_now) = self.zone_waits(row, &heads, now).await?;
        let (gate, message, until) = self.binding(row, &heads, now).await?;
        let source = match row.source_id() {
            Some(id) => self.store.source(row.user_id, id).await?,
            None => None,
        };
        let (do_not_call, invalid) = source.map_or((0, 0), |s| (s.do_not_call, s.invalid));
        let exhausted = self.store.exhausted(row.id, row.retry.0.max_attempts).await?;
        let later = row.counts.pending - dialable_now;
        let waiting = Waiting { dialable_now, later, zones, do_not_call, exhausted, invalid, calling_seconds: calling_left(row) };
        Ok(Explanation { gate, message, until, waiting })
    }

    async fn zone_waits(&self, row: &CampaignRow, heads: &[ZoneHead], now: DateTime<Utc>) -> Result<(Vec<ZoneWait>, i64), DeskError> {
        let mut waits = Vec::new();
        let mut dialable = 0;
        for head in heads {
            let places = self.store.zone_pending(row.id, &head.zones, now).await?;
            let opens = self.zone_opens(&head.zones, now);
            if opens == Some(now) {
                // The zone is awake; a state in it may still say no.
                let zones = zone::parse_key(&head.zones);
                let open = |number: &str, country: &str| gate::legal_hours(&self.rules, &gate::Place { number, country, zones: zones.as_deref() }, now).is_ok();
                dialable += places.iter().filter(|(number, country, ..)| open(number, country)).map(|p| p.3).sum::<i64>();
            }
            waits.push(ZoneWait { zones: head.zones.clone(), waiting: places.iter().map(|p| p.2).sum(), opens });
        }
        Ok((waits, dialable))
    }

    /// The first closed gate in the order of the contract.
    async fn binding(&self, row: &CampaignRow, heads: &[ZoneHead], now: DateTime<Utc>) -> Result<(String, String, Option<DateTime<Utc>>), DeskError> {
        let say = |gate: &str, message: String, until| Ok((gate.to_owned(), message, until));
        if row.execution_status != Status::Running {
            let reason = if row.status_reason.is_empty() { String::new() } else { format!(": {}", row.status_reason) };
            let way = match row.execution_status {
                Status::Idle => ". s starts it",
                Status::Paused => ". p resumes it",
                Status::Error => ". Mend it and start it again",
                Status::Running | Status::Completed => "",
            };
            return say("state", format!("the campaign is {}{reason}{way}", row.execution_status.as_str()), None);
        }
        if self.store.setting("kill_switch").await?.as_deref() == Some("on") {
            let reason = self.store.setting("kill_switch_reason").await?.filter(|r| !r.is_empty());
            return say("kill_switch", reason.unwrap_or_else(|| "the kill switch is on: nothing is dialled on any host".to_owned()), None);
        }
        match self.refuse_without_terms().await {
            Err(DeskError::Refused(refusal)) => return say(refusal.gate, refusal.message, None),
            other => other?,
        }
        if let Some(words) = self.store.setting("engine_health").await?.filter(|w| !w.is_empty()) {
            return say("engine", words, None);
        }
        if let Some(words) = self.store.setting(&super::note_key(row.id)).await?.filter(|w| !w.is_empty()) {
            return say("agent", words, None);
        }
        let used = self.store.campaign_day(row.id, schedule::local_day(row.zone(), now)).await?.map_or(0, |d| d.used);
        if let Err(refusal) = gate::campaign(&campaign_facts(row, used, row.counts.live, None), now) {
            return say(refusal.gate, refusal.message, refusal.until);
        }
        let (gate, message, until) = self.binding_zone(row, heads, now).await?;
        match self.brake(row).await? {
            Some(words) if gate == "open" => say("brake", words, None),
            _ => Ok((gate, message, until)),
        }
    }

    async fn binding_zone(&self, row: &CampaignRow, heads: &[ZoneHead], now: DateTime<Utc>) -> Result<(String, String, Option<DateTime<Utc>>), DeskError> {
        let say = |gate: &str, message: String, until| Ok((gate.to_owned(), message, until));
        if heads.is_empty() {
            return if row.counts.processing > 0 {
                say("open", format!("the last {} calls are being made", row.counts.processing), None)
            } else if row.fill_position.is_some() {
                say("open", "the queue is being filled".to_owned(), None)
            } else {
                say("done", "everybody was called".to_owned(), None)
            };
        }
        let openings = heads.iter().filter_map(|h| Some((self.zone_opens(&h.zones, now.max(h.due))?, h)));
        let Some((first, head)) = openings.min_by_key(|(t, _)| *t) else {
            return say("contact_zone", "no hour suits the time zones of the contacts left, or their zone is unknown".to_owned(), None);
        };
        if first <= now {
            return say("open", "calls are being made".to_owned(), None);
        }
        if head.due > now && self.zone_opens(&head.zones, now) == Some(now) {
            if let Some((number, country)) = self.store.head_of_zone(row.id, &head.zones).await? {
                let zones = zone::parse_key(&head.zones);
                let place = gate::Place { number: &number, country: &country, zones: zones.as_deref() };
                if let Err(refusal) = gate::legal_hours(&self.rules, &place, now) {
                    return say(refusal.gate, refusal.message, refusal.until);
                }
            }
            return say("retry", "all contacts left are to be tried again later".to_owned(), Some(first));
        }
        let window = self.rules.profile.contact_window().map(|w| w.label()).unwrap_or_default();
        say("contact_hours", format!("outside {window} on the clock of the contacts left ({})", zone::label(&head.zones)), Some(first))
    }

    /// What a start finds, in one look.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn preflight(&self, row: &CampaignRow) -> Result<Preflight, DeskError> {
        let source = match row.source_id() {
            Some(id) => self.store.source(row.user_id, id).await?,
            None => None,
        };
        let sample = match row.source_id() {
            Some(id) => self.store.sample_contacts(id, SAMPLE).await?,
            None => Vec::new(),
        };
        let (missing, without) = missing_fields(row.script(), &sample);
        let why = self.explain(row).await?;
        Ok(Preflight {
            contacts: source.as_ref().map_or(0, |s| s.contacts),
            do_not_call: source.as_ref().map_or(0, |s| s.do_not_call),
            missing_fields: missing,
            contacts_without_fields: without,
            // An engine may have taken some already.
            dialable_now: why.waiting.dialable_now + row.counts.processing,
            waiting_until: why.until,
            why: why.message,
        })
    }
}

/// How long the pending calls take while calling is open: by the delay between them, or by how long
/// calls have lasted so far and how many go at once.
fn calling_left(row: &CampaignRow) -> i64 {
    /// Ringing, or a call nobody has data of yet; seconds.
    const RING: i64 = 15;
    const UNKNOWN: i64 = 45;
    let c = &row.counts;
    let each = if c.dials >= 20 { c.talk_seconds / c.dials + RING } else { UNKNOWN };
    let by_lines = each * 1000 / row.max_concurrent.max(1);
    c.pending * by_lines.max(row.call_delay_ms) / 1000
}
