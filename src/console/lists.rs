//! What each list shows of its rows, and in what order: by pane a filter, a column to sort by, and the columns that
//! are left out. Rows keep their ids, so none of it moves a cursor.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};

use chrono::{DateTime, Utc};

use super::{
    happened::{Line, Slot, Teller},
    keys::{self, Action, Pane},
    rows::{self, display_name},
    snapshot::{CampaignView, Snapshot},
};
use crate::{
    domain::zone::Zone,
    store::{FoundCall, PaneRow},
    telemetry::LogLine,
};

/// A column by which rows are sorted, and which may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    State,
    Contact,
    Number,
    Attempt,
    Dialled,
    Time,
    /// Of calls that were made: how long was talked.
    Talk,
    Campaign,
    Room,
    Outcome,
    Done,
    Live,
    Today,
    Hours,
}

/// Of calls.
const CALLS: &[Column] =
    &[Column::State, Column::Contact, Column::Number, Column::Attempt, Column::Dialled, Column::Time, Column::Campaign, Column::Room, Column::Outcome];
/// Of those that wait for a tag, whose campaign is said elsewhere.
const QUEUE: &[Column] = &[Column::Contact, Column::Time, Column::Outcome];
/// Of every call ever.
const EVERY: &[Column] = &[Column::Dialled, Column::Contact, Column::Number, Column::State, Column::Talk, Column::Attempt, Column::Campaign, Column::Outcome];
const CAMPAIGNS: &[Column] = &[Column::State, Column::Campaign, Column::Done, Column::Live, Column::Today, Column::Hours];

impl Column {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Contact => "contact",
            Self::Number => "number",
            Self::Attempt => "try",
            Self::Dialled => "dialled",
            Self::Time => "time",
            Self::Talk => "talk",
            Self::Campaign => "campaign",
            Self::Room => "room",
            Self::Outcome => "outcome",
            Self::Done => "done",
            Self::Live => "live",
            Self::Today => "today",
            Self::Hours => "next",
        }
    }

    /// Figures begin with the largest, words with the first.
    fn largest_first(self) -> bool {
        matches!(self, Self::Attempt | Self::Dialled | Self::Time | Self::Talk | Self::Done | Self::Live | Self::Today)
    }
}

/// The columns of a pane, in the order in which they are sorted by.
#[must_use]
pub fn columns(pane: Pane) -> &'static [Column] {
    match pane {
        Pane::Calls => EVERY,
        Pane::Outcomes => QUEUE,
        Pane::Campaigns => CAMPAIGNS,
        pane if pane.has_calls() => CALLS,
        _ => &[],
    }
}

/// Whose row it is must be seen: this column stays.
#[must_use]
pub fn is_fixed(pane: Pane, column: Column) -> bool {
    column == if pane == Pane::Campaigns { Column::Campaign } else { Column::Contact }
}

/// A pane's name in files.
#[must_use]
pub fn name(pane: Pane) -> &'static str {
    keys::row(Action::Focus(pane)).map_or("", |row| row.name)
}

/// How one list is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    pub filter: String,
    /// `None`: the order of the list itself.
    pub sort: Option<Column>,
    pub reverse: bool,
    pub hidden: BTreeSet<Column>,
}

/// As nobody has set it.
pub static AS_IT_IS: List = List { filter: String::new(), sort: None, reverse: false, hidden: BTreeSet::new() };

impl List {
    #[must_use]
    pub fn shows(&self, column: Column) -> bool {
        !self.hidden.contains(&column)
    }

    /// The order in words; nothing where it is the list's own.
    #[must_use]
    pub fn order(&self) -> Option<String> {
        match (self.sort, self.reverse) {
            (Some(column), false) => Some(column.name().to_owned()),
            (Some(column), true) => Some(format!("{} reversed", column.name())),
            (None, true) => Some("reversed".to_owned()),
            (None, false) => None,
        }
    }

    /// The next column, after the last the list's own order again.
    pub fn sort_next(&mut self, pane: Pane) {
        let all = columns(pane);
        let next = self.sort.and_then(|c| all.iter().position(|a| *a == c)).map_or(0, |i| i + 1);
        (self.sort, self.reverse) = (all.get(next).copied(), false);
    }

    /// In another order than its own.
    #[must_use]
    pub fn is_sorted(&self) -> bool {
        self.sort.is_some() || self.reverse
    }

    /// Orders rows that stand in the list's own order; those that are alike stay in it.
    fn sort<T>(&self, all: &mut [T], value: impl Fn(&T, Column) -> Value) {
        match self.sort {
            Some(column) if column.largest_first() != self.reverse => all.sort_by_cached_key(|r| Reverse(value(r, column))),
            Some(column) => all.sort_by_cached_key(|r| value(r, column)),
            None if self.reverse => all.reverse(),
            None => {}
        }
    }
}

/// What a column holds, to be compared.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Number(i64),
    Text(String),
}

/// The settings of all lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists(HashMap<Pane, List>);

impl Lists {
    #[must_use]
    pub fn of(&self, pane: Pane) -> &List {
        self.0.get(&pane).unwrap_or(&AS_IT_IS)
    }

    pub fn at(&mut self, pane: Pane) -> &mut List {
        self.0.entry(pane).or_default()
    }

    pub fn all(&self) -> impl Iterator<Item = (Pane, &List)> {
        self.0.iter().map(|(pane, list)| (*pane, list))
    }

