//! The form as a page: its fields under each other, and the summary.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Paragraph,
};

use unicode_width::UnicodeWidthStr;

use super::{Form, fields::Id};
use crate::console::{
    state::State,
    theme::Theme,
    widgets::{bar, field, fit, popup, wrapped},
};

/// Lines of the script's field: many while it is written.
fn script_rows(form: &Form, height: u16) -> u16 {
    if form.here() == Id::Script { height.saturating_sub(15).clamp(2, 6) } else { 1 }
}

/// Cells before a field.
const LEFT: u16 = 13;

impl Form {
    /// The page.
    pub(super) fn draw_page(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let title = if self.editing.is_some() { format!("Change \"{}\"", self.name.value()) } else { "New campaign".to_owned() };
        let done = if self.editing.is_some() { "saves" } else { "makes it" };
        let inside = popup(frame, &state.theme, area, 104, 22, &title, &format!("Tab next   Shift-Tab back   Ctrl-s {done}   Esc back"));
        let mut y = inside.y;
        let script = script_rows(self, inside.height);
        for (i, id) in Id::ALL.into_iter().enumerate() {
            let rows = if id == Id::Script { script } else { 1 };
            let hint = if i == self.at { self.hint_below(id, inside.width) } else { Vec::new() };
            let place = Rect { x: inside.x, y, width: inside.width, height: rows.min(inside.bottom().saturating_sub(y)) };
            if place.height == 0 {
                return;
            }
            if id == Id::Summary {
                self.draw_summary(frame, &state.theme, Rect { height: inside.bottom().saturating_sub(y), ..place });
            } else {
                self.draw_row(frame, &state.theme, place, id, i);
            }
            y += rows;
            for line in hint {
                let place = Rect { x: inside.x + LEFT, y, width: inside.width.saturating_sub(LEFT), height: u16::from(y < inside.bottom()) };
                frame.render_widget(Paragraph::new(Span::styled(line, state.theme.style("text_faint"))), place);
                y += 1;
            }
        }
    }

    fn hint(&self, id: Id) -> &'static str {
        if id == Id::Assistant && self.assistants.is_empty() { "Enter makes one here" } else { id.hint() }
    }

    /// Cells of a field that is typed into, before its hint.
    fn typed_width(&self, id: Id, room: u16) -> u16 {
        let value = self.field(id).map_or(0, |input| input.value().chars().count());
        u16::try_from(value + 2).unwrap_or(u16::MAX).max(24).min(room)
    }

    /// What a field wants, on lines of its own where it has no room beside it.
    fn hint_below(&self, id: Id, width: u16) -> Vec<String> {
        let room = width.saturating_sub(LEFT);
        let used = if self.field(id).is_some() { usize::from(self.typed_width(id, room)) } else { self.value(id, true).width() };
        let fits = id != Id::Script && used + 2 + self.hint(id).width() <= usize::from(room);
        if fits || self.hint(id).is_empty() { Vec::new() } else { wrapped(self.hint(id), usize::from(room.saturating_sub(1))) }
    }

    fn draw_row(&self, frame: &mut Frame<'_>, theme: &Theme, area: Rect, id: Id, i: usize) {
        let here = i == self.at;
        // Of a new one what comes later is grey; what is changed is all there.
        let style = theme.style(if i > self.at && self.editing.is_none() { "text_dim" } else { "text" });
        let label = Rect { width: LEFT.min(area.width), height: 1, ..area };
        let words = Span::styled(format!("  {}", id.label()), theme.style(if here { "text" } else { "text_dim" }));
        frame.render_widget(Paragraph::new(words), label);
        let ground = if here { theme.selection(true) } else { Style::default() };
        let (style, faint) = (style.patch(ground), theme.style("text_faint").patch(ground));
        if here {
            bar(frame, theme, Rect { height: 1, ..area });
        }
        let place = Rect { x: area.x + label.width, width: area.width - label.width, ..area };
        if here && id == Id::Script {
            return self.script.draw(frame, theme, place);
        }
        let value = self.value(id, here);
        let beside = here && self.hint_below(id, area.width).is_empty();
        let hint = match (beside, here) {
            (true, _) => format!("  {}", self.hint(id)),
            (false, true) => String::new(),
            (false, false) => self.unit(id),
        };
        match self.field(id).filter(|_| here) {
            Some(input) => {
                let width = self.typed_width(id, place.width);
                field(frame, theme, Rect { width, ..place }, "", input, style);
                let rest = Rect { x: place.x + width, width: place.width - width, ..place };
                frame.render_widget(Paragraph::new(Span::styled(fit(&hint, usize::from(rest.width)), faint)), rest);
            }
            None => frame.render_widget(Paragraph::new(Line::from(vec![Span::styled(value, style), Span::styled(hint, faint)])), place),
        }
    }

    /// What a figure counts.
    fn unit(&self, id: Id) -> String {
        match id {
            Id::Cap => "  calls a day".to_owned(),
            Id::AtOnce => "  lines at once".to_owned(),
            Id::Delay => "  ms between two dials".to_owned(),
            Id::Attempts => "  tries each".to_owned(),
            Id::Hours if self.text(id) == "0-0" => "  all day".to_owned(),
            _ => String::new(),
        }
    }

    fn value(&self, id: Id, here: bool) -> String {
        match id {
            Id::Assistant => self.assistant.shown(here),
            Id::Contacts => self.contacts.shown(here),
            Id::Days => self.week.shown(here),
            Id::Script => self.script.value().replace('\n', " "),
            _ => self.field(id).map_or_else(String::new, |input| input.value().to_owned()),
        }
    }

    fn draw_summary(&self, frame: &mut Frame<'_>, theme: &Theme, area: Rect) {
        let here = self.here() == Id::Summary;
        let width = usize::from(area.width.saturating_sub(3));
        let mut lines = vec![Line::default()];
        let mut put = |text: &str, role: &str| {
            lines.extend(wrapped(text, width).into_iter().map(|l| Line::from(Span::styled(format!("  {l}"), theme.style(role)))));
        };
        // What is wrong stands there once.
        let summary = if self.error.is_some() { Vec::new() } else { self.summary() };
        for text in summary {
            put(&text, "text_dim");
        }
        let keys = match (here, self.asking, self.editing.is_some()) {
            (false, ..) => "",
            (true, true, _) => "Create it and begin to dial? y yes   any other key: no",
            (true, false, true) => "c keeps the changes",
            (true, false, false) => "c creates it idle   S creates and starts it",
        };
        let making = if self.making { "being written..." } else { keys };
        put(&if here { format!("▌ {making}") } else { String::new() }, "key");
        if let Some(error) = &self.error {
            put(error, "error");
        }
        frame.render_widget(Paragraph::new(lines), area);
    }
}
