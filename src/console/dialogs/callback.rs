//! When to call somebody back. On a call that is still live the moment counts from its end.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use tui_input::Input;

use crate::{
    console::{
        message::Msg,
        place::{Dialog, Next},
        state::State,
        tagging, text,
        widgets::{Entry, card},
    },
    domain::{outcome::Outcome, zone::Zone},
    store::PaneRow,
};

/// `New York` of `America/New_York`.
fn city(zone: Zone) -> String {
    zone.name().rsplit('/').next().unwrap_or_default().replace('_', " ")
}

pub struct Callback {
    row: Box<PaneRow>,
    name: String,
    input: Input,
    error: Option<String>,
    /// Another tagged it while the moment was typed: Enter puts the callback in its place.
    taken: Option<Outcome>,
}

impl Callback {
    pub fn new(row: &PaneRow, name: String) -> Self {
        Self { row: Box::new(row.clone()), name, input: Input::default(), error: None, taken: None }
    }

    /// What is typed on both clocks, before it is promised.
    fn meant(&self, state: &State) -> Option<String> {
        let at = tagging::moment(state, Some(&self.row), self.input.value(), state.now).ok()?;
        let (there, here) = (tagging::contact_zone(state, Some(&self.row)), state.options.zone);
        let on = |zone: Zone, form: &str| at.with_timezone(&zone).format(form).to_string();
        let here = if there.same_clock(here) { String::new() } else { format!(", {} here", on(here, "%a %H:%M")) };
        Some(format!("= {} in {}{here}", on(there, "%a %-d %b %H:%M"), city(there)))
    }
}

impl Dialog for Callback {
    /// Enter alone is the next day at the same hour.
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        if key.code != KeyCode::Enter {
            text::edit(&mut self.input, key);
            self.error = None;
            return Next::stay();
        }
        match tagging::promise(state, self.row.id, &self.name, self.row.outcome, self.input.value()) {
            Ok(effects) => Next::Close(effects),
            Err(error) => {
                self.error = Some(error);
                Next::stay()
            }
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let zone = tagging::contact_zone(state, Some(&self.row));
        let now = state.now.with_timezone(&zone).format("%a %H:%M");
        let mut entries = vec![Entry::Field("▌ When?", &self.input)];
        entries.extend(self.meant(state).map(Entry::Words));
        entries.push(Entry::words("Enter alone: next day, same hour. Or +2h, 15:00, tomorrow 10, tue 3pm, 1 dec 9:30"));
        entries.push(Entry::Faint(format!(
            "Hours are on the clock of {}, {now} there now; \"15:00 {}\" is on yours. The first lawful moment from then on is taken, and told.",
            city(zone),
            tagging::HERE
        )));
        if !self.row.state.is_ended() {
            entries.push(Entry::Faint("The call goes on: the moment counts from its end, and is written then.".to_owned()));
        }
        if let Some(tag) = self.taken {
            let words = format!("{} was just tagged \"{}\" by another: Enter makes it a callback all the same, Esc leaves it", self.name, tag.label());
            entries.push(Entry::Wrong(words));
        }
        entries.extend(self.error.clone().map(Entry::Wrong));
        card(frame, &state.theme, area, &format!("Call {} back", self.name), "Enter promises it   Esc back", &entries);
    }

    fn paste(&mut self, _state: &mut State, text: &str) {
        text::insert(&mut self.input, text);
    }

    fn typing(&self) -> bool {
        true
    }

    fn typed(&self) -> bool {
        !self.input.value().is_empty()
    }

    fn told(&mut self, msg: &Msg) -> bool {
        let Msg::Data(new) = msg else { return false };
        let now = new.live.iter().chain(&new.to_tag).find(|r| r.id == self.row.id).map(|r| r.outcome);
        if let Some(outcome) = now.filter(|o| *o != self.row.outcome) {
            // What is put over it is put over what is there.
            self.row.outcome = outcome;
            self.taken = outcome;
        }
        false
    }
}
