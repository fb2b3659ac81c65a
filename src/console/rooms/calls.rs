//! Every call ever: found while somebody types, newest first. What was typed, what was found and where the cursor
//! stood is there again when the room is entered again.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::Paragraph,
};
use tui_input::Input;

use super::{columns::Columns, table::ON_CALLS};
use crate::{
    console::{
        keys::{Action, Group, Pane},
        message::{Effect, Msg},
        place::Room,
        question::{Answer, Question},
        rows::{count, wants_tag},
        search::{Known, PAGE, Understood, understood},
        snapshot::Snapshot,
        state::{Errand, State},
        story, text,
        widgets::{Row, boxed, cut, empty, field, head, wrapped},
    },
    domain::id::CallId,
    store::{CallSearch, Found, FoundCall, PaneRow, Place},
};

#[derive(Default)]
pub struct Calls {
    input: Input,
    typing: bool,
    /// What stands in the field is of before: the first letter begins anew.
    fresh: bool,
    /// The call under the cursor.
    at: Option<CallId>,
    rows: Vec<FoundCall>,
    /// Where older ones go on.
    next: Option<Place>,
    /// Whose rows these are.
    shown: Option<CallSearch>,
    looked: Option<DateTime<Utc>>,
    /// The last question of calls; answers to others are passed over.
    asked: Option<Question>,
    /// It could not be answered: not asked again before a key.
    failed: Option<Question>,
    /// Pages on end that had nothing.
    barren: u8,
    unsearched: i64,
    /// Rows of the first page: as many as were there, where all is looked at again.
    limit: usize,
    taggers: Vec<String>,
    wants_taggers: bool,
    /// A call that was changed, or just gone to: it is looked at again.
    again: Option<CallId>,
}

/// Older ones are asked for when the cursor is so near the last row.
const NEAR: usize = 30;
/// Rows kept; whoever wants more narrows the search.
const MOST: usize = 3000;
const MOST_AT_ONCE: usize = 500;
/// So many pages of nothing are looked through without a key.
const BARREN: u8 = 5;
/// So long after the field was left no tag is taken.
const DEAF: Duration = Duration::milliseconds(300);
/// Letters of what is typed.
const LONGEST: usize = 200;
/// From here the story stands beside.
const WIDE: u16 = 150;

impl Calls {
    fn found(&self) -> Option<&FoundCall> {
        self.rows.iter().find(|r| Some(r.call.id) == self.at)
    }

    fn meant(&self, state: &State) -> Understood {
        let known = Known { owner: state.actor.owner, zone: state.options.zone, now: state.now, campaigns: &state.data.campaigns, taggers: &self.taggers };
        let mut meant = understood(self.input.value(), &known);
        meant.search.limit = self.limit.clamp(PAGE, MOST_AT_ONCE);
        meant
    }

    /// What is wanted next: another search, or older calls of this one.
    fn wanted(&self, state: &State) -> Option<Question> {
        let search = self.meant(state).search;
        if self.shown.as_ref() != Some(&search) {
            return Some(Question::Calls(Box::new(search)));
        }
        let at = self.at.and_then(|id| self.rows.iter().position(|r| r.call.id == id)).unwrap_or(0);
        let near = at + NEAR >= self.rows.len() && self.rows.len() < MOST && self.barren < BARREN;
        let after = self.next.filter(|_| near);
        after.map(|after| Question::Calls(Box::new(CallSearch { after: Some(after), ..search })))
    }

    fn heard(&mut self, now: DateTime<Utc>, question: &Question, answer: &Result<Answer, String>) {
        match (question, answer) {
            (Question::Call(id), Ok(Answer::Call(found))) => self.seen_again(*id, found.as_deref()),
            (Question::Taggers, Ok(Answer::Taggers(names))) => self.taggers.clone_from(names),
            (Question::Calls(search), answer) if self.asked.as_ref() == Some(question) => {
                self.asked = None;
                match answer {
                    Ok(Answer::Calls(found)) => self.take(now, search, found),
                    Ok(_) => {}
                    Err(_) => self.failed = Some(question.clone()),
                }
            }
            _ => {}
        }
    }

