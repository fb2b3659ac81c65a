//! Where the people of campaigns stand, kept for a while: counting them looks at everybody in a list, and the screen
//! asks several times a second. Whoever shows it on one screen asks here, so that two places never differ.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{Desk, DeskError};
use crate::{
    domain::{campaign::Status, id::CampaignId, people::People, stats::Counts},
    store::CampaignRow,
};

/// By what it is known that a count is old: the campaign's calls, its state, how far it is filled, its attempts.
type Mark = (Counts, Status, Option<i64>, i64);

struct Known {
    mark: Mark,
    at: Instant,
    took: Duration,
    people: People,
}

#[derive(Default)]
pub(super) struct Headcounts(Mutex<HashMap<CampaignId, Known>>);

/// A count whose mark has not changed may be old only by do-not-call lists and changed contacts.
const LONG: Duration = Duration::from_secs(10);
/// Where counting takes longer than this, it rests so many times as long.
const QUICK: Duration = Duration::from_millis(250);
const SHARE: u32 = 20;
/// Of many campaigns those not counted within this are counted at the next look.
const PATIENCE: Duration = Duration::from_millis(250);
/// Nor are more than so many counted again at one look: those that run, and others.
const AGAIN: [usize; 2] = [6, 2];

fn mark(row: &CampaignRow) -> Mark {
    (row.counts, row.execution_status, row.fill_position, row.retry.0.max_attempts)
}

impl Headcounts {
    /// What is known of a campaign as it is now.
    fn same(&self, row: &CampaignRow) -> Option<People> {
        let all = self.0.lock();
        all.get(&row.id).filter(|k| k.mark == mark(row) && k.at.elapsed() < LONG).map(|k| k.people)
    }

    /// What was counted of it so lately that counting again would be most of what is done.
    fn resting(&self, row: &CampaignRow) -> Option<People> {
        let all = self.0.lock();
        all.get(&row.id).filter(|k| k.took > QUICK && k.at.elapsed() < k.took * SHARE).map(|k| k.people)
    }

    /// What was counted of it last, and when.
    fn last(&self, id: CampaignId) -> Option<(Instant, People)> {
        self.0.lock().get(&id).map(|k| (k.at, k.people))
    }

    /// What is known of it and needs no counting.
    fn kept(&self, row: &CampaignRow) -> Option<People> {
        self.same(row).or_else(|| self.resting(row))
    }

    fn keep(&self, row: &CampaignRow, people: People, took: Duration) {
        self.0.lock().insert(row.id, Known { mark: mark(row), at: Instant::now(), took, people });
    }

    /// Counts nothing that was counted before: a do-not-call list or a list's contacts were changed here.
    pub fn forget(&self) {
        self.0.lock().clear();
    }
}

impl Desk {
    /// Where the people of a campaign stand; see [`People`] for what each figure counts.
    pub async fn people(&self, row: &CampaignRow) -> Result<People, DeskError> {
        match self.headcounts.kept(row) {
            Some(people) => Ok(people),
            None => self.counted(row).await,
        }
    }

    async fn counted(&self, row: &CampaignRow) -> Result<People, DeskError> {
        let begun = Instant::now();
        let people = self.store.headcount(row).await?;
        self.headcounts.keep(row, people, begun.elapsed());
        Ok(people)
    }

    /// The same of many, those first that were never counted, then the oldest counts: those for which there is no time
    /// now are told as they were, or not yet.
    pub async fn people_of(&self, rows: &[CampaignRow]) -> Result<HashMap<CampaignId, People>, DeskError> {
        let begun = Instant::now();
        let runs = |row: &CampaignRow| row.execution_status == Status::Running;
        let mut rows: Vec<&CampaignRow> = rows.iter().collect();
        rows.sort_by_cached_key(|r| (!runs(r), self.headcounts.last(r.id).map(|(at, _)| at)));
        let (mut all, mut again) = (HashMap::new(), AGAIN);
        for row in rows {
            let left = &mut again[usize::from(!runs(row))];
            let last = self.headcounts.last(row.id).map(|(_, people)| people);
            let people = match self.headcounts.kept(row) {
                Some(people) => Some(people),
                None if begun.elapsed() >= PATIENCE || (last.is_some() && *left == 0) => last,
                None => {
                    *left = left.saturating_sub(usize::from(last.is_some()));
                    Some(self.counted(row).await?)
                }
            };
            all.extend(people.map(|p| (row.id, p)));
        }
        Ok(all)
    }
}
