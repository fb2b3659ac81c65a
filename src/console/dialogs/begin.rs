//! Which campaign is to start: each that does not run, by its name.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use crate::{
    console::{
        message::Effect,
        place::{Dialog, Next},
        rows::count,
        snapshot::CampaignView,
        state::State,
        widgets::{Entry, card},
    },
    domain::{campaign::Status, id::CampaignId},
};

pub struct Begin {
    /// The cursor, by the campaign.
    at: Option<CampaignId>,
}

/// Campaigns that are shown around the cursor.
const SHOWN: usize = 10;

fn startable(state: &State) -> Vec<&CampaignView> {
    state.data.campaigns.iter().filter(|c| c.row.execution_status != Status::Running && !c.row.manual).collect()
}

impl Begin {
    pub fn new(state: &State) -> Self {
        let all = startable(state);
        let first = all.iter().find(|c| Some(c.row.id) == state.campaign).or(all.first());
        Self { at: first.map(|c| c.row.id) }
    }
}

impl Dialog for Begin {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        let all = startable(state);
        let at = all.iter().position(|c| Some(c.row.id) == self.at);
        let to = match key.code {
            KeyCode::Down | KeyCode::Char('j') => at.map_or(0, |i| (i + 1).min(all.len().saturating_sub(1))),
            KeyCode::Up | KeyCode::Char('k') => at.map_or(0, |i| i.saturating_sub(1)),
            KeyCode::Enter => {
                let Some(c) = at.map(|i| all[i]) else { return Next::stay() };
                let (id, name, paused) = (c.row.id, c.row.name.clone(), c.row.execution_status == Status::Paused);
                // From here on it is the one that keys act on, and the footer names.
                state.campaign = Some(id);
                return Next::Close(vec![if paused { Effect::Resume(id, name) } else { Effect::Start(id, name) }]);
            }
            _ => return Next::stay(),
        };
        self.at = all.get(to).map(|c| c.row.id);
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let all = startable(state);
        let at = all.iter().position(|c| Some(c.row.id) == self.at);
        let top = (at.unwrap_or(0) + 1).saturating_sub(SHOWN);
        let line = |(i, c): (usize, &&CampaignView)| {
            let (name, status) = (&c.row.name, c.row.execution_status.as_str());
            Entry::Choice(format!("{name}   {status}   assistant {}", c.row.assistant_name), Some(i) == at)
        };
        let mut entries: Vec<Entry<'_>> = all.iter().enumerate().skip(top).take(SHOWN).map(line).collect();
        entries.push(Entry::Gap);
        match at.map(|i| all[i]) {
            Some(c) => {
                let simulated = if state.options.simulated { "no phone rings: all is simulated" } else { "real phones ring" };
                entries.push(Entry::Words(format!("\"{}\": {simulated}.", c.row.name)));
                entries.push(Entry::Keys("Enter starts it   up down choose   Esc back".to_owned()));
            }
            None if all.is_empty() => {
                entries.push(Entry::Words(format!(
                    "{} made, and each of them is running.",
                    count(i64::try_from(state.data.campaigns.len()).unwrap_or(0), "campaign")
                )));
            }
            None => entries.push(Entry::words("up down chooses one")),
        }
        card(frame, &state.theme, area, "Start which campaign?", "Esc", &entries);
    }
}
