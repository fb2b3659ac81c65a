//! Calls that were made as rows of a list: when, who, how it ended, what came of it and who said so.

use chrono::{DateTime, Datelike, Utc};
use ratatui::text::Span;

use super::table::{outcome_span, row_style, state_span, time};
use crate::{
    console::{rows::display_name, state::State, widgets::fit},
    domain::text::clean,
    store::FoundCall,
};

/// Widths of the columns; attempt, age, campaign and talk drop in that order.
pub struct Columns {
    /// Contact and number; of one number's calls the campaign stands in their place.
    contact: usize,
    campaign: usize,
    talk: bool,
    age: bool,
    attempt: bool,
    last: usize,
}

/// Cells of the columns; two free ones stand behind each.
const WHEN: usize = 12;
const STATE: usize = 12;
const NUMBER: usize = 17;
const TALK: usize = 5;
const AGE: usize = 4;
const ATTEMPT: usize = 3;
const GAP: usize = 2;
/// Those that never drop, with the cursor's cell.
const FIXED: usize = 1 + WHEN + STATE + 2 * GAP;

impl Columns {
    pub fn of(width: usize) -> Self {
        let left = width.saturating_sub(FIXED + NUMBER + GAP);
        let (talk, age, attempt) = (left >= 40, left >= 60, left >= 90);
        let left = left.saturating_sub(used(talk, age, attempt));
        let campaign = if left >= 56 { (left / 4).min(28) } else { 0 };
        let left = left.saturating_sub(gapped(campaign));
        let contact = (left * 2 / 5).clamp(8, 28);
        Self { contact, campaign, talk, age, attempt, last: left.saturating_sub(contact + GAP) }
    }

    /// Those of one number, whose name is said elsewhere.
    pub fn of_number(width: usize) -> Self {
        let left = width.saturating_sub(FIXED);
        let (talk, age, attempt) = (left >= 40, left >= 60, left >= 70);
        let left = left.saturating_sub(used(talk, age, attempt));
        let campaign = (left * 2 / 5).min(40);
        Self { contact: 0, campaign, talk, age, attempt, last: left.saturating_sub(gapped(campaign)) }
    }

    pub fn head(&self) -> String {
        let mut all = vec![fit("dialled", WHEN)];
        if self.age {
            all.push(format!("{:>AGE$}", "ago"));
        }
        if self.contact > 0 {
            all.extend([fit("contact", self.contact), fit("number", NUMBER)]);
        }
        all.push(fit("state", STATE));
        if self.talk {
            all.push(format!("{:>TALK$}", "talk"));
        }
        if self.attempt {
            all.push(format!("{:>ATTEMPT$}", "try"));
        }
        if self.campaign > 0 {
            all.push(fit("campaign", self.campaign));
        }
        all.push("outcome".to_owned());
        all.join("  ")
    }

    pub fn spans(&self, state: &State, found: &FoundCall) -> Vec<Span<'static>> {
        let r = &found.call;
        let style = |role: &str| state.theme.style(role);
        let mut all = vec![Span::styled(fit(&r.armed_at.map_or_else(String::new, |t| when(state, t)), WHEN), style("text_dim"))];
        if self.age {
            all.push(Span::styled(format!("{:>AGE$}", r.armed_at.map_or_else(String::new, |t| age(state.now, t))), style("text_faint")));
        }
        if self.contact > 0 {
            let who = format!("{}  {}", fit(&display_name(r), self.contact), fit(&state.number(&r.phone_number), NUMBER));
            all.push(Span::styled(who, if r.answered_at.is_some() { style("text") } else { row_style(state, r) }));
        }
        all.push(state_span(state, r, STATE));
        if self.talk {
            all.push(Span::styled(format!("{:>TALK$}", time(r, state.now)), style("text")));
        }
        if self.attempt {
            all.push(Span::styled(format!("{:>ATTEMPT$}", r.attempt), style("text_dim")));
        }
        if self.campaign > 0 {
            all.push(Span::styled(fit(&clean(&r.campaign_name, 80), self.campaign), style("text_dim")));
        }
        all.push(self.outcome(state, found));
        let last = all.len() - 1;
        all.into_iter().enumerate().flat_map(|(i, span)| [span, Span::raw(if i < last { "  " } else { "" })]).collect()
    }

    /// What came of it, and who said so.
    fn outcome(&self, state: &State, found: &FoundCall) -> Span<'static> {
        let r = &found.call;
        let last = outcome_span(state, r);
        let by = found.outcome_by.as_deref().filter(|_| r.outcome.is_some() && !state.saving.contains_key(&r.id));
        let by = by.filter(|b| !b.is_empty()).map_or_else(String::new, |b| format!("  by {}", clean(b, 40)));
        let gone = if found.abandoned { "  no agent came" } else { "" };
        Span::styled(fit(&format!("{}{by}{gone}", last.content), self.last), last.style)
    }
}

fn used(talk: bool, age: bool, attempt: bool) -> usize {
    [(talk, TALK), (age, AGE), (attempt, ATTEMPT)].into_iter().filter(|c| c.0).map(|c| c.1 + GAP).sum()
}

/// A column with its gap; none has none.
fn gapped(width: usize) -> usize {
    if width > 0 { width + GAP } else { 0 }
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

/// `40 s`, `4 m`, `3 h`, `2 d`.
fn age(now: DateTime<Utc>, since: DateTime<Utc>) -> String {
    let seconds = (now - since).num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} m", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}
