//! Queue contacts of a campaign again: whose last call ended how. Nothing is chosen at first.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use crate::{
    console::{
        message::Effect,
        place::{Dialog, Next},
        state::State,
        widgets::{Entry, card},
    },
    desk,
    domain::id::CampaignId,
};

pub struct Recycle {
    campaign: CampaignId,
    name: String,
    what: desk::Recycle,
}

impl Recycle {
    pub fn new(campaign: CampaignId, name: String) -> Self {
        Self { campaign, name, what: desk::Recycle::default() }
    }
}

impl Dialog for Recycle {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Char('n') => self.what.no_answer ^= true,
            KeyCode::Char('b') => self.what.busy ^= true,
            KeyCode::Char('v') => self.what.voicemail ^= true,
            KeyCode::Char('c') => self.what.callback ^= true,
            KeyCode::Char('s') => self.what.missing_field ^= true,
            KeyCode::Char('y') if self.what == desk::Recycle::default() => state.hint("nothing is chosen: n, b, v, c or s first"),
            KeyCode::Char('y') => return Next::Close(vec![Effect::Recycle(self.campaign, self.name.clone(), self.what)]),
            _ => {}
        }
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let choice = |on: bool, words: &str| Entry::Words(format!("[{}] {words}", if on { "x" } else { " " }));
        let w = self.what;
        let entries = [
            Entry::words("Queues contacts again whose last call ended so, within the attempts that the campaign allows each."),
            Entry::Gap,
            choice(w.no_answer, "n  no answer"),
            choice(w.busy, "b  busy"),
            choice(w.voicemail, "v  voicemail"),
            choice(w.callback, "c  callbacks that a stop broke, at the time that was promised"),
            choice(w.missing_field, "s  never called: the script asked for a field that they do not have"),
            Entry::Gap,
            Entry::words("Who said no, or is on a do-not-call list, is never queued. A campaign that was done goes on."),
            Entry::Keys("n b v c s choose   y queue them   Esc back".to_owned()),
        ];
        card(frame, &state.theme, area, &format!("Queue contacts of \"{}\" again?", self.name), "Esc", &entries);
    }
}
