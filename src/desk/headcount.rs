//! Where the people of campaigns stand, and where those live who have no row yet, kept for a while: counting them looks
//! at everybody in a list, and the screen asks several times a second. Whoever shows it on one screen asks here, so that
//! two places never differ.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{Desk, DeskError};
use crate::{
    domain::{
        campaign::Status,
        id::{CampaignId, SourceId},
        people::People,
        stats::Counts,
    },
    store::{CampaignRow, PlaceCount},
};

/// By what it is known that a count is old: the campaign's calls, its state, how far it is filled, its attempts.
type Mark = (Counts, Status, Option<i64>, i64);

/// The same of whom no row was made for: the list, and the place behind which they stand in it.
type Behind = (SourceId, i64);

struct Known<M, T> {
    mark: M,
    at: Instant,
    took: Duration,
    counted: T,
}

/// What was counted of campaigns last.
struct Counted<M, T>(Mutex<HashMap<CampaignId, Known<M, T>>>);

#[derive(Default)]
pub(super) struct Headcounts {
    people: Counted<Mark, People>,
    unqueued: Counted<Behind, Arc<Vec<PlaceCount>>>,
}

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

/// Nothing of its list has a row yet.
fn is_ahead(row: &CampaignRow) -> bool {
    row.execution_status == Status::Idle && row.counts.total == 0 && row.retry.0.max_attempts > 0
}

impl<M, T> Default for Counted<M, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<M: PartialEq, T: Clone> Counted<M, T> {
    /// What is known of a campaign that bears this mark.
    fn same(&self, id: CampaignId, mark: &M) -> Option<T> {
        self.known(id, |k| k.mark == *mark && k.at.elapsed() < LONG)
    }

    /// What was counted of it so lately that counting again would be most of what is done.
    fn resting(&self, id: CampaignId) -> Option<T> {
        self.known(id, Known::rests)
    }

    /// The same, of the same people.
    fn resting_as(&self, id: CampaignId, mark: &M) -> Option<T> {
        self.known(id, |k| k.mark == *mark && k.rests())
    }

    /// What is known of it and needs no counting.
    fn kept(&self, id: CampaignId, mark: &M) -> Option<T> {
        self.same(id, mark).or_else(|| self.resting(id))
    }

    fn last(&self, id: CampaignId) -> Option<T> {
        self.known(id, |_| true)
    }

    fn counted_at(&self, id: CampaignId) -> Option<Instant> {
        self.0.lock().get(&id).map(|k| k.at)
    }

    fn known(&self, id: CampaignId, serves: impl Fn(&Known<M, T>) -> bool) -> Option<T> {
        self.0.lock().get(&id).filter(|k| serves(k)).map(|k| k.counted.clone())
    }

    fn keep(&self, id: CampaignId, mark: M, counted: T, took: Duration) {
        self.0.lock().insert(id, Known { mark, at: Instant::now(), took, counted });
    }
}

impl<M, T> Known<M, T> {
    fn rests(&self) -> bool {
        self.took > QUICK && self.at.elapsed() < self.took * SHARE
    }
}

impl Headcounts {
    /// Counts nothing that was counted before: a do-not-call list or a list's contacts were changed here.
    pub fn forget(&self) {
        self.people.0.lock().clear();
        self.unqueued.0.lock().clear();
    }
}

impl Desk {
    /// Where the people of a campaign stand; see [`People`] for what each figure counts.
    pub async fn people(&self, row: &CampaignRow) -> Result<People, DeskError> {
        match self.headcounts.people.kept(row.id, &mark(row)) {
            Some(people) => Ok(people),
            None => self.counted(row).await,
        }
    }

    async fn counted(&self, row: &CampaignRow) -> Result<People, DeskError> {
        let begun = Instant::now();
        let people = match row.source_id().filter(|_| is_ahead(row)) {
            Some(source) => self.people_ahead(row, source).await?,
            None => self.store.headcount(row).await?,
        };
        self.headcounts.people.keep(row.id, mark(row), people, begun.elapsed());
        Ok(people)
    }

    /// Of a campaign that has not begun: all wait, but for whom nobody may call. By the count that says where they live,
    /// which the same screen shows.
    async fn people_ahead(&self, row: &CampaignRow, source: SourceId) -> Result<People, DeskError> {
        let contacts = self.store.contacts_in(row.contact_source, source).await?;
        let waiting = self.behind(row, source, -1).await?.iter().map(|p| p.n).sum::<i64>();
        Ok(People { contacts, waiting, do_not_call: contacts - waiting, ..People::default() })
    }

    /// Where those live who stand behind a place of a campaign's list, and whom somebody may call. A count that took long
    /// is told for a while.
    pub(super) async fn behind(&self, row: &CampaignRow, source: SourceId, after: i64) -> Result<Arc<Vec<PlaceCount>>, DeskError> {
        let counts = &self.headcounts.unqueued;
        if let Some(places) = counts.resting_as(row.id, &(source, after)) {
            return Ok(places);
        }
        let begun = Instant::now();
        let places = Arc::new(self.store.unqueued_contacts(row.user_id, row.contact_source, source, after).await?);
        counts.keep(row.id, (source, after), places.clone(), begun.elapsed());
        Ok(places)
    }

    /// The same of many, those first that were never counted, then the oldest counts: those for which there is no time
    /// now are told as they were, or not yet.
    pub async fn people_of(&self, rows: &[CampaignRow]) -> Result<HashMap<CampaignId, People>, DeskError> {
        let begun = Instant::now();
        let runs = |row: &CampaignRow| row.execution_status == Status::Running;
        let mut rows: Vec<&CampaignRow> = rows.iter().collect();
        rows.sort_by_cached_key(|r| (!runs(r), self.headcounts.people.counted_at(r.id)));
        let (mut all, mut again) = (HashMap::new(), AGAIN);
        for row in rows {
            let left = &mut again[usize::from(!runs(row))];
            let last = self.headcounts.people.last(row.id);
            let people = match self.headcounts.people.kept(row.id, &mark(row)) {
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
