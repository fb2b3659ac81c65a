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
            KeyCode::Char('s') if state.leaving.is_some() => {
                state.stay();
                Next::close()
            }
            KeyCode::Char('d') if state.leaving.is_some() => Next::stay(),
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
        let ending = state.leaving.is_some();
        let stays = state.leaving.is_some_and(|l| l.ending == Ending::Drain);
        let mut entries = Vec::new();
        if stays {
            entries.push(Entry::words("Stay: campaigns that run dial again."));
        } else if !ending {
            entries.push(Entry::words("Dial no more, and leave when the last call has ended; it can be taken back until then."));
        }
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
        let first = match (stays, ending) {
            (true, _) => "s stay   ",
            (_, true) => "",
            _ => "d dial no more   ",
        };
        let keys = format!("{first}{}q quit now   Esc back", keep.trim_start().to_owned() + if keep.is_empty() { "" } else { "   " });
        danger(frame, &state.theme, area, &count(live, "live call"), &keys, &entries);
    }
}
