//! Stop a campaign: what becomes of its live calls and of those who wait.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use crate::{
    console::{
        message::Effect,
        place::{Dialog, Next},
        rows::count,
        state::State,
        widgets::{Entry, danger},
    },
    domain::id::CampaignId,
};

pub struct Stop {
    pub campaign: CampaignId,
    pub name: String,
    pub live: i64,
    pub left: i64,
    /// A hang-up was asked for, and is asked once more.
    pub sure: bool,
}

impl Stop {
    fn effect(&self, hang_up: bool) -> Next {
        Next::Close(vec![Effect::Stop { campaign: self.campaign, name: self.name.clone(), hang_up }])
    }
}

impl Dialog for Stop {
    fn key(&mut self, _state: &mut State, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Char('k') if !self.sure => self.effect(false),
            KeyCode::Char('h') if !self.sure && self.live > 0 => {
                self.sure = true;
                Next::stay()
            }
            KeyCode::Char('y') if self.sure => self.effect(true),
            _ => Next::stay(),
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let (name, live) = (&self.name, count(self.live, "live call"));
        if self.sure {
            let words = format!("y stops \"{name}\" and hangs up on {} in mid-call.", count(self.live, "person"));
            let entries = [Entry::Words(words), Entry::Keys("y hang up   Esc back".to_owned())];
            return danger(frame, &state.theme, area, &format!("Hang up {live}?"), "Esc", &entries);
        }
        let hang = if self.live > 0 { "   h hang up now" } else { "" };
        let entries = [
            Entry::Words(format!("{live}; {} would stay undialled.", count(self.left, "contact"))),
            Entry::words("It cannot be resumed, only started again."),
            Entry::Keys(format!("k keep calls until they end{hang}   Esc back")),
        ];
        danger(frame, &state.theme, area, &format!("Stop \"{name}\"?"), "Esc", &entries);
    }
}