    fn take(&mut self, now: DateTime<Utc>, search: &CallSearch, found: &Found) {
        if search.after.is_none() {
            self.rows.clear();
            (self.barren, self.looked) = (0, Some(now));
        }
        self.barren = if found.rows.is_empty() { self.barren.saturating_add(1) } else { 0 };
        let new = found.rows.iter().filter(|n| !self.rows.iter().any(|r| r.call.id == n.call.id)).cloned().collect::<Vec<_>>();
        self.rows.extend(new);
        (self.next, self.unsearched) = (found.next, found.unsearched);
        self.shown = Some(CallSearch { after: None, ..search.clone() });
    }

    fn seen_again(&mut self, id: CallId, found: Option<&FoundCall>) {
        match (self.rows.iter_mut().find(|r| r.call.id == id), found) {
            (Some(row), Some(found)) => *row = found.clone(),
            (Some(_), None) => self.rows.retain(|r| r.call.id != id),
            (None, _) => {}
        }
    }

    /// Calls that go on, or wait for a tag, are shown as they are now.
    fn refresh(&mut self, new: &Snapshot) {
        let mut rows = self.rows.iter_mut().filter(|r| r.call.state.is_open() || wants_tag(&r.call)).peekable();
        if rows.peek().is_none() {
            return;
        }
        let now: HashMap<CallId, &PaneRow> = new.to_tag.iter().chain(&new.live).map(|r| (r.id, r)).collect();
        for row in rows {
            if let Some(now) = now.get(&row.call.id) {
                row.call = (*now).clone();
            }
        }
    }

    fn look_again(&mut self) {
        (self.shown, self.failed, self.limit) = (None, None, self.rows.len());
    }

    fn leave_field(&mut self) {
        self.typing = false;
        self.failed = None;
        if self.found().is_none() {
            self.at = self.rows.first().map(|r| r.call.id);
        }
    }

