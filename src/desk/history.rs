//! What rooms show of the past, put together: one number's story, the head of the deck, what happened while nobody
//! was here, a shift's report. Nothing is decided here and nothing written.

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;

use super::{Desk, DeskError};
use crate::{
    domain::{
        id::{CampaignId, OwnerId},
        outcome::Outcome,
        stats::Pace,
        zone,
    },
    store::{CampaignPace, ContactRow, FoundCall, ListedNumber, PromiseCount, PromisedCall, TagCount, TagPace, minute_of, moment_of},
};

/// Where somebody's clock stands, in words: more than one where the number may be in several places.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactClock {
    /// `America/New_York or America/Chicago`.
    pub place: String,
    /// `10:42`, `9:42 or 10:42`; empty where no zone is known.
    pub time: String,
}

impl ContactClock {
    /// What the clocks of a stored key of zones show at a moment.
    #[must_use]
    pub fn of(key: &str, at: DateTime<Utc>) -> Self {
        let mut times: Vec<String> = zone::parse_key(key).unwrap_or_default().iter().map(|z| at.with_timezone(z).format("%a %H:%M").to_string()).collect();
        times.dedup();
        let place = key.split(';').next().unwrap_or_default();
        Self { place: zone::label(place), time: times.join(" or ") }
    }
}

/// Everything known of one number.
#[derive(Debug, Clone)]
pub struct NumberStory {
    pub number: String,
    /// Newest first; the newest of very many.
    pub calls: Vec<FoundCall>,
    /// Its cards in the lists it is in, with the names of these.
    pub cards: Vec<(String, ContactRow)>,
    /// Why nobody calls it: who said so, and when.
    pub do_not_call: Option<ListedNumber>,
    pub promised: Vec<PromisedCall>,
}

/// The head of the deck.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    pub to_tag: i64,
    /// Since when the oldest of those waits.
    pub oldest: Option<DateTime<Utc>>,
    pub callbacks: PromiseCount,
    /// In the last sixty seconds.
    pub dials_per_minute: i64,
    /// The last hour, whose shares are the rates.
    pub hour: Pace,
    /// The same minute by minute, the oldest first, one for each minute; the last one has not ended.
    pub minutes: Vec<Pace>,
}

/// What was done in a while.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Away {
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
    pub pace: Pace,
    /// In the order of the six.
    pub outcomes: Vec<(Outcome, i64)>,
    /// Campaigns that were started, paused, stopped by somebody, or by themselves.
    pub happened: Vec<Happening>,
    /// Promised calls that were due and not made.
    #[serde(skip)]
    pub missed: Vec<PromisedCall>,
}

/// Something that happened to a campaign, or to all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Happening {
    pub at: DateTime<Utc>,
    /// `None`: all of them.
    pub campaign: Option<String>,
    pub what: What,
    /// Who did it; `engine` and `breaker` are ours.
    pub who: String,
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Started,
    Resumed,
    Paused,
    Stopped,
    /// Everybody was called.
    Completed,
    /// It cannot go on as it is.
    Failed,
    /// Paused because its calls went wrong.
    BreakerOpened,
    /// Nothing is dialled any more, and again.
    AllStopped,
    AllReleased,
    /// A campaign was made, changed, sent round again, deleted.
    Made,
    Changed,
    Recycled,
    Deleted,
    /// Contacts came into a list.
    Imported,
    ListDeleted,
    /// A call was ended by somebody here; `campaign` is whose.
    HungUp,
}

