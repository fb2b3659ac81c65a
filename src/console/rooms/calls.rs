//! Every call ever: found while somebody types, newest first. What was typed, what was found and where the cursor
//! stood is there again when the room is entered again.

use chrono::Duration;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::Paragraph,
};
use tui_input::Input;

use super::{columns::Columns, found::Pages, table::ON_CALLS};
use crate::{
    console::{
        keys::{Action, Group, Pane},
        message::{Effect, Msg},
        place::Room,
        question::{Answer, Question},
        rows::count,
        search::{Known, Understood, understood},
        state::{Errand, State},
        story, text,
        widgets::{Row, boxed, cut, empty, field, head, wrapped},
    },
    domain::{id::CallId, text::clean},
    store::{FoundCall, PaneRow},
};

#[derive(Default)]
pub struct Calls {
    input: Input,
    typing: bool,
    /// What stands in the field is of before: the first letter begins anew.
    fresh: bool,
    /// The call under the cursor.
    at: Option<CallId>,
    pages: Pages,
    /// Enter was pressed before the answer was there: the first that is found is taken then.
    takes_first: bool,
    taggers: Vec<String>,
    wants_taggers: bool,
}

/// So long after the field was left no tag is taken.
const DEAF: Duration = Duration::milliseconds(300);
/// Letters of what is typed.
const LONGEST: usize = 200;
/// From here the story stands beside.
const WIDE: u16 = 150;

impl Calls {
    fn found(&self) -> Option<&FoundCall> {
        self.pages.find(self.at)
    }

    fn meant(&self, state: &State) -> Understood {
        let known = Known { owner: state.actor.owner, zone: state.options.zone, now: state.now, campaigns: &state.data.campaigns, taggers: &self.taggers };
        let mut meant = understood(self.input.value(), &known);
        meant.search.limit = self.pages.limit();
        meant
    }

    /// To the calls: the one under the cursor before, else the first of what was found. Rows of another search are
    /// nobody's who was looked for.
    fn leave_field(&mut self, state: &State) {
        self.typing = false;
        self.pages.retry();
        if !self.pages.shows(&self.meant(state).search) {
            (self.at, self.takes_first) = (None, true);
        } else if self.found().is_none() {
            self.at = self.pages.get(0).map(|r| r.call.id);
        }
    }

    /// What was looked for has been found: the cursor goes there by itself, so no tag is taken for a moment.
    fn take_first(&mut self, state: &mut State) {
        if self.takes_first
            && self.pages.shows(&self.meant(state).search)
            && let Some(first) = self.pages.get(0)
        {
            (self.at, self.takes_first) = (Some(first.call.id), false);
            state.deaf_until = Some(state.now + DEAF);
        }
    }

    fn field_key(&mut self, state: &mut State, action: Option<Action>, key: KeyEvent) -> Option<Vec<Effect>> {
        let chord = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        match key.code {
            KeyCode::Enter => {
                self.leave_field(state);
                // Whoever looks again sees what has come since.
                self.pages.look_again();
                // The end of a pasted line goes to nobody.
                state.deaf_until = Some(state.now + DEAF);
            }
            KeyCode::Esc | KeyCode::Down | KeyCode::Tab => self.leave_field(state),
            _ if chord && matches!(action, Some(Action::Quit | Action::Repaint)) => return None,
            KeyCode::Char(_) if !chord && self.input.value().chars().count() >= LONGEST => {}
            _ => {
                let letter = matches!(key.code, KeyCode::Char(_)) && !chord;
                if std::mem::take(&mut self.fresh) && letter {
                    self.input = Input::default();
                }
                text::edit(&mut self.input, key);
                self.pages.another();
            }
        }
        Some(Vec::new())
    }

    /// What was understood, and what was not.
    fn said(&self, state: &State, width: usize) -> Vec<(&'static str, String)> {
        let meant = self.meant(state);
        let mut out = Vec::new();
        if meant.chips.is_empty() && meant.wrong.is_empty() {
            out.push(("text_faint", HOW.to_owned()));
        } else if !meant.chips.is_empty() {
            out.push(("key", cut(&meant.chips.iter().map(|c| format!("[{c}]")).collect::<Vec<_>>().join(" "), width)));
        }
        for wrong in meant.wrong {
            out.extend(wrapped(&wrong, width).into_iter().take(2).map(|l| ("warn", l)));
        }
        if self.pages.unsearched > 0 {
            out.push(("text_dim", format!("still making {} findable by words and digits", count(self.pages.unsearched, "older call"))));
        }
        out.truncate(4);
        out
    }

