//! What "stop all" is to mean: the campaigns ended, or no dial on any host.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use super::KillSwitch;
use crate::{
    console::{
        message::Effect,
        place::{Dialog, Next},
        rows::count,
        state::State,
        widgets::{Entry, danger},
    },
    domain::{campaign::Status, id::CampaignId},
};

pub struct StopAll {
    /// Those that run or are paused.
    begun: Vec<(CampaignId, String)>,
}

impl StopAll {
    pub fn new(state: &State) -> Self {
        let begun = state.data.campaigns.iter().filter(|c| matches!(c.row.execution_status, Status::Running | Status::Paused) && !c.row.manual);
        Self { begun: begun.map(|c| (c.row.id, c.row.name.clone())).collect() }
    }

    fn words(&self) -> String {
        let names: Vec<String> = self.begun.iter().map(|(_, name)| format!("\"{name}\"")).collect();
        let n = count(i64::try_from(names.len()).unwrap_or(0), "campaign");
        format!("c stops {n}: {}. Live calls go on to their end; nobody else is called until a campaign is started again.", names.join(", "))
    }
}

impl Dialog for StopAll {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Char('c') if !self.begun.is_empty() => {
                let stop = |(campaign, name): &(CampaignId, String)| Effect::Stop { campaign: *campaign, name: name.clone(), hang_up: false };
                Next::Close(self.begun.iter().map(stop).collect())
            }
            KeyCode::Char('k') => Next::Instead(Box::new(KillSwitch::turn(true))),
            _ => Next::stay(),
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let pause = state.keys.name(crate::console::keys::Action::PauseAll);
        let none = "No campaign runs: there is none to stop.".to_owned();
        let entries = [
            Entry::Words(if self.begun.is_empty() { none } else { self.words() }),
            Entry::words("k is the kill switch: nothing is dialled on any host until an admin releases it (asks)."),
            Entry::Words(format!("{pause} pauses all instead, and resumes the same ones.")),
        ];
        let stop = if self.begun.is_empty() { "" } else { "c stop campaigns   " };
        danger(frame, &state.theme, area, "Stop all?", &format!("{stop}k kill switch   Esc back"), &entries);
    }
}
