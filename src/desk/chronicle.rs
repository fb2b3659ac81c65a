//! What happened to people and campaigns, line by line, for whoever looks on. It is made of rows that are looked at
//! anyway, of the end of the audit, and at first of the calls that ended last; what was made once is remembered, so
//! that a look costs what is new. Nothing is decided here and nothing written.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Duration, Utc};

use super::{Desk, DeskError};
use crate::{
    domain::{
        call::State,
        id::{CallId, OwnerId},
    },
    store::{Aside, Deed, PaneQuery, PaneRow},
};

/// Who somebody is to whoever reads a line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    pub call: CallId,
    pub name: String,
    pub number: String,
    pub campaign: String,
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: EntryId,
    pub fact: Fact,
}

/// Its place among the others: its time, and what tells it from what happened in the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    pub at: DateTime<Utc>,
    pub step: u8,
    pub of: u128,
}

#[derive(Debug, Clone)]
pub enum Fact {
    Dialled {
        who: Party,
        attempt: i64,
    },
    Answered {
        who: Party,
        rang: Option<i64>,
    },
    Ended {
        who: Party,
        state: State,
        /// Seconds of the talk; `None` where nobody talked.
        talked: Option<i64>,
        rang: Option<i64>,
        code: Option<i64>,
        reason: String,
        again_at: Option<DateTime<Utc>>,
    },
    /// Somebody did something, or the engine did.
    Deed(Box<Deed>),
}

impl Fact {
    /// The call it is about.
    #[must_use]
    pub fn call(&self) -> Option<CallId> {
        match self {
            Self::Dialled { who, .. } | Self::Answered { who, .. } | Self::Ended { who, .. } => Some(who.call),
            Self::Deed(deed) => deed.call,
        }
    }
}

/// Entries that are remembered.
const KEPT: usize = 1000;
/// How far back the first look goes: calls, and lines of the audit.
const CALLS: i64 = 200;
const AUDIT: i64 = 2000;
/// Where nobody looked for longer than ended calls stay in the live pane, those that ended meanwhile are looked up.
const LINGER: Duration = Duration::seconds(50);
const LONG_AGO: Duration = Duration::days(2);

/// What was made so far.
#[derive(Debug, Default)]
pub struct Chronicle {
    entries: BTreeMap<EntryId, Arc<Entry>>,
    /// How far the audit has been read, and when calls were looked at last.
    height: Option<i64>,
    looked: Option<DateTime<Utc>>,
    /// As it was given out last: nothing has changed since.
    shown: Arc<Vec<Arc<Entry>>>,
    changed: bool,
}

