//! A campaign's room: where its contacts stand, what they answer by the hour, and when it will be done.

use chrono::{Duration, Timelike};

use super::{Desk, DeskError, Explanation};
use crate::{
    domain::{campaign::Status, outcome::Outcome, people::People, schedule, stats::Pace, zone::Zone},
    store::{CampaignRow, PaceRow, PromiseCount, PromisedCall, minute_of, moment_of},
};

/// A campaign's people as one bar, whose parts add up to all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bar {
    pub people: People,
    /// Of the waiting: the law is closed where they are.
    pub closed_by_law: i64,
    /// Lines of the import that were refused: beside the people.
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
    /// The last hour by the minute, the one that has not ended last.
    pub minutes: Vec<Pace>,
    pub today: Pace,
    /// In the order of the six.
    pub outcomes: Vec<(Outcome, i64)>,
    pub used_today: i64,
    /// Why it makes one call at a time, in words.
    pub brake: Option<String>,
    /// Why the breaker paused it, in words.
    pub breaker: Option<String>,
    pub callbacks: PromiseCount,
    /// Callbacks that were promised and wait, the first due first: a stop would break them.
    pub promised: Vec<PromisedCall>,
}

/// Promised callbacks that are told one by one; of more there is a number.
const PROMISED: i64 = 1000;

/// Minutes before this one.
const HOUR: i64 = 59;
/// As far back as the answer rate looks.
const RATES: Duration = Duration::days(14);

impl Desk {
    /// What a campaign's room shows.
    pub async fn campaign_room(&self, row: CampaignRow) -> Result<CampaignRoom, DeskError> {
        let (store, now, zone) = (&self.store, self.now(), row.zone());
        let why = self.explain(&row).await?;
        // A quarter is the least by which clocks of zones differ.
        let quarters = store.campaign_pace(row.id, (minute_of(now - RATES), minute_of(now) + 1), 15).await?;
        let minutes = store.campaign_pace(row.id, (minute_of(now) - HOUR, minute_of(now) + 1), 1).await?;
        let day = schedule::local_day(zone, now);
        let used_today = store.campaign_day(row.id, day).await?.map_or(0, |d| d.used);
        Ok(CampaignRoom {
            bar: Bar { people: why.people, closed_by_law: why.waiting.closed().min(why.people.waiting), invalid: why.waiting.invalid },
            hours: by_hour(&quarters, zone),
            minutes: by_minute(&minutes, minute_of(now)),
            today: quarters.iter().filter(|q| schedule::local_day(zone, moment_of(q.minute)) == day).map(|q| q.pace).sum(),
            outcomes: outcomes(&row),
            brake: self.brake(&row).await?,
            breaker: (row.status_actor == "breaker" && row.execution_status == Status::Paused).then(|| row.status_reason.clone()),
            promised: store.promised_in(row.id, PROMISED).await?,
            callbacks: store.count_promised(row.user_id, Some(row.id), now).await?,
            used_today,
            why,
            row,
        })
    }
}

/// Every minute of the hour until now, those without a dial too.
fn by_minute(rows: &[PaceRow], now: i64) -> Vec<Pace> {
    (now - HOUR..=now).map(|minute| rows.iter().find(|r| r.minute == minute).map_or_else(Pace::default, |r| r.pace)).collect()
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
