//! The books: which numbers and lines are taken and what a campaign's counters say must equal the rows. An
//! engine that takes over looks, mends what does not, and says so; nothing in here is expected to be found.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};

use super::{
    Actor, Desk, DeskError, audit,
    row::{held_until, tally},
};
use crate::{
    domain::{
        campaign::{CALL_S, RING_S},
        id::{CallId, CampaignId, OwnerId, TrunkId},
        stats::{self, Counts, Tally},
        text::tail,
    },
    store::{Alike, Lane, Setting, TakenNumber, Tx},
};

/// As long as LiveKit lets any call last: a number whose call is gone without a trace is held so long.
const BOUND: Duration = Duration::seconds(RING_S.1 + CALL_S.1);

impl Desk {
    /// Numbers and lines against the calls that are on them; what hangs on them is whether somebody may be
    /// called now, so it comes before the first claim. Answers what was mended.
    pub async fn check_lines(&self) -> Result<Vec<String>, DeskError> {
        let (now, mut mended) = (self.now(), Vec::new());
        for taken in self.store.numbers_taken_by_nobody().await? {
            mended.extend(self.store.write(Lane::Urgent, move |tx| Box::pin(async move { free_number(tx, taken, now).await })).await?);
        }
        for call in self.store.calls_without_number().await? {
            mended.extend(self.store.write(Lane::Urgent, move |tx| Box::pin(async move { give_number(tx, call, now).await })).await?);
        }
        mended.extend(self.store.write(Lane::Urgent, move |tx| Box::pin(async move { count_lines(tx, now).await })).await?);
        told(&mended);
        Ok(mended)
    }

    /// Every campaign's counters against its calls, one after another. Both move together in every
    /// transaction, so a difference seen at one moment is the difference still. Answers what was mended.
    pub async fn check_counts(&self) -> Result<Vec<String>, DeskError> {
        let mut mended = Vec::new();
        for (owner, id) in self.store.every_campaign().await? {
            let alike = self.store.alike_calls(id).await?;
            let Some(delta) = difference(&alike).filter(|d| !d.is_zero()) else { continue };
            mended.push(self.mend_counts(owner, id, delta).await?);
        }
        told(&mended);
        Ok(mended)
    }

    async fn mend_counts(&self, owner: OwnerId, id: CampaignId, delta: Counts) -> Result<String, DeskError> {
        let now = self.now();
        let differs: Vec<String> = Counts::COLUMNS.iter().zip(delta.values()).filter(|(_, n)| *n != 0).map(|(column, n)| format!("{column} {n:+}")).collect();
        let words = format!("the counters of campaign {id} differed from its calls: {}", differs.join(", "));
        let details = serde_json::json!({ "mended": words });
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    tx.add_counts(id, &delta).await?;
                    audit(tx, &Actor::engine(owner), now, "books_mended", Some(id.0), &details).await
                })
            })
            .await?;
        Ok(words)
    }
}

fn told(mended: &[String]) {
    for words in mended {
        tracing::warn!(target: "desk", "{words}: mended");
    }
}

/// What must be added to a campaign's counters.
fn difference(alike: &[Alike]) -> Option<Counts> {
    let mut sum = Counts::default();
    for a in alike {
        let Some(state) = a.state else { continue };
        let t = Tally { state, armed: a.armed, leg_seen: a.leg_seen, answered: a.answered, outcome: a.outcome, talk_seconds: 0 };
        sum += stats::contribution(&t) * a.n;
        sum.talk_seconds += a.seconds;
    }
    Some(sum - alike.first()?.counts)
}

/// A number whose call is not on the line is free, or held as long as that call may still be.
async fn free_number(tx: &mut Tx, taken: TakenNumber, now: DateTime<Utc>) -> Result<Option<String>, DeskError> {
    let row = tx.call(taken.call_id).await?;
    if row.as_ref().is_some_and(|r| r.state.is_open()) {
        return Ok(None);
    }
    let held = row.as_ref().map_or(Some(taken.last_armed_at + BOUND), held_until);
    let (number, call) = (tail(&taken.number), taken.call_id);
    tx.free_numbers(&[(taken.number, call, held)]).await?;
    let words = format!("number {number} was taken by call {call}, which is not on the line");
    note(tx, row.map(|r| r.user_id), call.0, now, &words).await?;
    Ok(Some(words))
}

async fn give_number(tx: &mut Tx, call: CallId, now: DateTime<Utc>) -> Result<Option<String>, DeskError> {
    let Some(row) = tx.call(call).await?.filter(|r| r.state.is_open()) else { return Ok(None) };
    let at = row.armed_at.unwrap_or(row.updated_at);
    tx.give_number(&row.phone_number, call, at).await?;
    let words = format!("call {call} is on the line and its number {} was free", tail(&row.phone_number));
    note(tx, Some(row.user_id), call.0, now, &words).await?;
    Ok(Some(words))
}

/// Lines in use of every trunk, against the calls that are on one and the phones that listen to them.
async fn count_lines(tx: &mut Tx, now: DateTime<Utc>) -> Result<Vec<String>, DeskError> {
    let mut in_use: BTreeMap<TrunkId, i64> = tx.lines_listened_on().await?.into_iter().collect();
    for row in tx.calls_on_the_line().await? {
        if let Some(trunk) = row.trunk_id {
            *in_use.entry(trunk).or_default() += stats::contribution(&tally(&row)).live;
        }
    }
    let mut mended = Vec::new();
    for (trunk, owner, live) in tx.lines_in_use().await? {
        let really = in_use.get(&trunk).copied().unwrap_or(0);
        if live == really {
            continue;
        }
        tx.move_trunk_lines(trunk, really - live).await?;
        let words = format!("trunk {trunk} had {live} lines in use in the books and {really} calls on them");
        note(tx, Some(owner), trunk.0, now, &words).await?;
        mended.push(words);
    }
    Ok(mended)
}

async fn note(tx: &mut Tx, owner: Option<OwnerId>, subject: uuid::Uuid, now: DateTime<Utc>, words: &str) -> Result<(), DeskError> {
    let owner = match owner {
        Some(owner) => owner,
        None => tx.setting(Setting::Owner).await?.and_then(|o| o.parse().ok()).unwrap_or(OwnerId(uuid::Uuid::nil())),
    };
    audit(tx, &Actor::engine(owner), now, "books_mended", Some(subject), &serde_json::json!({ "mended": words })).await
}
