//! "Why is nothing dialling?": the gate that the one decision names, in one sentence, with the next moment
//! it changes; and who of the contacts left waits for what. Serves the console's `w`, the API's status,
//! `campaign why` and the preflight.

use chrono::{DateTime, Utc};

use super::{Desk, DeskError, Hands, Preflight, campaigns::missing_fields};
use crate::{
    domain::{
        campaign::Status,
        dispatch::{self, Closed, Closes, Decision, Gate, Place},
        place, schedule,
        zone::{self, Zone},
    },
    store::{CampaignRow, PlaceCount, Setting, ZoneHead},
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

impl Explanation {
    /// The whole story, a line each, on the clock of a zone: the gate, the counts, who waits where.
    #[must_use]
    pub fn lines(&self, zone: Zone, now: DateTime<Utc>) -> Vec<String> {
        let at = |t: DateTime<Utc>| t.with_timezone(&zone).format("%a %H:%M %Z").to_string();
        let w = &self.waiting;
        let mut lines = vec![self.message.clone()];
        lines.extend(self.until.map(|t| format!("changes at {}", at(t))));
        lines.push(format!(
            "{} dialable now, {} later, {} on do-not-call, {} exhausted, {} invalid; about {} h {:02} min of calling left",
            w.dialable_now,
            w.later,
            w.do_not_call,
            w.exhausted,
            w.invalid,
            w.calling_seconds / 3600,
            w.calling_seconds / 60 % 60
        ));
        lines.extend(w.zones.iter().map(|z| {
            let opens = match z.opens {
                None => "never: no hour suits".to_owned(),
                Some(t) if t <= now => "open now".to_owned(),
                Some(t) => format!("opens {}", at(t)),
            };
            format!("{:>7}  {}  {opens}", z.waiting, zone::label(&z.zones))
        }));
        lines
    }
}

/// Contacts looked at for missing script fields before a start.
const SAMPLE: i64 = 5000;

/// A pace that lets calls pass again within this is no reason: calls are being made.
const MOMENT: chrono::Duration = chrono::Duration::seconds(10);

impl Desk {
    /// When a zone may be called by the widest hours of the profile, at or after a moment.
    fn zone_opens(&self, key: &str, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let Some(window) = self.rules.profile.contact_window() else { return Some(from) };
        schedule::next_open_in_all(&window, &zone::parse_key(key)?, from)
    }

    pub async fn explain(&self, row: &CampaignRow) -> Result<Explanation, DeskError> {
        let (gate, message, until) = self.binding(row).await?;
        Ok(Explanation { gate: gate.to_owned(), message, until, waiting: self.waiting(row).await? })
    }

    /// What the engine would decide now, from what is in the rows.
    async fn binding(&self, row: &CampaignRow) -> Result<(&'static str, String, Option<DateTime<Utc>>), DeskError> {
        let mut installation = self.standing().await?;
        installation.unwell = self.store.setting(Setting::EngineHealth).await?.map(|words| (words, None));
        let no_agent = self.store.setting(Setting::CampaignNote(row.id)).await?.map(|words| (words, None));
        let look = self.decide(row, &installation, &Hands::default(), no_agent).await?;
        let closed = match look.decision {
            Decision::Wait(closed) | Decision::Ended(closed) => closed,
            Decision::Go { .. } => return Ok(going(look.board.campaign.brake)),
        };
        let passes = closed.gate.closes() == Closes::Pace && closed.until.is_some_and(|t| t - look.board.now < MOMENT);
        if passes && closed.gate != Gate::Queue {
            return Ok(going(look.board.campaign.brake));
        }
        let closed = self.law_of_head(row, closed).await?;
        Ok((closed.gate.word(), closed.message, closed.until))
    }

    /// Where all contacts left are due later, the law of a state may be the reason.
    async fn law_of_head(&self, row: &CampaignRow, closed: Closed) -> Result<Closed, DeskError> {
        if closed.gate != Gate::Retry {
            return Ok(closed);
        }
        let heads = self.store.zone_heads(row.id).await?;
        let Some(head) = heads.iter().min_by_key(|h| h.due) else { return Ok(closed) };
        let Some((number, country)) = self.store.head_of_zone(row.id, &head.zones).await? else { return Ok(closed) };
        let zones = zone::parse_key(&head.zones);
        let place = Place { number: &number, country: &country, zones: zones.as_deref(), states: zone::states_of(&head.zones).collect() };
        Ok(dispatch::legal_hours(&self.rules, &place, self.now()).err().unwrap_or(closed))
    }

    async fn waiting(&self, row: &CampaignRow) -> Result<Waiting, DeskError> {
        let now = self.now();
        let source = match row.source_id() {
            Some(id) => self.store.source(row.user_id, id).await?,
            None => None,
        };
        let (contacts, flagged, invalid) = source.as_ref().map_or((0, 0, 0), |s| (s.contacts, s.do_not_call, s.invalid));
        let mut waiting = Waiting { do_not_call: flagged, invalid, ..Waiting::default() };
        let heads = self.store.zone_heads(row.id).await?;
        self.queued(row, &heads, now, &mut waiting).await?;
        // Who has no row yet: everybody of a campaign that has not begun, the rest of one that fills.
        let after = match (row.execution_status, row.fill_position) {
            (Status::Idle, _) => Some(-1),
            (_, position) => position,
        };
        if let (Some(source), Some(after)) = (row.source_id(), after) {
            let places = self.store.unqueued_contacts(row.user_id, source, after).await?;
            if row.execution_status == Status::Idle {
                let callable: i64 = places.iter().map(|p| p.n).sum();
                waiting.do_not_call = contacts - callable;
            }
            self.unqueued(places, now, &mut waiting);
        }
        waiting.later = waiting.zones.iter().map(|z| z.waiting).sum::<i64>() - waiting.dialable_now;
        waiting.exhausted = self.store.exhausted(row.id, row.retry.0.max_attempts).await?;
        waiting.calling_seconds = calling_left(row, waiting.dialable_now + waiting.later);
        Ok(waiting)
    }

    async fn queued(&self, row: &CampaignRow, heads: &[ZoneHead], now: DateTime<Utc>, waiting: &mut Waiting) -> Result<(), DeskError> {
        for head in heads {
            let places = self.store.zone_pending(row.id, &head.zones, now).await?;
            waiting.dialable_now += places.iter().filter(|(number, country, ..)| self.is_lawful(&head.zones, number, country, now)).map(|p| p.3).sum::<i64>();
            waiting.add(&head.zones, places.iter().map(|p| p.2).sum(), self.zone_opens(&head.zones, now));
        }
        Ok(())
    }

    fn unqueued(&self, places: Vec<PlaceCount>, now: DateTime<Utc>, waiting: &mut Waiting) {
        for p in places {
            let zones = place::key_again(&p.number, p.said.as_deref(), &p.zones);
            if self.is_lawful(&zones, &p.number, &p.country, now) {
                waiting.dialable_now += p.n;
            }
            waiting.add(&zones, p.n, self.zone_opens(&zones, now));
        }
    }

    fn is_lawful(&self, zones: &str, number: &str, country: &str, now: DateTime<Utc>) -> bool {
        let (zones, states) = (zone::parse_key(zones), zone::states_of(zones).collect());
        dispatch::legal_hours(&self.rules, &Place { number, country, zones: zones.as_deref(), states }, now).is_ok()
    }

    /// What a start finds, in one look.
    pub async fn preflight(&self, row: &CampaignRow) -> Result<Preflight, DeskError> {
        let (source, sample) = match row.source_id() {
            Some(id) => (self.store.source(row.user_id, id).await?, self.store.sample_contacts(id, SAMPLE).await?),
            None => (None, Vec::new()),
        };
        let (missing, without) = missing_fields(row.script(), &sample);
        let why = self.explain(row).await?;
        Ok(Preflight {
            contacts: source.as_ref().map_or(0, |s| s.contacts),
            do_not_call: why.waiting.do_not_call,
            missing_fields: missing,
            contacts_without_fields: without,
            // An engine may have taken some already.
            dialable_now: why.waiting.dialable_now + row.counts.processing,
            waiting_until: why.until,
            why: why.message,
        })
    }
}

impl Waiting {
    fn add(&mut self, zones: &str, n: i64, opens: Option<DateTime<Utc>>) {
        match self.zones.iter_mut().find(|z| z.zones == zones) {
            Some(z) => z.waiting += n,
            None => self.zones.push(ZoneWait { zones: zones.to_owned(), waiting: n, opens }),
        }
    }
}

/// Calls are being made; one at a time where the brake is on.
fn going(brake: Option<String>) -> (&'static str, String, Option<DateTime<Utc>>) {
    match brake {
        Some(words) => (Gate::Brake.word(), words, None),
        None => (Gate::Queue.word(), "calls are being made".to_owned(), None),
    }
}

/// How long the calls left take while calling is open: by the delay between them, or by how long
/// calls have lasted so far and how many go at once.
fn calling_left(row: &CampaignRow, left: i64) -> i64 {
    /// Ringing, or a call nobody has data of yet; seconds.
    const RING: i64 = 15;
    const UNKNOWN: i64 = 45;
    let c = &row.counts;
    let each = if c.dials >= 20 { c.talk_seconds / c.dials + RING } else { UNKNOWN };
    let by_lines = each * 1000 / row.max_concurrent.max(1);
    left.saturating_mul(by_lines.max(row.call_delay_ms)) / 1000
}
