//! While you were away: what happened since the last console ended. Any key closes it.

use crossterm::event::KeyEvent;
use ratatui::{Frame, layout::Rect};

use crate::{
    console::{
        keys::{Action, Pane},
        place::{Dialog, Next},
        report,
        rows::count,
        state::State,
        widgets::{Entry, card},
    },
    desk::Away as Happened,
    domain::{
        campaign::Status,
        text::{clean, tail},
    },
};

/// Rows below which there is little room.
const LOW: u16 = 16;

pub struct Away(pub Box<Happened>);

/// Lines of each kind; the rest is a number.
const SHOWN: usize = 6;

impl Away {
    /// Nothing to tell is not told.
    pub fn is_empty(happened: &Happened) -> bool {
        happened.pace.is_zero() && happened.outcomes.is_empty() && happened.happened.is_empty() && happened.missed.is_empty()
    }
}

fn more(entries: &mut Vec<Entry<'_>>, all: usize) {
    if all > SHOWN {
        entries.push(Entry::Faint(format!("  and {} more", all - SHOWN)));
    }
}

impl Dialog for Away {
    fn key(&mut self, _state: &mut State, _key: KeyEvent) -> Next {
        Next::close()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let (a, zone) = (&self.0, state.options.zone);
        let since = a.from.with_timezone(&zone).format("%a %F %H:%M");
        let mut entries = vec![Entry::words(report::pace(&a.pace))];
        if !a.outcomes.is_empty() {
            entries.push(Entry::words(format!("Tagged: {}.", report::outcomes(&a.outcomes))));
        }
        if !a.happened.is_empty() {
            entries.push(Entry::Gap);
            entries.extend(a.happened.iter().rev().take(SHOWN).map(|h| Entry::words(report::happening(h, zone))));
            more(&mut entries, a.happened.len());
        }
        if !a.missed.is_empty() {
            let n = count(i64::try_from(a.missed.len()).unwrap_or(0), "promised callback");
            entries.extend([Entry::Gap, Entry::Wrong(format!("{n} due and not made:"))]);
            let missed = a.missed.iter().take(SHOWN).map(|m| {
                let who = if m.contact_name.trim().is_empty() || state.mask > 1 { tail(&m.phone_number) } else { clean(&m.contact_name, 40) };
                Entry::words(format!("  {who}, {}, due {}", clean(&m.campaign_name, 40), m.due.with_timezone(&zone).format("%a %H:%M")))
            });
            entries.extend(missed);
            more(&mut entries, a.missed.len());
        }
        let running = state.data.campaigns.iter().filter(|c| c.row.execution_status == Status::Running).count();
        if running > 0 && !state.options.read_only {
            let pause = state.keys.name(Action::PauseAll);
            let n = count(i64::try_from(running).unwrap_or(0), "campaign");
            entries
                .extend([Entry::Gap, Entry::words(format!("{n} {} on: people are called now. {pause} pauses all.", if running == 1 { "goes" } else { "go" }))]);
        }
        if state.to_tag() > 0 {
            let key = state.keys.name(Action::Focus(Pane::Outcomes));
            entries.extend([Entry::Gap, Entry::Keys(format!("{} to tag: {key} {key}", count(state.to_tag(), "call")))]);
        }
        // Where there is little room no line of it is empty.
        if area.height < LOW {
            entries.retain(|e| !matches!(e, Entry::Gap));
        }
        card(frame, &state.theme, area, &format!("While you were away, since {since}"), "Esc any key goes on", &entries);
    }
}
