//! What is asked of the calls, the way that leads there, and its statement.

use chrono::{DateTime, Utc};

use super::{
    super::sql::{Said, Value},
    words::Wanted,
};
use crate::domain::{
    call::State,
    id::{CampaignId, OwnerId},
    outcome::Outcome,
};

/// Which calls are wanted. What is empty asks for nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct CallSearch {
    pub owner: OwnerId,
    /// As it is typed: beginnings of words of the name and the note, last digits of the number.
    pub text: String,
    pub campaign: Option<CampaignId>,
    pub outcome: Option<Outcome>,
    /// An operator's name.
    pub tagged_by: Option<String>,
    pub states: Vec<State>,
    /// Those alone that were answered, are over, and have no tag.
    pub to_tag: bool,
    /// Dialled from then on, and before then.
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Where the page before ended.
    pub after: Option<Place>,
    pub limit: usize,
}

impl CallSearch {
    /// All calls of an owner, newest first.
    #[must_use]
    pub fn all(owner: OwnerId, limit: usize) -> Self {
        Self {
            owner,
            text: String::new(),
            campaign: None,
            outcome: None,
            tagged_by: None,
            states: Vec::new(),
            to_tag: false,
            from: None,
            until: None,
            after: None,
            limit,
        }
    }

    /// Whether nothing but the way it goes along narrows it.
    pub(super) fn compares(&self, way: Way) -> bool {
        let dated = (self.from.is_some() || self.until.is_some()) && way != Way::Time;
        let campaign = self.campaign.is_some() && !matches!(way, Way::Words | Way::Outcome);
        let outcome = self.outcome.is_some() && way != Way::Outcome;
        let tagger = self.tagged_by.is_some() && !matches!(way, Way::Outcome | Way::Tagger);
        let state = !self.states.is_empty() && !matches!(way, Way::Open | Way::Uncommon);
        dated || campaign || outcome || tagger || state || (self.to_tag && way != Way::ToTag)
    }

    pub(super) fn way(&self) -> Way {
        let states = &self.states;
        if !Wanted::of(&self.text).is_empty() {
            Way::Words
        } else if self.outcome.is_some() {
            Way::Outcome
        } else if self.tagged_by.is_some() {
            Way::Tagger
        } else if self.to_tag {
            Way::ToTag
        } else if !states.is_empty() && states.iter().all(|s| s.is_open()) {
            Way::Open
        } else if !states.is_empty() && states.iter().all(|s| is_uncommon(*s)) {
            Way::Uncommon
        } else if self.campaign.is_some() {
            Way::Words
        } else {
            Way::Time
        }
    }
}

/// As index `calls_uncommon` has it.
fn is_uncommon(state: State) -> bool {
    state.is_ended() && !matches!(state, State::Completed | State::NoAnswer)
}

/// Where a page ended: the moment by which its search is ordered, and the dial's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Place {
    pub at: DateTime<Utc>,
    pub dialled: i64,
}

/// Which index a search goes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Words,
    Outcome,
    Tagger,
    ToTag,
    Open,
    Uncommon,
    Time,
}

/// Later than any call; a year of five letters would sort before those of four.
pub(super) const FAR: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(far) => far,
    None => DateTime::<Utc>::MAX_UTC,
};

/// Calls of an owner that were made, with the moment that orders them.
fn dials(owner: OwnerId, at: &'static str, which: &'static str) -> Said {
    let mut sql = Said::new("SELECT ");
    sql.push(at).push(" AS at, dialled FROM campaign_calls WHERE dialled IS NOT NULL AND user_id = ").bind(Value::Id(owner.0)).push(which);
    sql
}

pub(super) fn by_time(q: &CallSearch, after: Place) -> Said {
    let mut sql = dials(q.owner, "armed_at", " AND (armed_at, dialled) < (");
    sql.bind(Value::At(after.at.min(q.until.unwrap_or(FAR)))).push(", ").bind(Value::Int(after.dialled)).push(")");
    sql.push(" AND armed_at >= ").bind(Value::At(q.from.unwrap_or(DateTime::UNIX_EPOCH)));
    sql.push(" ORDER BY armed_at DESC, dialled DESC");
    sql
}

pub(super) fn by_outcome(q: &CallSearch, after: Place) -> Said {
    let mut sql = dials(q.owner, "outcome_at", " AND outcome IS NOT NULL AND outcome = ");
    sql.bind(Value::Text(q.outcome.map_or_else(String::new, |o| o.as_str().to_owned())));
    sql.push(" AND (outcome_at, dialled) < (").bind(Value::At(after.at)).push(", ").bind(Value::Int(after.dialled)).push(")");
    if let Some(who) = &q.tagged_by {
        sql.push(" AND outcome_by = ").bind(Value::Text(who.clone()));
    }
    if let Some(campaign) = q.campaign {
        sql.push(" AND campaign_id = ").bind(Value::Id(campaign.0));
    }
    sql.push(" ORDER BY outcome_at DESC, dialled DESC");
    sql
}

pub(super) fn by_tagger(q: &CallSearch, after: Place) -> Said {
    let mut sql = dials(q.owner, "outcome_at", " AND outcome_who = 'operator' AND outcome_by = ");
    sql.bind(Value::Text(q.tagged_by.clone().unwrap_or_default()));
    sql.push(" AND (outcome_at, dialled) < (").bind(Value::At(after.at)).push(", ").bind(Value::Int(after.dialled)).push(")");
    sql.push(" ORDER BY outcome_at DESC, dialled DESC");
    sql
}

pub(super) fn to_tag(q: &CallSearch, after: Place) -> Said {
    let mut sql = dials(q.owner, "completed_at", " AND rank >= 90 AND answered_at IS NOT NULL AND outcome IS NULL");
    sql.push(" AND (completed_at, dialled) < (").bind(Value::At(after.at)).push(", ").bind(Value::Int(after.dialled)).push(")");
    sql.push(" ORDER BY completed_at DESC, dialled DESC");
    sql
}

/// Those on the line: a few, of every owner.
pub(super) fn open(q: &CallSearch, after: Place) -> Said {
    // `#plain`: by the index of those on the line, not through all dials of an owner.
    let mut sql = Said::new("SELECT armed_at AS at, dialled FROM campaign_calls WHERE rank >= 5 AND rank < 90 AND dialled IS NOT NULL AND #plain(user_id) = ");
    sql.bind(Value::Id(q.owner.0)).push(" AND dialled < ").bind(Value::Int(after.dialled));
    sql.push(" AND state IN (#words(").bind(Value::Text(serde_json::json!(q.states).to_string())).push(")) ORDER BY dialled DESC");
    sql
}

/// The newest of each state, and of those the newest.
pub(super) fn uncommon(q: &CallSearch, after: Place, limit: i64) -> Said {
    let mut sql = Said::new("SELECT at, dialled FROM (");
    for (i, state) in q.states.iter().enumerate() {
        sql.push(if i == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" });
        sql.push("SELECT armed_at AS at, dialled FROM campaign_calls WHERE dialled IS NOT NULL AND rank >= 90 AND state NOT IN ('completed', 'no_answer')");
        sql.push(" AND user_id = ").bind(Value::Id(q.owner.0)).push(" AND state = ").bind(Value::Text(state.as_str().to_owned()));
        sql.push(" AND dialled < ").bind(Value::Int(after.dialled)).push(" ORDER BY dialled DESC LIMIT ").bind(Value::Int(limit));
        sql.push(format!(") AS s{i}"));
    }
    sql.push(") AS newest ORDER BY dialled DESC");
    sql
}
