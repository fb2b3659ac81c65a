//! When a campaign will be done: one answer for its row in the list, its room, `w`, a start's words and the command
//! line. It counts everybody who waits and who may be called at some hour, and those of them that will have to be tried
//! again; it knows the hours of the campaign, the cap of each day, and when the law opens each place. It knows nothing
//! of pauses.

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::{Desk, DeskError, Waiting, explain::calling};
use crate::{
    domain::{campaign::Settings, people::People, retry, schedule, stats::Pace},
    store::{CampaignRow, minute_of},
};

/// What is ahead of a campaign, if it goes on as it does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Everybody who may be called is through; `None`: nobody waits, or it is too far away to say.
    pub ends: Option<DateTime<Utc>>,
    /// The day's cap is reached, before that and before the day is over.
    pub cap: Option<DateTime<Utc>>,
    /// Calling time that is left while all is open, in seconds.
    pub calling_seconds: i64,
    /// People who wait where no hour suits: they are in none of the above.
    pub never: i64,
    /// Dials since it began, of the last hour.
    pub dials: i64,
}

impl Forecast {
    /// `; done about Sat 09:11 UTC, its cap of today about 23:30`; `at` tells a moment.
    #[must_use]
    pub fn words(&self, at: &impl Fn(DateTime<Utc>) -> String) -> String {
        let cap = self.cap.map_or_else(String::new, |t| format!("; the day's cap is reached about {}", at(t)));
        let end = self.ends.map_or_else(String::new, |t| format!("; done about {}", at(t)));
        let never = if self.never > 0 { format!("; {} of them at no hour", self.never) } else { String::new() };
        format!("{cap}{end}{never}")
    }
}

/// Ringing, and a call nobody has data of yet; seconds.
const RING: i64 = 15;
const UNKNOWN: i64 = 45;
/// As far back as a pace is measured.
const LATELY: i64 = 60;
/// Fewer dials, or less time, are no pace yet.
const MEASURED: (i64, i64) = (10, 120);
/// Days that are looked through.
const DAYS: usize = 60;
/// Rounds of further attempts that are reckoned.
const ROUNDS: i64 = 10;

impl Desk {
    /// What is ahead of a campaign from now on, as though it ran.
    pub(super) async fn forecast(&self, row: &CampaignRow, waiting: &Waiting, people: &People) -> Result<Forecast, DeskError> {
        let now = self.now();
        let minutes = self.store.campaign_pace(row.id, (minute_of(measured_from(row, now)), minute_of(now) + 1), LATELY * 24).await?;
        let lately: Pace = minutes.iter().map(|m| m.pace).sum();
        let used = self.store.campaign_day(row.id, schedule::local_day(row.zone(), now)).await?.map_or(0, |d| d.used);
        Ok(Forecast::of(row, waiting, people, (lately.dials, used), now))
    }
}

/// Since when a campaign's pace is measured: who was started a minute ago has a minute of it, whatever was dialled before.
pub(super) fn measured_from(row: &CampaignRow, now: DateTime<Utc>) -> DateTime<Utc> {
    row.status_at.max(now - Duration::minutes(LATELY)).min(now)
}

impl Forecast {
    /// By the dials since [`measured_from`], and those of its day.
    pub(super) fn of(row: &CampaignRow, waiting: &Waiting, people: &People, (lately, used): (i64, i64), now: DateTime<Utc>) -> Self {
        let pace = pace(row, lately, (now - measured_from(row, now)).num_seconds());
        let mut days = Days::new(row, pace, used, now);
        let (dials, ends) = reckoned(row, waiting, people, &mut days, now);
        #[expect(clippy::cast_possible_truncation, reason = "seconds of calling, rounded")]
        let calling_seconds = (dials / pace) as i64;
        let cap = days.capped.filter(|cap| ends.is_none_or(|end| *cap < end));
        Self { ends, cap, calling_seconds, never: never(waiting), dials: lately }
    }
}

fn never(waiting: &Waiting) -> i64 {
    waiting.zones.iter().filter(|z| z.opens.is_none()).map(|z| z.waiting).sum()
}

/// Dials a second while all is open: as it was since it began, without the lines that were filled at once; else by
/// how long calls last and how many go at once.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn pace(row: &CampaignRow, dials: i64, seconds: i64) -> f64 {
    let filled = dials - row.counts.live;
    if filled >= MEASURED.0 && seconds >= MEASURED.1 {
        return filled as f64 / seconds as f64;
    }
    let c = &row.counts;
    let each = if c.dials >= 20 { c.talk_seconds / c.dials + RING } else { UNKNOWN };
    1000.0 / apart(each, row.max_concurrent, row.call_delay_ms) as f64
}