impl Chronicle {
    /// All that is known, oldest first, with the rows of a look at the live pane.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn look(&mut self, desk: &Desk, owner: OwnerId, live: &[PaneRow], asides: &HashMap<CallId, Aside>) -> Result<Arc<Vec<Arc<Entry>>>, DeskError> {
        let now = desk.now();
        if self.looked.is_none_or(|t| now - t > LINGER) {
            let since = self.looked.map_or(now - LONG_AGO, |t| t - LINGER);
            let ended = desk.store().live_pane(&PaneQuery { owner, campaign: None, ended_since: since, limit: CALLS }).await?;
            let said = desk.store().asides(owner, since, CALLS).await?;
            self.take_calls(&ended, &said);
        }
        self.looked = Some(now);
        self.take_calls(live, asides);
        self.take_audit(desk, owner).await?;
        Ok(self.all())
    }

    async fn take_audit(&mut self, desk: &Desk, owner: OwnerId) -> Result<(), DeskError> {
        let height = desk.store().audit_height().await?;
        // An older database came in the place of this one.
        let from = self.height.filter(|h| *h <= height).unwrap_or(height - AUDIT);
        if from < height {
            for deed in desk.store().deeds(owner, from, height).await? {
                let id = EntryId { at: deed.line.at, step: 3, of: u128::try_from(deed.id).unwrap_or(0) };
                self.put(id, Fact::Deed(Box::new(deed)));
            }
        }
        self.height = Some(height);
        Ok(())
    }

    fn take_calls(&mut self, rows: &[PaneRow], asides: &HashMap<CallId, Aside>) {
        for r in rows {
            self.take_call(r, asides.get(&r.id).and_then(|a| a.again_at));
        }
    }

    fn take_call(&mut self, r: &PaneRow, again_at: Option<DateTime<Utc>>) {
        let who = || Party { call: r.id, name: r.contact_name.clone(), number: r.phone_number.clone(), campaign: r.campaign_name.clone() };
        let id = |at: DateTime<Utc>, step| EntryId { at, step, of: r.id.0.as_u128() };
        if let Some(at) = r.armed_at
            && !self.entries.contains_key(&id(at, 0))
        {
            self.put(id(at, 0), Fact::Dialled { who: who(), attempt: r.attempt });
        }
        if let Some(at) = r.answered_at
            && !self.entries.contains_key(&id(at, 1))
        {
            self.put(id(at, 1), Fact::Answered { who: who(), rang: rang(r, at) });
        }
        let Some(at) = r.completed_at.filter(|_| r.state.is_ended()) else { return };
        // When it is called again may be known a moment later.
        let known =
            matches!(self.entries.get(&id(at, 2)).map(|e| &e.fact), Some(Fact::Ended { again_at: was, state, .. }) if (*was, *state) == (again_at, r.state));
        if !known {
            let talked = r.answered_at.map(|_| r.call_duration);
            let reason = r.reason.trim().to_owned();
            let rang = if talked.is_none() { rang(r, at) } else { None };
            self.put(id(at, 2), Fact::Ended { who: who(), state: r.state, talked, rang, code: r.sip_code, reason, again_at });
        }
    }

    fn put(&mut self, id: EntryId, fact: Fact) {
        // Older than all that is remembered: it was forgotten before.
        if self.entries.len() >= KEPT && self.entries.first_key_value().is_some_and(|(first, _)| id < *first) {
            return;
        }
        self.entries.insert(id, Arc::new(Entry { id, fact }));
        if self.entries.len() > KEPT {
            self.entries.pop_first();
        }
        self.changed = true;
    }

    fn all(&mut self) -> Arc<Vec<Arc<Entry>>> {
        if std::mem::take(&mut self.changed) {
            self.shown = Arc::new(self.entries.values().cloned().collect());
        }
        self.shown.clone()
    }
}

/// Seconds that a phone rang until a moment.
fn rang(r: &PaneRow, until: DateTime<Utc>) -> Option<i64> {
    r.ringing_at.map(|t| (until - t).num_seconds().max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed(id: i64) -> (EntryId, Fact) {
        let at = DateTime::from_timestamp(id, 0).unwrap_or_default();
        let line = crate::store::AuditRow {
            at,
            actor: "ana".to_owned(),
            source: "console".to_owned(),
            action: "note_set".to_owned(),
            details: sqlx::types::Json(serde_json::Value::Null),
        };
        let deed = Deed { id, line, call: None, contact_name: None, phone_number: None, name: None };
        (EntryId { at, step: 3, of: u128::try_from(id).unwrap_or(0) }, Fact::Deed(Box::new(deed)))
    }

    #[test]
    fn it_remembers_the_newest_and_gives_out_the_same_where_nothing_is_new() {
        let mut all = Chronicle::default();
        for n in 1..=i64::try_from(KEPT).unwrap() + 5 {
            let (id, fact) = deed(n);
            all.put(id, fact);
        }
        let given = all.all();
        assert_eq!((given.len(), given[0].id.at.timestamp()), (KEPT, 6));
        let (id, fact) = deed(2);
        all.put(id, fact);
        assert!(Arc::ptr_eq(&given, &all.all()), "what was forgotten does not come back");
        let (id, fact) = deed(5000);
        all.put(id, fact);
        assert_eq!(all.all().last().unwrap().id.at.timestamp(), 5000);
    }
}