    fn corner(&self, state: &State) -> String {
        let (n, more) = (self.pages.len(), self.pages.has_more());
        let at = self.pages.position(self.at).map_or_else(String::new, |i| format!("{}/", i + 1));
        let looks = if self.pages.looks() { "looking...  " } else { "" };
        // Of more than are kept the order is that of the newest: the longest talk of all may be older.
        let among = if more { format!(" among the newest {n}") } else { String::new() };
        let order = state.lists.of(Pane::Calls).order().map_or_else(String::new, |o| format!("  by {o}{among}"));
        let marked = match state.marks.of(Pane::Calls).len() {
            0 => String::new(),
            n => format!("  {n} marked"),
        };
        let looked = self.pages.looked.map_or_else(String::new, |t| format!("  as of {}", t.with_timezone(&state.options.zone).format("%H:%M")));
        format!("{looks}{at}{n}{}{order}{marked}{looked}", if more { "+" } else { "" })
    }

    fn nothing(&self, state: &State) -> String {
        if self.meant(state).nobody {
            return "Nobody: see above what there is".to_owned();
        }
        if self.pages.waits() {
            return "looking...".to_owned();
        }
        let key = state.keys.name(Action::Filter);
        if self.pages.has_more() {
            return format!("None fits among the newest. {} looks further back, {key} changes what is looked for", state.keys.name(Action::Bottom));
        }
        if self.input.value().trim().is_empty() {
            return "No call was ever made. They are all here once a campaign runs".to_owned();
        }
        format!("No call fits. {key} changes what is looked for")
    }
}

const HOW: &str = "last digits, a name, a word of a note   outcome: campaign: by: state: day:";

/// The places: the field with what was understood, the list, and the story where there is room.
fn places(state: &State, area: Rect) -> (Rect, Option<Rect>) {
    if area.width < WIDE || !state.is_wide() {
        return (area, None);
    }
    let [left, right] = Layout::horizontal([Constraint::Percentage(60), Constraint::Percentage(40)]).areas(area);
    (left, Some(right))
}

impl Room for Calls {
    fn pane(&self) -> Pane {
        Pane::Calls
    }

    fn tab(&self, state: &State) -> String {
        format!("{} Every call", state.keys.name(Action::Focus(Pane::Calls)))
    }

    fn rows(&self, state: &State, area: Rect, _whole: bool) -> usize {
        let (list, _) = places(state, area);
        let said = self.said(state, usize::from(list.width.saturating_sub(4))).len();
        usize::from(list.height).saturating_sub(2 + 1 + said + 1)
    }

    fn frame(&self, state: &State, area: Rect, _whole: bool) -> Rect {
        places(state, area).0
    }

    fn list(&self, _state: &State) -> (Option<usize>, usize) {
        (self.pages.position(self.at), self.pages.len())
    }

    fn put(&mut self, _state: &mut State, row: usize) {
        let before = self.at;
        self.at = self.pages.get(row).map(|r| r.call.id);
        if self.at != before {
            self.pages.see_again(self.at);
        }
    }

    /// While letters go into the field no key goes to a call.
    fn call<'a>(&'a self, _state: &'a State) -> Option<&'a PaneRow> {
        self.found().filter(|_| !self.typing).map(|r| &r.call)
    }

    fn calls<'a>(&'a self, _state: &'a State) -> Vec<&'a PaneRow> {
        if self.typing { Vec::new() } else { self.pages.iter().map(|r| &r.call).collect() }
    }

