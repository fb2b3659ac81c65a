//! Draws the state and thinks nothing: places come from the layout, rows from the rooms, colours from the theme.

mod bidi;
mod footer;
mod header;
mod plain;

pub use footer::offered;

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr;

use super::{
    alerts::{self, Level},
    layout, rooms,
    state::{SMALLEST, State},
    widgets::wrapped,
};

/// Draws one frame.
pub fn draw(frame: &mut Frame<'_>, state: &State) {
    paint(frame, state);
    halves(frame.buffer_mut());
    if state.options.ascii {
        plain::letters(frame.buffer_mut());
    } else {
        bidi::isolate(frame.buffer_mut());
    }
}

/// A wide letter on a part of which something else stands is taken away: terminals would push what stands there. Some
/// scripts have letters of three cells and more.
fn halves(buffer: &mut Buffer) {
    let end = buffer.content.len();
    for at in 0..end.saturating_sub(1) {
        if buffer.content[at].symbol().is_ascii() {
            continue;
        }
        let wide = buffer.content[at].symbol().width();
        if (at + 1..(at + wide).min(end)).any(|covered| buffer.content[covered].symbol() != " ") {
            buffer.content[at].set_symbol(" ");
        }
    }
}

/// Rows from which a dialog leaves the bar above it alone.
const BOTH: u16 = 30;

fn paint(frame: &mut Frame<'_>, state: &State) {
    let area = frame.area();
    frame.buffer_mut().set_style(area, state.theme.style("text"));
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return tiny(frame, state, area);
    }
    let places = layout::of(state, area);
    header::draw(frame, state, places.header);
    alert(frame, state, places.alert);
    rooms::deck::draw(frame, state, &places);
    notes(frame, state, places.notes);
    footer::draw(frame, state, places.footer);
    if let Some(open) = &state.dialog {
        // What must be known whatever is open stays in sight where there is room for both.
        let top = if places.alert.height > 0 && area.height >= BOTH { places.alert.bottom() } else { area.y };
        let over = Rect { y: top, height: places.notes.y.saturating_sub(top), ..area };
        if !open.dialog.shows_behind() {
            recede(frame.buffer_mut(), state, &places, open.dialog.call(state).is_some());
        }
        state.theme.raise(true);
        open.dialog.draw(frame, state, over);
        state.theme.raise(false);
    }
}

/// All behind a dialog becomes faint, but what must be known whatever is open: the alert and the notes. The keys below
/// stay where they act on the call that is shown.
fn recede(buffer: &mut Buffer, state: &State, places: &layout::Places, keys_act: bool) {
    let kept = [places.alert, places.notes, if keys_act { places.footer } else { Rect::ZERO }];
    let style = state.theme.receded();
    let painted = state.theme.style("spark").fg.unwrap_or_default();
    let area = buffer.area;
    for at in area.positions().filter(|at| !kept.iter().any(|k| k.contains(*at))) {
        if let Some(cell) = buffer.cell_mut(at) {
            // Two colours in one cell would leave a hole where the upper one was.
            if cell.bg == painted && matches!(cell.symbol().chars().next(), Some('\u{2581}'..='\u{2587}')) {
                cell.set_symbol("█");
            }
            cell.modifier = ratatui::style::Modifier::empty();
            cell.set_style(style);
        }
    }
}

/// The figures, and the keys that work, on as many lines as there are.
fn tiny(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let text = format!("{}. dialdeck needs {}x{}", header::tiny(state), SMALLEST.0, SMALLEST.1);
    let lines: Vec<Line<'_>> = wrapped(&text, usize::from(area.width)).into_iter().map(Line::from).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

fn alert(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let Some((level, lines)) = alerts::shown(state, usize::from(area.width)) else { return };
    let style = match level {
        Level::Danger => state.theme.bar("danger"),
        Level::Banner => state.theme.bar("banner"),
        Level::Error => state.theme.style("error"),
        Level::Warn => state.theme.style("warn"),
        Level::Info => state.theme.style("info"),
    };
    let lines: Vec<Line<'_>> = lines.into_iter().map(|l| Line::from(format!(" {l}"))).collect();
    frame.buffer_mut().set_style(area, style);
    frame.render_widget(Paragraph::new(lines).style(style), area);
}

fn notes(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let notes = layout::notes(state, usize::from(area.width));
    let lines: Vec<Line<'_>> = notes.into_iter().map(|(role, text)| Line::from(Span::styled(format!(" {text}"), state.theme.style(role)))).collect();
    frame.render_widget(Paragraph::new(lines), area);
}