    /// Which of the calls a pane shows, in its order; `at` is the moment that times are counted to.
    #[must_use]
    pub fn calls(&self, pane: Pane, all: &[PaneRow], at: DateTime<Utc>, shown: impl Fn(&PaneRow) -> bool) -> Vec<usize> {
        let list = self.of(pane);
        let mut order: Vec<usize> = (0..all.len()).filter(|i| shown(&all[*i]) && rows::passes(&list.filter, &all[*i])).collect();
        if pane == Pane::Live {
            order.sort_by_key(|i| rows::standing(&all[*i]));
        }
        list.sort(&mut order, |i, column| of_call(&all[*i], column, at));
        order
    }

    /// Calls that were made, as they were found, in the order of every call.
    #[must_use]
    pub fn found(&self, all: &[FoundCall], at: DateTime<Utc>) -> Vec<usize> {
        let mut order: Vec<usize> = (0..all.len()).collect();
        self.of(Pane::Calls).sort(&mut order, |i, column| of_call(&all[*i].call, column, at));
        order
    }

    #[must_use]
    pub fn campaigns(&self, data: &Snapshot) -> Vec<usize> {
        let all = &data.campaigns;
        let list = self.of(Pane::Campaigns);
        let mut order: Vec<usize> = (0..all.len()).filter(|i| passes(&list.filter, &all[*i])).collect();
        list.sort(&mut order, |i, column| of_campaign(data, &all[*i], column));
        order
    }

    /// Lines of the events that are shown, oldest first; `old` are those that the log's files have besides.
    #[must_use]
    pub fn events(&self, data: &Snapshot, old: &[LogLine], least: tracing::Level, teller: &Teller) -> Vec<Slot> {
        let filter = &self.of(Pane::Events).filter;
        let slots = (0..data.happened.len()).map(Slot::Fact).chain((0..data.logs.len()).map(Slot::Log)).chain((0..old.len()).map(Slot::Old));
        let lines = slots.filter_map(|slot| Some((slot, Line::of(slot, data, old)?))).filter(|(_, line)| line.is_shown(least));
        let mut shown: Vec<_> = lines.filter(|(_, line)| filter.is_empty() || event_passes(filter, *line, teller)).collect();
        shown.sort_by_key(|(_, line)| line.id());
        shown.into_iter().map(|(slot, _)| slot).collect()
    }
}

/// The same of a line of the log, whose words hide no number.
#[must_use]
pub fn log_passes(filter: &str, line: &LogLine, zone: Zone) -> bool {
    event_passes(filter, Line::Old(line), &Teller { mask: 0, zone, now: line.at })
}

/// Whether a line of the events passes a filter.
#[must_use]
pub fn event_passes(filter: &str, line: Line<'_>, teller: &Teller) -> bool {
    let (said, level) = (line.said(teller), line.level().as_str().to_lowercase());
    let (text, at) = (format!("{} {}", said.word, said.text), line.id().at.with_timezone(&teller.zone).format("%H:%M:%S").to_string());
    rows::matches(filter, &[("text", &text), ("level", &level), ("from", line.from()), ("time", &at)])
}

/// Those that stood there before keep their places, whoever is new comes behind.
pub fn hold<T: Eq + std::hash::Hash>(order: &mut [usize], stood: &[T], id: impl Fn(usize) -> T) {
    let place: HashMap<&T, usize> = stood.iter().enumerate().map(|(i, id)| (id, i)).collect();
    order.sort_by_key(|i| place.get(&id(*i)).copied().unwrap_or(usize::MAX));
}

fn of_call(r: &PaneRow, column: Column, at: DateTime<Utc>) -> Value {
    match column {
        Column::Contact => Value::Text(display_name(r).to_lowercase()),
        Column::Number => Value::Text(r.phone_number.clone()),
        Column::Attempt => Value::Number(r.attempt),
        Column::Dialled => Value::Number(r.armed_at.map_or(i64::MIN, |t| t.timestamp_millis())),
        Column::Time | Column::Talk => Value::Number(rows::seconds(r, at).unwrap_or(-1)),
        Column::Campaign => Value::Text(r.campaign_name.to_lowercase()),
        Column::Outcome => Value::Number(r.outcome.or(r.suggestion).map_or(99, |o| i64::from(o.digit() as u32 - u32::from(b'0')))),
        _ => Value::Number(i64::from(rows::group(r.state))),
    }
}

fn of_campaign(data: &Snapshot, c: &CampaignView, column: Column) -> Value {
    let (n, people) = (&c.row.counts, data.people(c));
    match column {
        Column::Campaign => Value::Text(c.row.name.to_lowercase()),
        Column::Done => Value::Number(people.done() * 1000 / people.contacts.max(1)),
        Column::Live => Value::Number(n.live),
        Column::Today => Value::Number(c.used_today),
        Column::Hours => Value::Text(c.row.window().label()),
        _ => Value::Text(c.row.execution_status.as_str().to_owned()),
    }
}

fn passes(filter: &str, c: &CampaignView) -> bool {
    let list = c.row.csv_file_name.as_deref().or(c.row.contact_list_name.as_deref()).unwrap_or_default();
    let fields = [("name", c.row.name.as_str()), ("state", c.row.execution_status.as_str()), ("assistant", &c.row.assistant_name), ("list", list)];
    rows::matches(filter, &fields)
}

/// The fields that a filter of this pane may name.
#[must_use]
pub fn fields(pane: Pane) -> &'static [&'static str] {
    match pane {
        Pane::Campaigns => &["name", "state", "assistant", "list"],
        Pane::Events => &["text", "level", "from", "time"],
        _ => &["name", "number", "campaign", "state", "outcome"],
    }
}

/// A column of a pane by its name.
#[must_use]
pub fn named(pane: Pane, text: &str) -> Option<Column> {
    columns(pane).iter().copied().find(|c| c.name().eq_ignore_ascii_case(text))
}
