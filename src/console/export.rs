//! The rows of a list as a file of them: those that are shown, in their order, with numbers as far as they are shown.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::{happened::Line, keys::Pane, rows::display_name, snapshot::CampaignView, state::State};
use crate::{domain::outcome::Outcome, store::PaneRow};

/// What a file of this name holds of the focused pane.
///
/// # Errors
/// In words, where the name ends in neither, or the pane has no such rows.
pub fn text(state: &State, path: &Path) -> Result<String, String> {
    let (head, rows) = table(state)?;
    match path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => csv(&head, &rows),
        Some("json") => json(&head, &rows),
        _ => Err(format!("{}: a file of rows ends in .csv or .json", path.display())),
    }
}

type Table = (Vec<&'static str>, Vec<Vec<String>>);

type Maker = fn(&State) -> Table;

fn table(state: &State) -> Result<Table, String> {
    let tables: [(Pane, Maker); 4] =
        [(Pane::Live, |s| calls(s, &s.live_rows())), (Pane::Outcomes, |s| calls(s, &s.queue_rows())), (Pane::Campaigns, campaigns), (Pane::Events, events)];
    let found = tables.iter().find(|(pane, _)| *pane == state.focus);
    found.map(|(_, of)| of(state)).ok_or_else(|| "this room has no rows to be written: go to campaigns, live calls, outcomes or events".to_owned())
}

fn time(state: &State, at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(String::new, |t| t.with_timezone(&state.options.zone).format("%F %H:%M:%S %z").to_string())
}

fn calls(state: &State, rows: &[&PaneRow]) -> Table {
    let head = vec!["contact", "number", "campaign", "attempt", "state", "reason", "dialled", "answered", "ended", "talk", "outcome", "note"];
    let row = |r: &&PaneRow| {
        let outcome = r.outcome.map_or("", Outcome::as_str).to_owned();
        let number = if state.mask == 0 { r.phone_number.clone() } else { state.number(&r.phone_number) };
        let figures = [r.attempt.to_string(), r.state.words_if(r.armed_at.is_some()).to_owned(), r.reason.clone()];
        let times = [time(state, r.armed_at), time(state, r.answered_at), time(state, r.completed_at), r.call_duration.to_string()];
        [display_name(r), number, r.campaign_name.clone()].into_iter().chain(figures).chain(times).chain([outcome, r.notes.clone()]).collect()
    };
    (head, rows.iter().map(row).collect())
}

fn campaigns(state: &State) -> Table {
    let head = vec!["campaign", "state", "contacts", "waiting", "live", "dialled", "answered", "today", "cap", "untagged", "called", "done %"];
    let row = |c: &&CampaignView| {
        let n = &c.row.counts;
        let p = state.data.people(c);
        let people = [p.called + p.not_reached, p.done_percent().unwrap_or(0)];
        let figures = [p.contacts, p.waiting, n.live, n.dials, n.pickups, c.used_today, c.row.daily_cap, n.untagged];
        let figures = figures.into_iter().chain(people);
        let words = [c.row.name.clone(), c.row.execution_status.as_str().to_owned()];
        words.into_iter().chain(figures.map(|n| n.to_string())).collect()
    };
    (head, state.campaign_rows().iter().map(row).collect())
}

fn events(state: &State) -> Table {
    let teller = state.teller();
    let row = |l: &Line<'_>| {
        let said = l.said(&teller);
        vec![time(state, Some(l.id().at)), l.level().to_string(), l.from().to_owned(), said.word, said.text]
    };
    (vec!["time", "level", "from", "event", "text"], state.event_rows().iter().map(row).collect())
}

fn csv(head: &[&str], rows: &[Vec<String>]) -> Result<String, String> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let wrong = |e: csv::Error| e.to_string();
    out.write_record(head).map_err(wrong)?;
    for row in rows {
        out.write_record(row.iter().map(|cell| harmless(cell))).map_err(wrong)?;
    }
    let bytes = out.into_inner().map_err(|e| e.to_string())?;
    String::from_utf8(bytes).map_err(|e| e.to_string())
}

/// A spreadsheet takes a cell that begins so for a formula; a number with its plus is none.
fn harmless(cell: &str) -> String {
    let number = cell.strip_prefix('+').is_some_and(|d| !d.is_empty() && d.chars().all(|c| c.is_ascii_digit()));
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !number;
    if formula { format!("'{cell}") } else { cell.to_owned() }
}

fn json(head: &[&str], rows: &[Vec<String>]) -> Result<String, String> {
    let object =
        |row: &Vec<String>| head.iter().zip(row).map(|(k, v)| ((*k).to_owned(), serde_json::Value::from(v.clone()))).collect::<serde_json::Map<_, _>>();
    let all: Vec<_> = rows.iter().map(object).collect();
    serde_json::to_string_pretty(&all).map(|t| t + "\n").map_err(|e| e.to_string())
}
