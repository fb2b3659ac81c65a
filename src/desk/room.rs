//! A campaign's room: where its contacts stand, what they answer by the hour, and when it will be done.

use chrono::{DateTime, Duration, Timelike, Utc};

use super::{Desk, DeskError, Explanation};
use crate::{
    domain::{campaign::Status, outcome::Outcome, schedule, stats::Pace, zone::Zone},
    store::{CampaignRow, PaceRow, PromiseCount, minute_of, moment_of},
};

/// A campaign's contacts as one bar: its parts add up to all of them, but for those whom a retry has called before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bar {
    /// In the list, without those that were refused at import.
    pub contacts: i64,
    /// Called, and not called again.
    pub called: i64,
    /// On the line, or being prepared.
    pub live: i64,
    /// May be called now, or later by the campaign's own pace.
    pub waiting: i64,
    /// Wait for the law to open where they are.
    pub closed_by_law: i64,
    pub do_not_call: i64,
    /// Called as often as allowed, and not reached.
    pub exhausted: i64,
    /// Rows of the import that were refused: beside the contacts.
    pub invalid: i64,
}

/// What was answered in one hour of the day, on the campaign's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourRate {
    pub hour: u32,
    pub pace: Pace,
}

/// A campaign and all that its room shows.
#[derive(Debug, Clone)]
pub struct CampaignRoom {
    pub row: CampaignRow,
    pub bar: Bar,
    /// Why it does not dial, who waits for what, and when each zone opens.
    pub why: Explanation,
    /// Hours of the day that had dials in the last two weeks, in their order.
    pub hours: Vec<HourRate>,
    pub today: Pace,
    /// In the order of the six.
    pub outcomes: Vec<(Outcome, i64)>,
    pub used_today: i64,
    /// Why it makes one call at a time, in words.
    pub brake: Option<String>,
    /// Why the breaker paused it, in words.
    pub breaker: Option<String>,
    pub callbacks: PromiseCount,
    /// When the list is done at the pace so far, if all goes on as it does.
    pub ends: Option<DateTime<Utc>>,
    /// When the cap of the day is reached at the pace of the last hour.
    pub cap_reached: Option<DateTime<Utc>>,
}

/// As far back as the answer rate looks.
const RATES: Duration = Duration::days(14);

/// An estimate that is further away is none.
const FORESEEN: i64 = 60;

impl Desk {
    /// What a campaign's room shows.
    pub async fn campaign_room(&self, row: CampaignRow) -> Result<CampaignRoom, DeskError> {
        let (store, now, zone) = (&self.store, self.now(), row.zone());
        let why = self.explain(&row).await?;
        // A quarter is the least by which clocks of zones differ.
        let quarters = store.campaign_pace(row.id, (minute_of(now - RATES), minute_of(now) + 1), 15).await?;
        let lately = store.campaign_pace(row.id, (minute_of(now) - 59, minute_of(now) + 1), 60 * 24).await?;
        let day = schedule::local_day(zone, now);
        let used_today = store.campaign_day(row.id, day).await?.map_or(0, |d| d.used);
        let dials = lately.iter().map(|r| r.pace.dials).sum();
        let contacts = match row.source_id() {
            Some(id) => store.source(row.user_id, id).await?.map_or(0, |s| s.contacts),
            None => row.counts.total,
        };
        Ok(CampaignRoom {
            bar: bar(&row, &why, contacts),
            hours: by_hour(&quarters, zone),
            today: quarters.iter().filter(|q| schedule::local_day(zone, moment_of(q.minute)) == day).fold(Pace::default(), |mut sum, q| {
                sum += q.pace;
                sum
            }),
            outcomes: outcomes(&row),
            brake: self.brake(&row).await?,
            breaker: (row.status_actor == "breaker" && row.execution_status == Status::Paused).then(|| row.status_reason.clone()),
            callbacks: store.count_promised(row.user_id, Some(row.id), now).await?,
            ends: ends(&row, &why, zone, now),
            cap_reached: cap_reached(&row, used_today, dials, zone, now),
            used_today,
            why,
            row,
        })
    }
}

fn bar(row: &CampaignRow, why: &Explanation, contacts: i64) -> Bar {
    let (w, now) = (&why.waiting, &row.counts);
    let closed_by_law: i64 = w.zones.iter().filter(|z| !z.lawful).map(|z| z.waiting).sum();
    let left = w.dialable_now + w.later;
    let bar = Bar {
        contacts,
        called: 0,
        live: now.processing,
        waiting: left - closed_by_law,
        closed_by_law,
        do_not_call: w.do_not_call,
        exhausted: w.exhausted,
        invalid: w.invalid,
    };
    Bar { called: (contacts - left - bar.live - bar.do_not_call - bar.exhausted).max(0), ..bar }
}

fn outcomes(row: &CampaignRow) -> Vec<(Outcome, i64)> {
    let c = &row.counts;
    let n = |outcome| match outcome {
        Outcome::Interested => c.interested,
        Outcome::NotInterested => c.not_interested,
        Outcome::Callback => c.callback,
        Outcome::DoNotCall => c.do_not_call,
        Outcome::Voicemail => c.voicemail,
        Outcome::WrongNumber => c.wrong_number,
    };
    Outcome::ALL.into_iter().map(|o| (o, n(o))).collect()
}

/// Quarters of days folded into the hours of one.
fn by_hour(quarters: &[PaceRow], zone: Zone) -> Vec<HourRate> {
    let mut hours = [Pace::default(); 24];
    for q in quarters {
        let hour = moment_of(q.minute).with_timezone(&zone).hour();
        if let Some(sum) = usize::try_from(hour).ok().and_then(|h| hours.get_mut(h)) {
            *sum += q.pace;
        }
    }
    (0..24).zip(hours).filter(|(_, p)| p.armed > 0).map(|(hour, pace)| HourRate { hour, pace }).collect()
}

/// The calling time that is left, laid into the hours of the campaign's window from now on.
fn ends(row: &CampaignRow, why: &Explanation, zone: Zone, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut left = Duration::seconds(why.waiting.calling_seconds);
    if row.execution_status != Status::Running || left.is_zero() {
        return None;
    }
    let window = row.window();
    let mut at = now;
    for _ in 0..FORESEEN {
        let open = window.next_open(zone, at)?;
        // A window without an end is open for good.
        let Some(closes) = window.closes(zone, open).filter(|c| *c > open) else { return Some(open + left) };
        if open + left <= closes {
            return Some(open + left);
        }
        left -= closes - open;
        at = closes;
    }
    None
}

/// At the dials of the last hour, before the day is over.
fn cap_reached(row: &CampaignRow, used: i64, dials: i64, zone: Zone, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let left = row.daily_cap - used;
    if row.execution_status != Status::Running || left <= 0 || dials == 0 {
        return None;
    }
    let at = now + Duration::try_seconds(left.checked_mul(3600)? / dials)?;
    (at < schedule::next_day(zone, now)).then_some(at)
}
