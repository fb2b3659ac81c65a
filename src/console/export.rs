//! The rows of a list as a file of them: those that are shown, in their order, with numbers as far as they are shown.

use std::path::Path;

use super::{keys::Pane, rows::display_name, state::State};
use crate::domain::outcome::Outcome;

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

fn table(state: &State) -> Result<Table, String> {
    let zone = state.options.zone;
    let time = |t: Option<chrono::DateTime<chrono::Utc>>| t.map_or_else(String::new, |t| t.with_timezone(&zone).format("%F %H:%M:%S %z").to_string());
    if !Pane::DECK.contains(&state.focus) {
        return Err("this room has no rows to be written: go to campaigns, live calls, outcomes or events".to_owned());
    }
    match state.focus {
        Pane::Live | Pane::Outcomes => {
            let rows = if state.focus == Pane::Live { state.live_rows() } else { state.queue_rows() };
            let head = vec!["contact", "number", "campaign", "attempt", "state", "reason", "dialled", "answered", "ended", "talk", "outcome", "note"];
            let row = |r: &crate::store::PaneRow| {
                let outcome = r.outcome.map_or("", Outcome::as_str).to_owned();
                let number = if state.mask == 0 { r.phone_number.clone() } else { state.number(&r.phone_number) };
                let figures = [r.attempt.to_string(), r.state.words().to_owned(), r.reason.clone()];
                let times = [time(r.armed_at), time(r.answered_at), time(r.completed_at), r.call_duration.to_string()];
                [display_name(r), number, r.campaign_name.clone()].into_iter().chain(figures).chain(times).chain([outcome, r.notes.clone()]).collect()
            };
            Ok((head, rows.into_iter().map(row).collect()))
        }
        Pane::Campaigns => {
            let head = vec!["campaign", "state", "contacts", "waiting", "live", "dialled", "answered", "today", "cap", "untagged"];
            let row = |c: &&super::snapshot::CampaignView| {
                let n = &c.row.counts;
                let figures = [n.total, n.pending, n.live, n.dials, n.pickups, c.used_today, c.row.daily_cap, n.untagged];
                let words = [c.row.name.clone(), c.row.execution_status.as_str().to_owned()];
                words.into_iter().chain(figures.iter().map(ToString::to_string)).collect()
            };
            Ok((head, state.campaign_rows().iter().map(row).collect()))
        }
        _ => {
            let row = |l: &&crate::telemetry::LogLine| vec![time(Some(l.at)), l.level.to_string(), l.target.clone(), l.text.clone()];
            Ok((vec!["time", "level", "from", "text"], state.event_rows().iter().map(row).collect()))
        }
    }
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
