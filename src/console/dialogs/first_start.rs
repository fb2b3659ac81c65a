//! The first start of a campaign: how many people can be called, and now; one key off the row it would ring others.

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
    desk::{CampaignRoom, Overlap},
    domain::id::CampaignId,
};

pub struct FirstStart {
    campaign: CampaignId,
    name: String,
    /// Whom it finds, once the rows have said it.
    room: Option<Box<CampaignRoom>>,
    /// Who else calls them.
    overlap: Overlap,
}

impl FirstStart {
    pub fn new(campaign: CampaignId, name: String) -> Self {
        Self { campaign, name, room: None, overlap: Overlap::default() }
    }

    /// `120 people, 97 can be called now`, and what keeps it from calling.
    fn whom(&self) -> Vec<Entry<'static>> {
        let Some(room) = &self.room else { return vec![Entry::words("looking whom it finds...")] };
        let waiting = &room.why.waiting;
        let all = waiting.dialable_now + waiting.later;
        let now =
            if waiting.dialable_now == all { "all can be called now".to_owned() } else { format!("{} can be called now by the law", waiting.dialable_now) };
        vec![Entry::Words(format!("{}, {now}.", count(all, "person"))), Entry::Faint(format!("Its hours: {}.", room.row.window().label()))]
    }
}

impl Dialog for FirstStart {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Char('y') => {
                state.pending.insert(self.campaign, "starting...");
                Next::Close(vec![Effect::Start(self.campaign, self.name.clone())])
            }
            KeyCode::Char('n') => Next::close(),
            _ => Next::stay(),
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let mut entries = self.whom();
        entries.extend(self.overlap.words().into_iter().map(Entry::Wrong));
        entries.extend([Entry::Gap, Entry::Keys("y starts it: real phones ring   Esc".to_owned())]);
        card(frame, &state.theme, area, &format!("Start \"{}\"?", self.name), "Esc", &entries);
    }

    fn told(&mut self, msg: &Msg) -> bool {
        if let Msg::Answer(Question::Campaign(id), Ok(Answer::Campaign(Some(room)))) = msg
            && *id == self.campaign
        {
            self.room = Some(room.clone());
        }
        if let Msg::Answer(Question::OverlapOf(id), Ok(Answer::Overlap(overlap))) = msg
            && *id == self.campaign
        {
            self.overlap = overlap.clone();
        }
        false
    }
}
