//! Quit while calls are live: what becomes of them.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};

use crate::console::{
    Ending,
    message::Effect,
    place::{Dialog, Next},
    rows::count,
    state::State,
    widgets::{Entry, danger},
};

pub struct Quit;

impl Dialog for Quit {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        match key.code {
            KeyCode::Char('d') => Next::Close(vec![Effect::Leave(Ending::Drain)]),
            KeyCode::Char('k') if state.options.keeper.is_some() => {
                state.say("starting what keeps running without a screen...");
                Next::Close(vec![Effect::KeepRunning])
            }
            KeyCode::Char('q') => Next::Close(vec![Effect::Leave(Ending::QuitNow)]),
            _ => Next::stay(),
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let live = i64::try_from(state.data.live_count()).unwrap_or(0);
        let mut entries = vec![Entry::words("Drain: dial no more, leave when the last call has ended.")];
        if state.options.keeper.is_some() {
            entries.push(Entry::words("Keep running without a screen: campaigns go on, `dialdeck` looks again."));
        }
        entries.push(Entry::words("Quit now: calls go on unsupervised; the next start looks after them."));
        if !state.promises.is_empty() {
            let n = count(i64::try_from(state.promises.len()).unwrap_or(0), "call");
            entries.push(Entry::Wrong(format!("{n} on the line was promised a callback: its moment is written when it ends, and is lost if you leave now")));
        }
        if !state.waiting.is_empty() {
            let n = count(i64::try_from(state.waiting.len()).unwrap_or(0), "tag");
            entries.push(Entry::Wrong(format!("{n} not written yet, the database takes nothing: lost if you leave now")));
        }
        let keep = if state.options.keeper.is_some() { "   k keep running" } else { "" };
        let keys = format!("d drain{keep}   q quit now   Esc back");
        danger(frame, &state.theme, area, &count(live, "live call"), &keys, &entries);
    }
}