/// A shift in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShiftReport {
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
    pub pace: Pace,
    pub outcomes: Vec<(Outcome, i64)>,
    pub campaigns: Vec<CampaignShift>,
    pub operators: Vec<OperatorShift>,
    /// Quarters of an hour that had dials, oldest first.
    pub quarters: Vec<(DateTime<Utc>, Pace)>,
    pub happened: Vec<Happening>,
    /// Numbers that came onto the do-not-call list, by whom.
    pub listed: Vec<(String, i64)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CampaignShift {
    pub id: CampaignId,
    pub name: String,
    pub pace: Pace,
    pub outcomes: Vec<(Outcome, i64)>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperatorShift {
    pub name: String,
    pub tags: i64,
    pub seconds_each: Option<f64>,
    pub outcomes: Vec<(Outcome, i64)>,
}

/// Minutes of the trend.
const TREND: i64 = 60;

/// Who is a few minutes late is not missed yet.
const LATE: Duration = Duration::minutes(15);

impl Desk {
    /// Everything that an owner knows of a number.
    pub async fn number_story(&self, owner: OwnerId, number: &str) -> Result<NumberStory, DeskError> {
        let store = &self.store;
        let mut cards = Vec::new();
        for card in store.cards_of(owner, number).await? {
            let list = store.source(owner, card.source_id).await?.map_or_else(String::new, |s| s.name);
            cards.push((list, card));
        }
        Ok(NumberStory {
            number: number.to_owned(),
            calls: store.calls_to(owner, number).await?,
            cards,
            do_not_call: store.listed(owner, number).await?,
            promised: store.promised_to(owner, number).await?,
        })
    }

    /// The head of the deck: every dial and every answer, those on the line included.
    pub async fn figures(&self, owner: OwnerId) -> Result<Figures, DeskError> {
        let (store, now) = (&self.store, self.now());
        let last = minute_of(now);
        let rows = store.owner_pace(owner, (last - TREND + 1, last + 1), 1).await?;
        let mut figures = Figures { minutes: vec![Pace::default(); usize::try_from(TREND).unwrap_or(0)], ..Figures::default() };
        for row in rows {
            figures.hour += row.pace;
            if let Some(minute) = usize::try_from(row.minute - (last - TREND + 1)).ok().and_then(|i| figures.minutes.get_mut(i)) {
                *minute = row.pace;
            }
        }
        (figures.to_tag, figures.oldest) = store.untagged(owner).await?;
        figures.callbacks = store.count_promised(owner, None, now).await?;
        figures.dials_per_minute = store.dials_since(owner, now - Duration::minutes(1)).await?;
        Ok(figures)
    }

    /// What happened since a moment.
    pub async fn away(&self, owner: OwnerId, from: DateTime<Utc>) -> Result<Away, DeskError> {
        let (store, until) = (&self.store, self.now());
        let tags = store.tags_between(owner, from, until).await?;
        Ok(Away {
            from,
            until,
            pace: self.pace_between(owner, from, until).await?,
            outcomes: outcomes(&tags, |_| true),
            happened: self.happened(owner, from, until).await?,
            missed: store.missed_promises(owner, from, until - LATE).await?,
        })
    }

    /// A shift, by campaign, operator and outcome.
    pub async fn shift_report(&self, owner: OwnerId, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<ShiftReport, DeskError> {
        let store = &self.store;
        let minutes = (minute_of(from), minute_of(until) + 1);
        let tags = store.tags_between(owner, from, until).await?;
        let mut operators = Vec::new();
        for name in store.tagging_since(owner, from).await?.into_iter().map(|t| t.who) {
            let TagPace { tags: n, seconds_each } = store.tag_pace(owner, &name, from, until).await?;
            if n > 0 {
                operators.push(OperatorShift { outcomes: outcomes(&tags, |t| t.who == name), name, tags: n, seconds_each });
            }
        }
        operators.sort_by(|a, b| b.tags.cmp(&a.tags).then_with(|| a.name.cmp(&b.name)));
        let campaign = |c: CampaignPace| CampaignShift {
            outcomes: outcomes(&tags, |t| t.campaign_id == c.campaign_id),
            id: c.campaign_id,
            name: c.campaign_name,
            pace: c.pace,
        };
        let quarters = store.owner_pace(owner, minutes, 15).await?;
        Ok(ShiftReport {
            from,
            until,
            // Of whole minutes, like its parts.
            pace: quarters.iter().map(|q| q.pace).sum(),
            outcomes: outcomes(&tags, |_| true),
            campaigns: store.pace_by_campaign(owner, minutes).await?.into_iter().map(campaign).collect(),
            operators,
            quarters: quarters.into_iter().map(|q| (moment_of(q.minute), q.pace)).collect(),
            happened: self.all_that_happened(owner, from, until).await?,
            listed: store.listed_between(owner, from, until).await?,
        })
    }

    /// With what people changed by hand.
    async fn all_that_happened(&self, owner: OwnerId, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<Happening>, DeskError> {
        let mut all = self.happened(owner, from, until).await?;
        for (subject, line) in self.store.deeds_between(owner, from, until).await? {
            let what = match line.action.as_str() {
                "campaign_created" => What::Made,
                "campaign_edited" => What::Changed,
                "campaign_recycled" => What::Recycled,
                "campaign_deleted" => What::Deleted,
                "contacts_imported" => What::Imported,
                "source_deleted" => What::ListDeleted,
                _ => What::HungUp,
            };
            all.push(Happening { at: line.at, campaign: subject, what, who: line.actor, reason: facts(&line.details.0) });
        }
        all.sort_by_key(|h| h.at);
        Ok(all)
    }

    /// Dials made from a moment on, to the second: what was seen before is not counted again. Until now, in whole minutes.
    pub async fn pace_between(&self, owner: OwnerId, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Pace, DeskError> {
        let (first, last) = (minute_of(from), minute_of(until) + 1);
        let whole = if moment_of(first) == from { first } else { first + 1 };
        let rows = self.store.owner_pace(owner, (whole, last), 24 * 60).await?;
        let begun = if whole > first { self.store.pace_within(owner, from, moment_of(whole)).await? } else { Pace::default() };
        Ok(rows.into_iter().map(|r| r.pace).chain([begun]).sum())
    }

    async fn happened(&self, owner: OwnerId, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<Happening>, DeskError> {
        let lines = self.store.happened(owner, from, until).await?;
        Ok(lines
            .into_iter()
            .filter_map(|(campaign, line)| {
                let detail = |name: &str| line.details.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
                let what = what(&line.action, &detail("from"), &detail("to"))?;
                Some(Happening { at: line.at, campaign, what, reason: detail("reason"), who: line.actor })
            })
            .collect())
    }
}

/// What the audit says of it, in words: what was changed, how many came.
fn facts(details: &serde_json::Value) -> String {
    let changed = details.get("changed").and_then(serde_json::Value::as_array).into_iter().flatten().filter_map(serde_json::Value::as_str);
    let number = |name: &str| details.get(name).and_then(serde_json::Value::as_i64);
    let all: Vec<String> = changed
        .map(str::to_owned)
        .chain(number("maxConcurrent").map(|n| format!("{n} lines at once")))
        .chain(number("imported").map(|n| format!("{n} people")))
        .chain(number("queued").map(|n| format!("{n} people")))
        .collect();
    all.join(", ")
}

/// A line of the audit as what happened.
fn what(action: &str, from: &str, to: &str) -> Option<What> {
    Some(match (action, to) {
        ("campaign_moved", "running") if from == "paused" => What::Resumed,
        ("campaign_moved", "running") => What::Started,
        ("campaign_moved", "paused") => What::Paused,
        ("campaign_moved", "completed") => What::Stopped,
        ("campaign_finished", "completed") => What::Completed,
        ("campaign_moved" | "campaign_finished", "error") | ("campaign_error", _) => What::Failed,
        ("breaker_opened", _) => What::BreakerOpened,
        ("kill_switch_on", _) => What::AllStopped,
        ("kill_switch_off", _) => What::AllReleased,
        _ => return None,
    })
}

/// The six in their order, those that there were.
pub(super) fn outcomes(tags: &[TagCount], which: impl Fn(&TagCount) -> bool) -> Vec<(Outcome, i64)> {
    let n = |outcome: Outcome| tags.iter().filter(|t| t.outcome == outcome && which(t)).map(|t| t.n).sum::<i64>();
    Outcome::ALL.into_iter().map(|o| (o, n(o))).filter(|(_, n)| *n > 0).collect()
}
