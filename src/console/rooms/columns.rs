//! Calls that were made as rows of a list: when, who, how it ended, what came of it and who said so.

use chrono::{DateTime, Datelike, Utc};
use ratatui::text::Span;

use super::table::{outcome_span, row_style, state_span, time};
use crate::{
    console::{
        lists::{AS_IT_IS, Column, List},
        rows::display_name,
        state::State,
        widgets::fit,
    },
    domain::{outcome::Outcome, text::clean},
    store::FoundCall,
};

/// Widths of the columns, none where one is left out; attempt, age, campaign and talk drop in that order, and what
/// somebody has left out gives its room to the others.
pub struct Columns {
    at: usize,
    age: usize,
    /// Contact and number; of one number's calls the campaign stands in their place.
    contact: usize,
    number: usize,
    state: usize,
    talk: usize,
    attempt: usize,
    campaign: usize,
    last: usize,
    /// By when they were tagged, in which order they stand then; else by when they were dialled.
    tagged: bool,
}

/// What parts the columns.
const GAP: usize = 2;
/// Cells of the columns, with what parts them.
const AT: usize = 14;
const AGE: usize = 7;
const NUMBER: usize = 17;
const STATE: usize = 13;
const TALK: usize = 7;
const ATTEMPT: usize = 5;

impl Columns {
    /// Those of every call, as its list is set.
    pub fn of(width: usize, list: &List) -> Self {
        let number = if list.shows(Column::Number) { NUMBER } else { 0 };
        let width = width.saturating_sub(number + GAP);
        let mut some = Self::fixed(width, list, 90);
        let left = some.left(width);
        let campaign = if left >= 56 && list.shows(Column::Campaign) { (left / 4).min(28) } else { 0 };
        let left = left - campaign;
        let contact = if list.shows(Column::Outcome) { (left * 2 / 5).clamp(8, 28) } else { left.clamp(8, 60) };
        (some.contact, some.number, some.campaign) = (contact, number, campaign);
        some.last = if list.shows(Column::Outcome) { left.saturating_sub(contact) } else { 0 };
        some
    }

    /// Of what somebody tagged: in the order of their tags, with the moment of these.
    #[must_use]
    pub fn by_tag(self, tagged: bool) -> Self {
        Self { tagged, ..self }
    }

    /// Those of one number, whose name is said elsewhere, unless calls to it went to several names.
    pub fn of_number(width: usize, names: bool) -> Self {
        let mut some = Self::fixed(width, &AS_IT_IS, 70);
        let mut left = some.left(width);
        if names {
            some.contact = (left / 4).clamp(8, 24);
            left = left.saturating_sub(some.contact + GAP);
        }
        some.campaign = (left * 2 / 5).min(40);
        some.last = left.saturating_sub(some.campaign);
        some
    }

    /// What does not grow: the talk where the rest has 40 cells, the age from 60 on, the attempt from `attempt` on.
    fn fixed(width: usize, list: &List, attempt: usize) -> Self {
        let wide = |column, cells| if list.shows(column) { cells } else { 0 };
        let (at, state) = (wide(Column::Dialled, AT), wide(Column::State, STATE));
        let left = width.saturating_sub(1 + at + state);
        let some = |column, least, cells| if left >= least { wide(column, cells) } else { 0 };
        let (talk, age) = (some(Column::Talk, 40, TALK), some(Column::Dialled, 60, AGE));
        Self { at, age, contact: 0, number: 0, state, talk, attempt: some(Column::Attempt, attempt, ATTEMPT), campaign: 0, last: 0, tagged: false }
    }

    /// What they leave of a width.
    fn left(&self, width: usize) -> usize {
        width.saturating_sub(1 + self.at + self.age + self.state + self.talk + self.attempt)
    }

    pub fn head(&self) -> String {
        let contact = if self.contact > 0 { self.contact + GAP } else { 0 };
        let cells = [
            (self.at, if self.tagged { "tagged" } else { "dialled" }),
            (self.age, "  ago"),
            (contact, "contact"),
            (self.number, "number"),
            (self.state, "state"),
            (self.talk, " talk"),
            (self.attempt, "try"),
            (self.campaign, "campaign"),
        ];
        let head: String = cells.into_iter().map(|(width, words)| fit(words, width)).collect();
        format!("{head}{}", fit("outcome", self.last))
    }

    pub fn spans(&self, state: &State, found: &FoundCall) -> Vec<Span<'static>> {
        let r = &found.call;
        let cell = |width: usize, text: &dyn Fn() -> String, role: &str| (width > 0).then(|| Span::styled(fit(&text(), width), state.theme.style(role)));
        let at = if self.tagged { found.outcome_at.or(r.armed_at) } else { r.armed_at };
        let name = (self.contact > 0).then(|| Span::styled(fit(&display_name(r), self.contact), row_style(state, r)));
        let apart = (self.contact > 0).then(|| Span::raw(" ".repeat(GAP)));
        let before = [
            cell(self.at, &|| at.map_or_else(String::new, |t| when(state, t)), "text_dim"),
            cell(self.age, &|| at.map_or_else(String::new, |t| age(state.now, t)), "text_faint"),
            name,
            apart,
            cell(self.number, &|| state.number(&r.phone_number), "text_dim"),
            (self.state > 0).then(|| state_span(state, r, self.state)),
            cell(self.talk, &|| r.answered_at.map_or_else(String::new, |_| format!("{:>5}", time(r, state.now))), "text"),
            cell(self.attempt, &|| format!("{:>3}", r.attempt), "text_dim"),
            cell(self.campaign, &|| fit(&clean(&r.campaign_name, 80), self.campaign.saturating_sub(GAP)), "text_dim"),
        ];
        before.into_iter().flatten().chain([self.outcome(state, found)]).collect()
    }

    /// What came of it, and who said so.
    fn outcome(&self, state: &State, found: &FoundCall) -> Span<'static> {
        let r = &found.call;
        let last = outcome_span(state, r);
        let by = found.outcome_by.as_deref().filter(|_| r.outcome.is_some() && !state.saving.contains_key(&r.id));
        let by = by.filter(|b| !b.is_empty()).map_or_else(String::new, |b| format!("  by {}", clean(b, 40)));
        let at = |t: DateTime<Utc>| t.with_timezone(&state.options.zone).format(" on %a %-d %b %H:%M").to_string();
        let due = found.promised.filter(|_| r.outcome == Some(Outcome::Callback)).map_or_else(String::new, at);
        let gone = if found.abandoned { "  no agent came" } else { "" };
        let note = r.notes.lines().next().map_or_else(String::new, |line| format!("  note: {}", clean(line, 80)));
        Span::styled(fit(&format!("{}{due}{by}{gone}{note}", last.content), self.last), last.style)
    }
}

/// `10:42` of today, `14 Oct 10:42`, `14 Oct 2025`.
pub fn when(state: &State, at: DateTime<Utc>) -> String {
    let (at, now) = (at.with_timezone(&state.options.zone), state.now.with_timezone(&state.options.zone));
    let form = if at.date_naive() == now.date_naive() {
        "%H:%M"
    } else if at.year() == now.year() {
        "%e %b %H:%M"
    } else {
        "%e %b %Y"
    };
    at.format(form).to_string()
}

/// `40 s`, `4 m`; from an hour on the moment beside it says as much.
fn age(now: DateTime<Utc>, since: DateTime<Utc>) -> String {
    let seconds = (now - since).num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds:>3} s"),
        60..3600 => format!("{:>3} m", seconds / 60),
        _ => String::new(),
    }
}
