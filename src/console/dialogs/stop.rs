//! Stop a campaign: what becomes of its live calls, of those who wait, and of those who were promised a call.

use chrono::{DateTime, Utc};
use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use crate::{
    console::{
        message::{Effect, Msg},
        place::{Dialog, Next},
        question::{Answer, Question},
        rows::count,
        state::State,
        widgets::{Entry, danger},
    },
    desk::promised_words,
    domain::id::CampaignId,
    store::PromisedCall,
};

pub struct Stop {
    pub campaign: CampaignId,
    pub name: String,
    pub live: i64,
    /// People who wait.
    pub left: i64,
    /// Who was promised a call, once the rows have said it.
    pub promised: Option<Vec<PromisedCall>>,
    /// A hang-up was asked for, and is asked once more.
    pub sure: bool,
}

impl Stop {
    fn effect(&self, hang_up: bool) -> Next {
        Next::Close(vec![Effect::Stop { campaign: self.campaign, name: self.name.clone(), hang_up }])
    }

    fn promises(&self, state: &State) -> Option<Entry<'static>> {
        let at = |t: DateTime<Utc>| t.with_timezone(&state.options.zone).format("%a %H:%M").to_string();
        match self.promised.as_deref() {
            None => Some(Entry::words("looking who was promised a call...")),
            Some([]) => None,
            Some(all) => Some(Entry::Wrong(format!("Not kept: {}.", promised_words(all, at)))),
        }
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
        let mut entries = vec![Entry::Words(format!("{live}; {} would not be called.", count(self.left, "person")))];
        entries.extend(self.promises(state));
        entries.extend([
            Entry::words("A new start calls whoever is left, and keeps broken promises."),
            Entry::Keys(format!("k keep calls until they end{hang}   Esc back")),
        ]);
        danger(frame, &state.theme, area, &format!("Stop \"{name}\"?"), "Esc", &entries);
    }

    fn told(&mut self, msg: &Msg) -> bool {
        if let Msg::Answer(Question::Campaign(id), Ok(Answer::Campaign(Some(room)))) = msg
            && *id == self.campaign
        {
            self.promised = Some(room.promised.clone());
        }
        false
    }
}