/// Between two dials, milliseconds: what the lines allow, or the delay that was asked for.
fn apart(each: i64, lines: i64, delay_ms: i64) -> i64 {
    (each * 1000 / lines.max(1)).max(delay_ms).max(1)
}

/// How long so many people take of whom nobody was called yet, in words.
#[must_use]
pub fn calling_time(people: i64, settings: &Settings) -> String {
    let apart = apart(UNKNOWN, settings.max_concurrent, settings.call_delay_ms);
    let days = (people + settings.daily_cap - 1) / settings.daily_cap.max(1);
    let over = if days > 1 { format!(" on {days} days, by its cap") } else { String::new() };
    format!("about {} of calling{over}", calling(people.saturating_mul(apart) / 1000))
}

/// Dials to be made, and when the last of them is.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn reckoned(row: &CampaignRow, waiting: &Waiting, people: &People, days: &mut Days<'_>, now: DateTime<Utc>) -> (f64, Option<DateTime<Utc>>) {
    let c = &row.counts;
    let unanswered = if c.dials >= 20 { (c.no_answer + c.busy) as f64 / c.dials as f64 } else { 0.0 };
    let rest = retry::wait(row.retry.0.no_answer_minutes);
    // Who is due later is so by a rest after the attempt before, in its place's hours.
    let mut rounds: Vec<(DateTime<Utc>, f64)> = Vec::new();
    for zone in waiting.zones.iter().filter(|z| z.waiting > 0) {
        let Some(opens) = zone.opens.map(|t| t.max(now)) else { continue };
        rounds.push((opens, zone.due as f64));
        rounds.push((opens.max(now + rest), (zone.waiting - zone.due) as f64));
    }
    rounds.retain(|(_, n)| *n > 0.0);
    rounds.sort_by_key(|(from, _)| *from);
    let again = people.again.min(people.waiting) as f64;
    let mut left = people.on_the_line as f64 + rounds.iter().map(|(_, n)| n).sum::<f64>();
    let (mut dials, mut end) = (0.0, None);
    for (from, n) in rounds {
        dials += n;
        end = days.after(from, n);
        if end.is_none() {
            return (dials, None);
        }
    }
    // Who is on the line ends in a moment, and may have to be tried again like the others.
    let mut last = end.or((people.on_the_line > 0).then_some(now));
    for round in 1..row.retry.0.max_attempts.min(ROUNDS) {
        // Those that are tried again already have one try less.
        left = if round == 1 { left * unanswered } else { (left - again).max(0.0) * unanswered };
        if left < 1.0 {
            break;
        }
        dials += left;
        last = last.and_then(|t| days.after(t + rest, left));
    }
    (dials, last)
}

/// The hours of a campaign from now on, with what each day's cap leaves.
struct Days<'a> {
    row: &'a CampaignRow,
    pace: f64,
    day: NaiveDate,
    left: f64,
    today: NaiveDate,
    at: DateTime<Utc>,
    /// When today's cap was reached.
    capped: Option<DateTime<Utc>>,
}

impl<'a> Days<'a> {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn new(row: &'a CampaignRow, pace: f64, used: i64, now: DateTime<Utc>) -> Self {
        let today = schedule::local_day(row.zone(), now);
        Self { row, pace, day: today, left: (row.daily_cap - used).max(0) as f64, today, at: now, capped: None }
    }

    /// When so many more dials are made, none of them before `from`.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn after(&mut self, from: DateTime<Utc>, dials: f64) -> Option<DateTime<Utc>> {
        let (zone, window, mut dials) = (self.row.zone(), self.row.window(), dials);
        self.at = self.at.max(from);
        for _ in 0..DAYS {
            self.at = window.next_open(zone, self.at)?;
            self.is_day(schedule::local_day(zone, self.at));
            let midnight = schedule::next_day(zone, self.at);
            let until = window.closes(zone, self.at).filter(|t| *t > self.at && *t < midnight).unwrap_or(midnight);
            let made = dials.min(self.left).min((until - self.at).num_seconds() as f64 * self.pace);
            let end = self.at + seconds(made / self.pace);
            dials -= made;
            self.left -= made;
            if dials <= 0.0 {
                self.at = end;
                return Some(end);
            }
            if self.left <= 0.0 {
                self.capped = self.capped.or_else(|| (self.day == self.today).then_some(end));
                self.at = midnight;
            } else {
                self.at = until;
            }
        }
        None
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn is_day(&mut self, day: NaiveDate) {
        if day != self.day {
            (self.day, self.left) = (day, self.row.daily_cap as f64);
        }
    }
}

fn seconds(n: f64) -> Duration {
    #[expect(clippy::cast_possible_truncation, reason = "an estimate, of at most days")]
    Duration::try_seconds(n.ceil() as i64).unwrap_or(Duration::days(1))
}
