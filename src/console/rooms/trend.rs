//! The last hour by the minute, from the rows: dials as columns, the answered part of each in a colour of its own,
//! failures below, and where the hour stands.
//!
//! ```text
//!  dials 462          12   ▂ █
//!  answered 146, 32 %    ▂ █▂█▆
//!                      0 ██████
//!  failed 3                ▂
//!                        -60 min            now
//! ```

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Paragraph,
};

use crate::{
    console::{
        charts,
        state::State,
        widgets::{boxed, empty, fit},
    },
    domain::stats::Pace,
};

/// Cells of the words at the left.
const LABEL: usize = 23;
/// Of them those of the scale.
const SCALE: usize = 4;
/// Rows of failures and of the hour.
const BELOW: usize = 2;

pub fn draw(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let known = state.data.head.as_deref().map(|h| (&h.figures.minutes[..], h.figures.hour));
    let figures = known.or_else(|| state.loaded.then(|| (&[][..], Pace::default())));
    draw_of(frame, state, area, "The last hour", figures);
}

/// An hour of minutes and their sum; none where it is not known yet.
pub fn draw_of(frame: &mut Frame<'_>, state: &State, area: Rect, title: &str, figures: Option<(&[Pace], Pace)>) {
    let inside = boxed(frame, &state.theme, area, false, title, "");
    let Some((minutes, sums)) = figures.filter(|(_, hour)| hour.armed > 0) else {
        let words = if figures.is_some() { "No dial in the last hour. Each minute's dials and answers stand here." } else { "loading..." };
        return empty(frame, &state.theme, inside, words);
    };
    // The minute that has not ended would shrink the picture at each full one.
    let minutes = &minutes[..minutes.len().saturating_sub(1)];
    let width = usize::from(inside.width).saturating_sub(LABEL + 1);
    let columns = |value: fn(&Pace) -> i64| charts::columns(&minutes.iter().map(value).collect::<Vec<_>>(), width.min(minutes.len()));
    let (dials, answered, failed) = (columns(|p| p.dials), columns(|p| p.answered), columns(|p| p.failed));
    let rows = usize::from(inside.height).saturating_sub(BELOW).max(1);
    let top = dials.iter().copied().max().unwrap_or(0);
    // The hour as the header has it, its last minute too.
    let share = sums.answered_percent().map_or_else(String::new, |p| format!(", {p:.0} %"));
    let mut words = [format!("dials {}", sums.dials), format!("answered {}{share}", sums.answered)].into_iter();
    let mut lines: Vec<Line<'static>> = stacked(state, &dials, &answered, top, rows)
        .into_iter()
        .enumerate()
        .map(|(i, cells)| {
            let edge = if i == 0 {
                top.to_string()
            } else if i + 1 == rows {
                "0".to_owned()
            } else {
                String::new()
            };
            let mut line = vec![label(state, &words.next().unwrap_or_default()), scale(state, &edge)];
            line.extend(cells);
            Line::from(line)
        })
        .collect();
    let below = charts::spark_to(&failed, top, &state.theme.symbols);
    lines.push(Line::from(vec![label(state, &format!("failed {}", sums.failed)), scale(state, ""), Span::styled(below, state.theme.style("error"))]));
    lines.push(Line::from(vec![label(state, ""), scale(state, ""), Span::styled(hour(dials.len()), state.theme.style("text_faint"))]));
    frame.render_widget(Paragraph::new(lines), inside);
}

fn label(state: &State, words: &str) -> Span<'static> {
    Span::styled(fit(&format!(" {words}"), LABEL - SCALE), state.theme.style("text_dim"))
}

/// Dials a minute at an edge of the picture.
fn scale(state: &State, edge: &str) -> Span<'static> {
    Span::styled(format!("{edge:>width$} ", width = SCALE - 1), state.theme.style("text_faint"))
}

/// `-60 min ... now`, as wide as the columns.
fn hour(width: usize) -> String {
    const FROM: &str = "-60 min";
    const TO: &str = "now";
    if width > FROM.len() + TO.len() { format!("{FROM}{TO:>width$}", width = width - FROM.len()) } else { format!("{TO:>width$}") }
}

/// Columns from the highest row down, the answered part at the foot of each.
fn stacked(state: &State, dials: &[i64], answered: &[i64], top: i64, rows: usize) -> Vec<Vec<Span<'static>>> {
    let symbols = &state.theme.symbols;
    let (all, part) = (charts::tall(dials, top, rows, symbols), charts::tall(answered, top, rows, symbols));
    let (of_dials, of_answers) = (state.theme.style("spark"), state.theme.style("call_answered"));
    all.iter().zip(&part).map(|(all, part)| all.chars().zip(part.chars()).map(|cell| painted(state, cell, of_dials, of_answers)).collect()).collect()
}

/// One cell: the answered part where there is one, before what was dialled only.
fn painted(state: &State, (all, part): (char, char), of_dials: Style, of_answers: Style) -> Span<'static> {
    let symbols = &state.theme.symbols;
    let full = symbols.spark.last().is_some_and(|s| s.contains(all));
    match (part, full) {
        // Without colours the glyph tells them apart.
        (' ', _) if state.theme.mono && all != ' ' => Span::styled(symbols.track.to_string(), of_dials),
        (' ', _) => Span::styled(all.to_string(), of_dials),
        (part, true) if !state.theme.mono => Span::styled(part.to_string(), of_answers.bg(of_dials.fg.unwrap_or_default())),
        (part, _) => Span::styled(part.to_string(), of_answers),
    }
}
