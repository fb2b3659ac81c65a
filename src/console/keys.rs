//! The key map: every key once, with its words. Footer, help and dispatch read this one table.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::message::{Action, Pane};
use crate::domain::outcome::Outcome;

/// One key and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    pub code: KeyCode,
    pub ctrl: bool,
    pub action: Action,
    /// How it is written for people.
    pub key: &'static str,
    pub help: &'static str,
}

const fn key(code: KeyCode, key: &'static str, action: Action, help: &'static str) -> Binding {
    Binding { code, ctrl: false, action, key, help }
}

const fn ctrl(c: char, key: &'static str, action: Action, help: &'static str) -> Binding {
    Binding { code: KeyCode::Char(c), ctrl: true, action, key, help }
}

const fn ch(c: char) -> KeyCode {
    KeyCode::Char(c)
}

/// All keys. The first binding of an action is the one shown.
pub const TABLE: &[Binding] = &[
    key(ch('j'), "j", Action::Down, "down"),
    key(KeyCode::Down, "down", Action::Down, "down"),
    key(ch('k'), "k", Action::Up, "up"),
    key(KeyCode::Up, "up", Action::Up, "up"),
    key(KeyCode::PageDown, "PgDn", Action::PageDown, "a page down"),
    ctrl('d', "Ctrl-d", Action::PageDown, "a page down"),
    key(KeyCode::PageUp, "PgUp", Action::PageUp, "a page up"),
    ctrl('u', "Ctrl-u", Action::PageUp, "a page up"),
    key(ch('g'), "g", Action::Top, "first row"),
    key(KeyCode::Home, "Home", Action::Top, "first row"),
    key(ch('G'), "G", Action::Bottom, "last row"),
    key(KeyCode::End, "End", Action::Bottom, "last row"),
    key(KeyCode::Tab, "Tab", Action::NextPane, "next pane"),
    key(ch('l'), "l", Action::NextPane, "next pane"),
    key(KeyCode::Right, "right", Action::NextPane, "next pane"),
    key(KeyCode::BackTab, "Shift-Tab", Action::PreviousPane, "previous pane"),
    key(ch('h'), "h", Action::PreviousPane, "previous pane"),
    key(KeyCode::Left, "left", Action::PreviousPane, "previous pane"),
    key(ch('C'), "C", Action::Focus(Pane::Campaigns), "campaigns"),
    key(ch('L'), "L", Action::Focus(Pane::Live), "live calls"),
    key(ch('O'), "O", Action::Focus(Pane::Outcomes), "outcomes and the to-tag queue"),
    key(ch('E'), "E", Action::Focus(Pane::Logs), "logs"),
    key(KeyCode::Enter, "Enter", Action::Enter, "detail and timeline"),
    key(KeyCode::Esc, "Esc", Action::Escape, "out one level"),
    key(ch('1'), "1", Action::Tag(Outcome::Interested), "tag interested"),
    key(ch('2'), "2", Action::Tag(Outcome::NotInterested), "tag not interested"),
    key(ch('3'), "3", Action::Tag(Outcome::Callback), "tag callback (asks when)"),
    key(ch('4'), "4", Action::Tag(Outcome::DoNotCall), "do not call: at once, everywhere; hangs up"),
    key(ch('5'), "5", Action::Tag(Outcome::Voicemail), "tag voicemail"),
    key(ch('6'), "6", Action::Tag(Outcome::WrongNumber), "tag wrong number"),
    key(ch('0'), "0", Action::ClearTag, "clear the tag"),
    key(ch('u'), "u", Action::Undo, "undo the last tag or pause of all"),
    key(ch('n'), "n", Action::Note, "note on the call"),
    key(ch('H'), "H", Action::HangUp, "hang up (asks)"),
    key(ch('s'), "s", Action::Start, "start or resume the named campaign"),
    key(ch('p'), "p", Action::PauseResume, "pause or resume the named campaign"),
    key(ch('x'), "x", Action::Stop, "stop the named campaign (asks)"),
    key(ch('P'), "P", Action::PauseAll, "pause ALL campaigns; again resumes the same"),
    key(ch('N'), "N", Action::New, "new campaign"),
    key(ch('i'), "i", Action::Import, "import contacts from CSV"),
    key(ch('w'), "w", Action::Why, "why is it not dialling?"),
    key(ch('D'), "D", Action::Delete, "delete the campaign (type its name)"),
    key(ch('/'), "/", Action::Filter, "filter (! negates, field:value)"),
    key(ch(':'), ":", Action::Command, "command"),
    key(ch('t'), "t", Action::ToTagOnly, "only calls to tag"),
    key(ch('a'), "a", Action::AutoNext, "auto-next after a tag"),
    key(ch('f'), "f", Action::Follow, "follow: the cursor leaves calls that need nothing more"),
    key(ch('y'), "y", Action::Copy, "copy the number"),
    key(ch('z'), "z", Action::Zoom, "zoom the pane"),
    key(ch('M'), "M", Action::Mask, "mask numbers"),
    key(ch('T'), "T", Action::Theme, "next theme"),
    key(ch('?'), "?", Action::Help, "help"),
    ctrl('l', "Ctrl-l", Action::Repaint, "repaint"),
    key(ch('q'), "q", Action::Quit, "quit (asks when calls are live)"),
    ctrl('c', "Ctrl-c", Action::Quit, "quit; twice drains"),
];

/// What a key means on the main screen.
#[must_use]
pub fn action(event: &KeyEvent) -> Option<Action> {
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    if event.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    TABLE.iter().find(|b| b.code == event.code && b.ctrl == ctrl).map(|b| b.action)
}

/// How the key of an action is written.
#[must_use]
pub fn name_of(action: Action) -> &'static str {
    TABLE.iter().find(|b| b.action == action).map_or("", |b| b.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things() {
        for (i, a) in TABLE.iter().enumerate() {
            let twin = TABLE[i + 1..].iter().find(|b| b.code == a.code && b.ctrl == a.ctrl);
            assert!(twin.is_none(), "{} is bound twice", a.key);
        }
    }

    #[test]
    fn no_chord_that_tmux_or_screen_takes() {
        for b in TABLE.iter().filter(|b| b.ctrl) {
            assert!(matches!(b.code, KeyCode::Char('d' | 'u' | 'l' | 'c')), "{}", b.key);
        }
    }
}