    fn field_key(&mut self, state: &mut State, action: Option<Action>, key: KeyEvent) -> Option<Vec<Effect>> {
        let chord = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        match key.code {
            KeyCode::Enter => {
                // Whoever looks again sees what has come since.
                self.look_again();
                self.leave_field();
                // The end of a pasted line goes to nobody.
                state.deaf_until = Some(state.now + DEAF);
            }
            KeyCode::Esc | KeyCode::Down | KeyCode::Tab => self.leave_field(),
            _ if chord && matches!(action, Some(Action::Quit | Action::Repaint)) => return None,
            KeyCode::Char(_) if !chord && self.input.value().chars().count() >= LONGEST => {}
            _ => {
                let letter = matches!(key.code, KeyCode::Char(_)) && !chord;
                if std::mem::take(&mut self.fresh) && letter {
                    self.input = Input::default();
                }
                text::edit(&mut self.input, key);
                (self.failed, self.limit) = (None, 0);
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
        if self.unsearched > 0 {
            out.push(("text_dim", format!("still making {} findable by name and digits", count(self.unsearched, "older call"))));
        }
        out.truncate(4);
        out
    }

    fn corner(&self, state: &State) -> String {
        let at = self.at.and_then(|id| self.rows.iter().position(|r| r.call.id == id)).map_or_else(String::new, |i| format!("{}/", i + 1));
        let more = if self.next.is_some() { "+" } else { "" };
        let looks = if self.asked.is_some() { "looking...  " } else { "" };
        let looked = self.looked.map_or_else(String::new, |t| format!("  as of {}", t.with_timezone(&state.options.zone).format("%H:%M")));
        format!("{looks}{at}{}{more}{looked}", self.rows.len())
    }

    fn nothing(&self, state: &State) -> String {
        if self.shown.is_none() || self.asked.is_some() {
            return "looking...".to_owned();
        }
        let key = state.keys.name(Action::Filter);
        if self.next.is_some() {
            return format!("None fits among the newest. {} looks further back, {key} changes what is looked for", state.keys.name(Action::Bottom));
        }
        if self.input.value().trim().is_empty() {
            return "No call was ever made. They are all here once a campaign runs".to_owned();
        }
        format!("No call fits. {key} changes what is looked for")
    }
}

const HOW: &str = "last digits or a name   outcome: campaign: by: state: day:   such as 0142 day:yesterday";

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

    fn list(&self, _state: &State) -> (Option<usize>, usize) {
        (self.at.and_then(|id| self.rows.iter().position(|r| r.call.id == id)), self.rows.len())
    }

    fn put(&mut self, _state: &mut State, row: usize) {
        let before = self.at;
        self.at = self.rows.get(row).map(|r| r.call.id);
        if self.at != before {
            self.again = self.at;
        }
    }

    /// While letters go into the field no key goes to a call.
    fn call<'a>(&'a self, _state: &'a State) -> Option<&'a PaneRow> {
        self.found().filter(|_| !self.typing).map(|r| &r.call)
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
        self.failed = None;
    }

    fn key(&mut self, state: &mut State, key: KeyEvent) -> Option<Vec<Effect>> {
        let action = state.keys.action(&key, state.scope());
        if self.typing {
            return self.field_key(state, action, key);
        }
        (self.failed, self.barren) = (None, 0);
        match action {
            Some(Action::Filter) => (self.typing, self.fresh) = (true, false),
            // There is one list only: nothing to go over to but the field.
            Some(Action::NextPane | Action::PreviousPane) => self.typing = key.code == KeyCode::Tab,
            Some(Action::Focus(Pane::People)) => {
                state.errand = self.found().map(|r| Errand::Number(r.call.phone_number.clone()));
                state.go(Pane::People);
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    fn entered(&mut self, _state: &mut State) -> Vec<Effect> {
        (self.typing, self.fresh, self.wants_taggers) = (true, true, true);
        self.look_again();
        Vec::new()
    }

    fn asks(&mut self, state: &mut State) -> Vec<Effect> {
        if let Some(Errand::Calls(words)) = state.errand.take_if(|e| matches!(e, Errand::Calls(_))) {
            (self.input, self.typing, self.shown, self.wants_taggers) = (Input::new(words), false, None, true);
        }
        let mut questions = Vec::new();
        if std::mem::take(&mut self.wants_taggers) {
            questions.push(Question::Taggers);
        }
        questions.extend(self.again.take().map(Question::Call));
        let wanted = self.wanted(state).filter(|q| self.asked.as_ref() != Some(q) && self.failed.as_ref() != Some(q));
        if let Some(question) = wanted {
            self.asked = Some(question.clone());
            questions.push(question);
        }
        questions.into_iter().map(Effect::Ask).collect()
    }

    fn told(&mut self, state: &mut State, msg: &Msg) {
        match msg {
            Msg::Answer(question, answer) => self.heard(state.now, question, answer),
            Msg::Data(new) if state.frozen.is_none() => self.refresh(new),
            Msg::Tagged { call, outcome, result: Ok(_), .. } => {
                if let Some(row) = self.rows.iter_mut().find(|r| r.call.id == *call) {
                    row.call.outcome = *outcome;
                    self.again = Some(*call);
                }
            }
            // A note was saved, a call is hung up.
            Msg::Done { result: Ok(()), .. } => self.again = self.at,
            _ => {}
        }
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
        if self.rows.is_empty() {
            return empty(frame, &state.theme, rest, &self.nothing(state));
        }
        let columns = Columns::of(usize::from(rest.width));
        let body = head(frame, &state.theme, rest, &columns.head());
        let top = state.sight.get(&Pane::Calls).map_or(0, |s| s.0).min(self.rows.len().saturating_sub(1));
        for (i, found) in self.rows.iter().enumerate().skip(top).take(usize::from(body.height)) {
            let row = Row { spans: columns.spans(state, found), selected: Some(found.call.id) == self.at, marked: false, focused: !self.typing };
            row.draw(frame, &state.theme, body, i - top);
        }
        if let Some(beside) = beside {
            draw_story(frame, state, beside);
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

fn draw_story(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let inside = boxed(frame, &state.theme, area, false, "The call", &format!("{} opens", state.keys.name(Action::Enter)));
    match &state.detail {
        Some(d) if Some(d.row.id) == state.shown => {
            frame.render_widget(Paragraph::new(story::lines(state, d, usize::from(inside.width), false)), inside);
        }
        _ if state.shown.is_some() => empty(frame, &state.theme, inside, "loading..."),
        _ => empty(frame, &state.theme, inside, &format!("{} takes a call; its story stands here.", state.keys.name(Action::Down))),
    }
}
