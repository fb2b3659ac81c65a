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
        let summary = self.summary_lines(&state.theme, usize::from(inside.width.saturating_sub(3)));
        let rows: Vec<u16> = Id::FIELDS.iter().map(|id| self.rows_of(*id, inside)).collect();
        let (skipped, foot) = room_for(&rows, u16::try_from(summary.len()).unwrap_or(u16::MAX), self.at, inside.height);
        let bottom = inside.bottom() - foot;
        let mut y = inside.y;
        for (id, tall) in Id::FIELDS.iter().copied().zip(rows).skip(skipped) {
            let place = Rect { y, height: tall.min(bottom.saturating_sub(y)), ..inside };
            if place.height > 0 {
                self.draw_field(frame, &state.theme, place, id);
            }
            y = y.saturating_add(tall).min(bottom);
        }
        // Where not all has room the message stays: without it nobody sees why nothing is made.
        frame.render_widget(Paragraph::new(summary), Rect { y, height: inside.bottom() - y, ..inside });
    }

    /// Lines of a field, with what is said below it.
    fn rows_of(&self, id: Id, inside: Rect) -> u16 {
        let own = if id == Id::Script { script_rows(self, inside.height) } else { 1 };
        own + u16::try_from(self.below(id, inside.width).1.len()).unwrap_or(0)
    }

    /// What stands below a field: what is wrong with it, else what it wants where it has no room beside it.
    fn below(&self, id: Id, width: u16) -> (&'static str, Vec<String>) {
        match &self.error {
            Some((of, why)) if *of == id => ("error", wrapped(why, usize::from(width.saturating_sub(LEFT + 1)))),
            _ if self.here() == id => ("text_faint", self.hint_below(id, width)),
            _ => ("text_faint", Vec::new()),
        }
    }

    fn draw_field(&self, frame: &mut Frame<'_>, theme: &Theme, area: Rect, id: Id) {
        let (role, said) = self.below(id, area.width);
        let said_rows = u16::try_from(said.len()).unwrap_or(0).min(area.height - 1);
        let own = Rect { height: area.height - said_rows, ..area };
        self.draw_row(frame, theme, own, id);
        let lines: Vec<Line<'_>> = said.into_iter().map(|l| Line::from(Span::styled(l, theme.style(role)))).collect();
        let place = Rect { x: area.x + LEFT.min(area.width), y: own.bottom(), width: area.width.saturating_sub(LEFT), height: said_rows };
        frame.render_widget(Paragraph::new(lines), place);
    }

    fn hint(&self, id: Id) -> &'static str {
        match id {
            Id::Assistant if self.assistants.is_empty() => "Enter makes one here",
            // An example of a name helps nobody who has one.
            Id::Name if !self.name.value().is_empty() => "",
            id => id.hint(),
        }
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

    fn draw_row(&self, frame: &mut Frame<'_>, theme: &Theme, area: Rect, id: Id) {
        let here = id == self.here();
        let later = Id::ALL.iter().skip(self.at + 1).any(|other| *other == id);
        // Of a new one what comes later is grey; what is changed is all there.
        let style = theme.style(if later && self.editing.is_none() { "text_dim" } else { "text" });
        let wrong = self.error.as_ref().is_some_and(|(of, _)| *of == id);
        let label = Rect { width: LEFT.min(area.width), height: 1, ..area };
        let words = Span::styled(
            format!("  {}", id.label()),
            theme.style(if wrong {
                "error"
            } else if here {
                "text"
            } else {
                "text_dim"
            }),
        );
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
        let beside = here && !wrong && self.hint_below(id, area.width).is_empty();
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

    /// What would be made, what the keys do, and what was refused.
    fn summary_lines(&self, theme: &Theme, width: usize) -> Vec<Line<'static>> {
        let here = self.here() == Id::Summary;
        let keys = match (here, self.asking, self.editing.is_some()) {
            _ if self.making => "being written...",
            (false, ..) => "",
            (true, true, _) => "Create it and begin to dial? y yes   any other key: no",
            (true, false, true) => "c keeps the changes",
            (true, false, false) => "c creates it idle   S creates and starts it",
        };
        let refused = self.error.as_ref().filter(|(of, _)| *of == Id::Summary).map(|(_, why)| ("error", why.clone()));
        // What is wrong stands there once.
        let would = if self.error.is_some() { Vec::new() } else { self.summary() };
        let all = refused.into_iter().chain(would.into_iter().map(|text| ("text_dim", text)));
        let mut lines: Vec<Line<'static>> = all
            .flat_map(|(role, text)| wrapped(&text, width).into_iter().map(move |l| Line::from(Span::styled(format!("  {l}"), theme.style(role)))))
            .collect();
        if !keys.is_empty() {
            lines.push(Line::from(Span::styled(format!("{}{keys}", if here { "▌ " } else { "  " }), theme.style("key"))));
        }
        lines.insert(0, Line::default());
        lines
    }
}

/// How many fields are left out at the top, so that the one under the cursor is seen, and the lines that the message keeps.
fn room_for(rows: &[u16], message: u16, at: usize, height: u16) -> (usize, u16) {
    if rows.iter().sum::<u16>() + message <= height {
        return (0, message);
    }
    let foot = (if at >= rows.len() { message } else { message.min(3) }).min(height / 2);
    let last = at.min(rows.len().saturating_sub(1));
    let skipped = (0..=last).find(|from| rows[*from..=last].iter().sum::<u16>() <= height - foot).unwrap_or(last);
    (skipped, foot)
}
