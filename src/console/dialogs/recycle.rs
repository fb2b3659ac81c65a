//! Queue contacts of a campaign again: whose last call ended how, and how many they are. Nothing is chosen at first.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use crate::{
    console::{
        message::{Effect, Msg},
        place::{Dialog, Next},
        question::{Answer, Question},
        rows::count,
        state::State,
        widgets::{Entry, card},
    },
    desk,
    domain::id::CampaignId,
    store::Rounds,
};

pub struct Recycle {
    campaign: CampaignId,
    name: String,
    what: desk::Recycle,
    /// Whom it would find, once the rows have said it.
    found: Option<Rounds>,
}

impl Recycle {
    pub fn new(campaign: CampaignId, name: String) -> Self {
        Self { campaign, name, what: desk::Recycle::default(), found: None }
    }

    /// `[x] n  12  no answer`.
    fn choice(&self, on: bool, key: char, of: fn(&Rounds) -> i64, words: &str) -> Entry<'static> {
        let people = match &self.found {
            None => String::new(),
            Some(found) if found.is_all() => of(found).to_string(),
            Some(found) => format!("{}+", of(found)),
        };
        Entry::Words(format!("[{}] {key}  {people:>7}  {words}", if on { "x" } else { " " }))
    }

    fn waiting(&self) -> Option<Entry<'static>> {
        match self.found?.waiting {
            0 => None,
            1 => Some(Entry::words("1 contact waits for the next attempt already.")),
            n => Some(Entry::Words(format!("{} wait for their next attempt already.", count(n, "contact")))),
        }
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
        let w = self.what;
        let mut entries = vec![
            Entry::words("Queues contacts again whose last call ended so, within the attempts that the campaign allows each."),
            Entry::Gap,
            self.choice(w.no_answer, 'n', |f| f.no_answer, "no answer"),
            self.choice(w.busy, 'b', |f| f.busy, "busy"),
            self.choice(w.voicemail, 'v', |f| f.voicemail, "voicemail"),
            self.choice(w.callback, 'c', |f| f.callback, "callbacks that a stop broke, at the time that was promised"),
            self.choice(w.missing_field, 's', |f| f.missing_field, "never called: the script asked for a field that they do not have"),
            Entry::Gap,
        ];
        entries.extend(self.waiting());
        entries.extend([
            Entry::words("Who said no, or is on a do-not-call list, is never queued. A campaign that was done goes on."),
            Entry::Keys("n b v c s choose   y queue them   Esc back".to_owned()),
        ]);
        card(frame, &state.theme, area, &format!("Queue contacts of \"{}\" again?", self.name), "Esc", &entries);
    }

    fn told(&mut self, msg: &Msg) -> bool {
        if let Msg::Answer(Question::Rounds(id), Ok(Answer::Rounds(found))) = msg
            && *id == self.campaign
        {
            self.found = Some(*found);
        }
        false
    }
}