    fn offers(&self) -> &'static [Action] {
        ON_CALLS
    }

    fn own_keys(&self, _state: &State) -> Option<Vec<(String, String)>> {
        let words = [("Enter", "to the calls"), ("Ctrl-u", "empties the field"), ("Esc", "out of it")];
        let keys = || words.into_iter().map(|(k, w)| (k.to_owned(), w.to_owned())).collect();
        self.typing.then(keys)
    }

    fn groups(&self) -> &'static [Group] {
        &[Group::Tags, Group::Call]
    }

    fn typing(&self) -> bool {
        self.typing
    }

    fn paste(&mut self, _state: &mut State, pasted: &str) {
        if std::mem::take(&mut self.fresh) {
            self.input = Input::default();
        }
        let room = LONGEST.saturating_sub(self.input.value().chars().count());
        text::insert(&mut self.input, &pasted.chars().take(room).collect::<String>());
        self.pages.retry();
    }

    fn key(&mut self, state: &mut State, key: KeyEvent) -> Option<Vec<Effect>> {
        let action = state.keys.action(&key, state.scope());
        if self.typing {
            return self.field_key(state, action, key);
        }
        self.pages.wake();
        self.takes_first = false;
        match action {
            Some(Action::Filter) => (self.typing, self.fresh) = (true, false),
            // There is one list only: nothing to go over to but the field.
            Some(Action::NextPane | Action::PreviousPane) => self.typing = key.code == KeyCode::Tab,
            Some(Action::Focus(Pane::People)) => {
                state.errand = self.found().map(|r| Errand::Number(r.call.phone_number.clone(), clean(&r.call.contact_name, 60)));
                state.go(Pane::People);
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    fn entered(&mut self, _state: &mut State) -> Vec<Effect> {
        (self.typing, self.fresh, self.wants_taggers) = (true, true, true);
        self.pages.look_again();
        Vec::new()
    }

    fn asks(&mut self, state: &mut State) -> Vec<Effect> {
        if let Some(Errand::Calls(words)) = state.errand.take_if(|e| matches!(e, Errand::Calls(_))) {
            (self.input, self.typing, self.wants_taggers) = (Input::new(words), false, true);
            self.pages.another();
            self.pages.look_again();
        }
        self.pages.arrange(state);
        let mut questions = Vec::new();
        if std::mem::take(&mut self.wants_taggers) {
            questions.push(Question::Taggers);
        }
        let meant = self.meant(state);
        questions.extend(self.pages.asks(state, (!meant.nobody).then_some(meant.search), self.at));
        questions.into_iter().map(Effect::Ask).collect()
    }

    fn told(&mut self, state: &mut State, msg: &Msg) {
        match msg {
            Msg::Answer(Question::Taggers, Ok(Answer::Taggers(names))) => self.taggers.clone_from(names),
            Msg::Answer(question, answer) => {
                if let (Question::Call(id), Ok(Answer::Call(None))) = (question, answer) {
                    state.marks.forget([*id]);
                }
                self.pages.heard(state.now, question, answer);
            }
            Msg::Data(new) if state.frozen.is_none() => self.pages.refresh(new),
            Msg::Tagged { call, outcome, result: Ok(_), .. } => self.pages.tagged(*call, *outcome),
            // Refused, mostly because another was quicker: what stands there is not true any more.
            Msg::Tagged { call, result: Err(_), .. } => self.pages.see_again(Some(*call)),
            // A note was saved, a call is hung up.
            Msg::Done { result: Ok(()), .. } => self.pages.see_again(self.at),
            _ => {}
        }
        self.pages.arrange(state);
        self.take_first(state);
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect, _whole: bool) {
        let (area, beside) = places(state, area);
        let inside = boxed(frame, &state.theme, area, true, &self.tab(state), &self.corner(state));
        let line = |y: u16, height: u16| Rect { x: inside.x, y, width: inside.width, height };
        draw_field(frame, state, line(inside.y, 1), &self.input, self.typing);
        let said = self.said(state, usize::from(inside.width.saturating_sub(2)));
        let rows = u16::try_from(said.len()).unwrap_or(1).min(inside.height.saturating_sub(1));
        let lines: Vec<Line<'_>> = said.into_iter().map(|(role, t)| Line::from(Span::styled(format!(" {t}"), state.theme.style(role)))).collect();
        frame.render_widget(Paragraph::new(lines), line(inside.y + 1, rows));
        let rest = Rect { y: inside.y + 1 + rows, height: inside.height.saturating_sub(1 + rows), ..inside };
        if let Some(beside) = beside {
            draw_story(frame, state, beside, self.typing);
        }
        if self.pages.is_empty() {
            return empty(frame, &state.theme, rest, &self.nothing(state));
        }
        let search = self.meant(state).search;
        let by_tag = search.tagged_by.is_some() || search.outcome.is_some();
        let columns = Columns::of(usize::from(rest.width), state.lists.of(Pane::Calls)).by_tag(by_tag);
        let marks = state.marks.of(Pane::Calls);
        let body = head(frame, &state.theme, rest, &columns.head());
        let top = state.sight.get(&Pane::Calls).map_or(0, |s| s.0).min(self.pages.len().saturating_sub(1));
        for (i, found) in self.pages.iter().enumerate().skip(top).take(usize::from(body.height)) {
            let (selected, marked) = (Some(found.call.id) == self.at, marks.contains(&found.call.id));
            let row = Row { spans: columns.spans(state, found), selected, marked, focused: !self.typing };
            row.draw(frame, &state.theme, body, i - top);
        }
    }
}

/// A field that is typed into, or stands as it was left.
pub fn draw_field(frame: &mut Frame<'_>, state: &State, area: Rect, input: &Input, typing: bool) {
    let label = format!(" {}", state.keys.name(Action::Filter));
    if typing {
        return field(frame, &state.theme, area, &label, input, state.theme.style("text"));
    }
    let style = state.theme.style(if input.value().is_empty() { "text_faint" } else { "text" });
    let text = if input.value().is_empty() { "finds".to_owned() } else { input.value().to_owned() };
    let spans = vec![Span::styled(format!("{label} "), state.theme.style("key")), Span::styled(cut(&text, usize::from(area.width) - label.len()), style)];
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

fn draw_story(frame: &mut Frame<'_>, state: &State, area: Rect, typing: bool) {
    // A letter would go into the field.
    let field = if typing { "Enter, then " } else { "" };
    let inside = boxed(frame, &state.theme, area, false, "The call", &format!("{} opens", state.keys.name(Action::Enter)));
    match &state.detail {
        Some(d) if Some(d.row.id) == state.shown => {
            frame.render_widget(Paragraph::new(story::lines(state, d, usize::from(inside.width), false)), inside);
        }
        _ if state.shown.is_some() => empty(frame, &state.theme, inside, "loading..."),
        _ => empty(frame, &state.theme, inside, &format!("{field}{} takes a call; its story stands here.", state.keys.name(Action::Down))),
    }
}
