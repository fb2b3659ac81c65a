//! Draws the state and thinks nothing: rows come from the panes, colours from the theme, sizes from
//! the constants here.
//!
//! ```text
//! 80x24            120x40                      200x60
//! header           header                      header
//! alert            alert                       alert
//! tabs             campaigns | outcomes        campaigns | live calls
//! one pane         live calls                  outcomes  |
//!                  logs                        trend     | detail | logs
//! target, keys, toast at the bottom of each
//! ```

mod overlay;
mod plain;

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Position, Rect},
    style::Style,
    text::{Line, Span},
    widgets::{Block, BorderType, Clear, Paragraph},
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{
    keys,
    message::{Action, Pane},
    panes,
    state::State,
    theme::Theme,
    update::display_name,
};
use crate::domain::{campaign::Status, outcome::Outcome, text::tail};

/// Below this nothing but a line of figures is drawn.
pub const SMALLEST: (u16, u16) = (60, 15);
/// From here four panes stand together.
const MEDIUM: (u16, u16) = (100, 30);
/// From here detail and trends stand beside them.
pub const LARGE: (u16, u16) = (160, 40);

const TOP_ROWS: u16 = 9;
const LOG_ROWS: u16 = 7;
const FOOTER_ROWS: u16 = 3;
const LEFT_COLUMNS: u16 = 74;
const OUTCOME_COLUMNS: u16 = 52;

/// Breaks words into lines.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    text.split_whitespace().fold(Vec::new(), |mut lines: Vec<String>, word| {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
        lines
    })
}

/// Cuts or pads a text to a width in cells.
#[must_use]
pub fn fit(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(width);
    let mut used = 0;
    if text.width() <= width {
        out.push_str(text);
        used = text.width();
    } else {
        for c in text.chars() {
            let w = c.width().unwrap_or(0);
            if used + w + 1 > width {
                break;
            }
            out.push(c);
            used += w;
        }
        if used < width {
            out.push('…');
            used += 1;
        }
    }
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    out
}

/// Draws one frame.
pub fn draw(frame: &mut Frame<'_>, state: &State) {
    paint(frame, state);
    if state.options.ascii {
        plain::letters(frame.buffer_mut());
    }
}

fn paint(frame: &mut Frame<'_>, state: &State) {
    let area = frame.area();
    frame.buffer_mut().set_style(area, state.theme.style("text"));
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return tiny(frame, state, area);
    }
    let [header, alert, body, footer] =
        Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Min(1), Constraint::Length(FOOTER_ROWS)]).areas(area);
    draw_header(frame, state, header);
    draw_alert(frame, state, alert);
    if state.zoom {
        pane(frame, state, state.focus, body);
    } else if area.width >= LARGE.0 && area.height >= LARGE.1 {
        large(frame, state, body);
    } else if area.width >= MEDIUM.0 && area.height >= MEDIUM.1 {
        medium(frame, state, body);
    } else {
        small(frame, state, body);
    }
    draw_footer(frame, state, footer);
    overlay::draw(frame, state, area);
}

fn tiny(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let text = format!(
        "live {} running {} failed {} to tag {} - needs {}x{} (P pauses all, q drains)",
        state.live_count(),
        running(state),
        state.data.failed.map_or_else(|| "-".to_owned(), |f| format!("{f}%")),
        state.to_tag(),
        SMALLEST.0,
        SMALLEST.1
    );
    frame.render_widget(Paragraph::new(text), Rect { height: area.height.min(1), ..area });
}

fn small(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let [tabs, body] = Layout::vertical([Constraint::Length(1), Constraint::Min(1)]).areas(area);
    let mut spans = vec![Span::raw(" ")];
    for p in Pane::ALL {
        let text = panes::tab(state, p);
        let (text, style) = if p == state.focus {
            (format!("[{text}]"), state.theme.style("title").add_modifier(ratatui::style::Modifier::BOLD))
        } else {
            (format!(" {text} "), state.theme.style("text_dim"))
        };
        spans.push(Span::styled(text, style));
        spans.push(Span::raw(" "));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), tabs);
    pane(frame, state, state.focus, body);
}

fn medium(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let [top, live, logs] = Layout::vertical([Constraint::Length(TOP_ROWS), Constraint::Min(4), Constraint::Length(LOG_ROWS)]).areas(area);
    let [campaigns, outcomes] = Layout::horizontal([Constraint::Min(50), Constraint::Length(OUTCOME_COLUMNS)]).areas(top);
    pane(frame, state, Pane::Campaigns, campaigns);
    pane(frame, state, Pane::Outcomes, outcomes);
    pane(frame, state, Pane::Live, live);
    pane(frame, state, Pane::Logs, logs);
}

fn large(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let [left, right] = Layout::horizontal([Constraint::Length(LEFT_COLUMNS), Constraint::Min(60)]).areas(area);
    let [campaigns, outcomes, trend] = Layout::vertical([Constraint::Min(8), Constraint::Length(22), Constraint::Length(7)]).areas(left);
    pane(frame, state, Pane::Campaigns, campaigns);
    pane(frame, state, Pane::Outcomes, outcomes);
    panes::trend(frame, state, trend);
    let [live, bottom] = Layout::vertical([Constraint::Percentage(60), Constraint::Percentage(40)]).areas(right);
    pane(frame, state, Pane::Live, live);
    let [detail, logs] = Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(bottom);
    panes::detail(frame, state, detail);
    pane(frame, state, Pane::Logs, logs);
}

fn pane(frame: &mut Frame<'_>, state: &State, which: Pane, area: Rect) {
    match which {
        Pane::Campaigns => panes::campaigns(frame, state, area),
        Pane::Live => panes::live(frame, state, area),
        Pane::Outcomes => panes::outcomes(frame, state, area),
        Pane::Logs => panes::logs(frame, state, area),
    }
}

/// A pane's frame with its title and what stands at its lower right; answers the inside.
pub fn boxed(frame: &mut Frame<'_>, theme: &Theme, area: Rect, focused: bool, title: &str, corner: &str) -> Rect {
    let (kind, border) = if focused { (BorderType::Double, "border_focus") } else { (BorderType::Plain, "border") };
    let style = theme.style(if focused { "title" } else { "text_dim" });
    let style = if focused { style.add_modifier(ratatui::style::Modifier::BOLD) } else { style };
    let block = Block::bordered().border_type(kind).border_style(theme.style(border)).title(Span::styled(format!(" {title} "), style)).title_bottom(
        Line::from(Span::styled(if corner.is_empty() { String::new() } else { format!(" {corner} ") }, theme.style("text_faint"))).right_aligned(),
    );
    let inside = block.inner(area);
    frame.render_widget(block, area);
    inside
}

/// Rows in a window around the selection: first row shown, given the height.
#[must_use]
pub fn window(selected: Option<usize>, height: usize, total: usize) -> usize {
    let at = selected.unwrap_or(0);
    if total <= height { 0 } else { at.saturating_sub(height / 2).min(total - height) }
}

/// One row of a list, with the marker and the selection's colours.
pub fn row(frame: &mut Frame<'_>, theme: &Theme, area: Rect, y: u16, spans: Vec<Span<'_>>, selected: bool, focused: bool) {
    let line = Rect { y: area.y + y, height: 1, ..area };
    let mut all = vec![Span::styled(if selected { ">" } else { " " }, theme.style("key"))];
    all.extend(spans);
    frame.render_widget(Paragraph::new(Line::from(all)), line);
    if selected {
        frame.buffer_mut().set_style(line, theme.selection(focused));
        if focused {
            // The real cursor stands on the selected row: screen readers follow it.
            frame.set_cursor_position(Position::new(line.x, line.y));
        }
    }
}

fn running(state: &State) -> usize {
    state.data.campaigns.iter().filter(|c| c.row.execution_status == Status::Running).count()
}

fn draw_header(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let d = &state.data;
    let paused = d.campaigns.iter().filter(|c| c.row.execution_status == Status::Paused).count();
    let capacity: i64 = d.campaigns.iter().filter(|c| matches!(c.row.execution_status, Status::Running | Status::Paused)).map(|c| c.row.max_concurrent).sum();
    let percent = |v: Option<i64>| v.map_or_else(|| "-".to_owned(), |p| format!("{p}%"));
    let clock = state.now.with_timezone(&state.options.zone);
    let clock = if state.live_count() > 0 { clock.format("%H:%M:%S").to_string() } else { clock.format("%H:%M").to_string() };
    let name = if state.options.simulated { "dialdeck SIMULATED" } else { "dialdeck" };
    let mut parts = vec![
        name.to_owned(),
        format!("{} running {paused} paused", running(state)),
        format!("live {}/{capacity}", state.live_count()),
        format!("answered {}", percent(d.answered)),
        format!("failed {}", percent(d.failed)),
        format!("to tag {}", state.to_tag()),
        format!("calls/min {}", d.calls_per_minute),
    ];
    if let Some(import) = &state.import {
        parts.insert(1, overlay::import_words(import));
    }
    if state.options.following.borrow().is_some() {
        parts.insert(1, "following".to_owned());
    }
    if state.options.supabase_hint {
        parts.push("SUPABASE_URL without DATABASE_URL: using SQLite".to_owned());
    }
    if d.other_owners > 0 {
        parts.push(format!("{} other owners", d.other_owners));
    }
    let room = usize::from(area.width).saturating_sub(clock.len() + 3);
    while parts.len() > 2 && parts.join(" │ ").width() + 1 > room {
        parts.pop();
    }
    let text = format!(" {} ", fit(&parts.join(" │ "), room));
    let spans = vec![Span::styled(text, state.theme.style("title")), Span::styled(clock, state.theme.style("text"))];
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

fn draw_alert(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let (text, style) = alert(state);
    if !text.is_empty() {
        let line = fit(&format!(" {text}"), usize::from(area.width));
        frame.render_widget(Paragraph::new(Span::styled(line, style)), area);
    }
}

/// The one thing a supervisor must know now.
fn alert(state: &State) -> (String, Style) {
    let d = &state.data;
    let danger = state.theme.bar("danger");
    if let Some(why) = &state.data_error {
        let age = (state.now - d.at).num_seconds();
        return (format!("! the database cannot be read, data {age} s old: {why}"), danger);
    }
    if d.kill_switch {
        return ("! KILL SWITCH ON: nothing is dialled. `dialdeck stop-all --release` lifts it".to_owned(), danger);
    }
    if !d.health.is_empty() {
        return (format!("! {}", d.health), danger);
    }
    if let Some(words) = state.options.following.borrow().as_ref() {
        return (words.clone(), state.theme.bar("banner"));
    }
    if state.options.read_only {
        return ("read-only: nothing is changed from here".to_owned(), state.theme.bar("banner"));
    }
    if !state.filter.is_empty() {
        let (shown, all) = (state.live_rows().len(), d.live.len());
        return (format!("filter \"{}\": {shown} of {all} calls. Esc clears", state.filter), state.theme.style("info"));
    }
    if let Some((campaign, bad, of, word)) = &d.last_failure {
        let name = d.campaigns.iter().find(|c| c.row.id == *campaign).map_or("?", |c| c.row.name.as_str());
        return (format!("! {name}: {bad} of the last {of} dials failed ({word})   {}: why", keys::name_of(Action::Why)), state.theme.style("warn"));
    }
    if let Some(c) = d.campaigns.iter().find(|c| c.row.execution_status == Status::Error) {
        return (format!("! {}: {}", c.row.name, c.row.status_reason), state.theme.style("error"));
    }
    (String::new(), state.theme.style("text"))
}

/// Three lines that name what the keys act on.
fn draw_footer(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let width = usize::from(area.width);
    let lines = vec![target_line(state, width), keys_line(state, width), toast_line(state, width)];
    frame.render_widget(Paragraph::new(lines), area);
}

fn target_line(state: &State, width: usize) -> Line<'static> {
    let key = state.theme.style("key");
    let text = state.theme.style("text");
    let Some(row) = state.target() else {
        return Line::from(Span::styled(fit(" no call selected", width), state.theme.style("text_faint")));
    };
    let who = format!(
        " {} {} >",
        fit(&display_name(&row.contact_name, &row.phone_number), if width < 110 { 12 } else { 26 }).trim_end(),
        if state.mask > 1 { String::new() } else { tail(&row.phone_number) }
    );
    let narrow = width < 110;
    let mut spans = vec![Span::styled(who, text.add_modifier(ratatui::style::Modifier::BOLD))];
    for o in Outcome::ALL {
        let words = match (o, narrow) {
            (Outcome::Interested, true) => "interest",
            (Outcome::NotInterested, true) => "not-int",
            (Outcome::DoNotCall, true) => "DNC",
            (Outcome::WrongNumber, true) => "wrong",
            _ => o.label(),
        };
        spans.push(Span::styled(format!(" {}", o.digit()), key));
        spans.push(Span::styled(format!(" {words}"), text));
    }
    Line::from(spans)
}

fn keys_line(state: &State, width: usize) -> Line<'static> {
    let campaign = state.target_campaign().map_or_else(|| "-".to_owned(), |c| c.row.name.clone());
    let paused = state.target_campaign().is_some_and(|c| c.row.execution_status == Status::Paused);
    let all = if state.paused_all.is_some() && running(state) == 0 { "resume ALL" } else { "pause ALL" };
    let hints: Vec<(Action, String)> = vec![
        (Action::Undo, "undo".into()),
        (Action::Note, "note".into()),
        (Action::HangUp, "hang up".into()),
        (Action::Start, "start".into()),
        (Action::PauseResume, if paused { "resume".into() } else { "pause".into() }),
        (Action::Stop, format!("stop \"{}\"", fit(&campaign, campaign.width().min(20)).trim_end())),
        (Action::PauseAll, all.into()),
        (Action::New, "new".into()),
        (Action::Import, "import".into()),
        (Action::Why, "why".into()),
        (Action::Filter, "filter".into()),
    ];
    // `:` `?` and `q` stay; the others drop from the right.
    let kept = [(Action::Command, "cmd"), (Action::Help, "help"), (Action::Quit, "quit")];
    let tail_width: usize = kept.iter().map(|(a, w)| keys::name_of(*a).len() + w.len() + 3).sum();
    let mut used = 0;
    let mut spans = Vec::new();
    let (key, text) = (state.theme.style("key"), state.theme.style("text_dim"));
    let push = |a: Action, words: &str, spans: &mut Vec<Span<'static>>| {
        spans.push(Span::styled(format!(" {}", keys::name_of(a)), key));
        spans.push(Span::styled(format!(" {words} "), text));
    };
    for (action, words) in &hints {
        let need = keys::name_of(*action).len() + words.width() + 3;
        if used + need + tail_width > width {
            break;
        }
        used += need;
        push(*action, words, &mut spans);
    }
    for (action, words) in kept {
        push(action, words, &mut spans);
    }
    Line::from(spans)
}

fn toast_line(state: &State, width: usize) -> Line<'static> {
    match &state.toast {
        Some(t) if t.error => Line::from(Span::styled(fit(&format!(" !! {} (Esc)", t.text), width), state.theme.style("error"))),
        Some(t) => Line::from(Span::styled(fit(&format!(" OK  {}", t.text), width), state.theme.style("success"))),
        None if !state.loaded => Line::from(Span::styled(fit(" loading...", width), state.theme.style("text_faint"))),
        None => Line::default(),
    }
}

/// A centred box over the screen, cleared.
pub fn popup(frame: &mut Frame<'_>, theme: &Theme, area: Rect, width: u16, height: u16, title: &str, corner: &str) -> Rect {
    let (w, h) = (width.min(area.width.saturating_sub(2)), height.min(area.height.saturating_sub(2)));
    let place = Rect { x: area.x + (area.width - w) / 2, y: area.y + (area.height - h) / 2, width: w, height: h };
    frame.render_widget(Clear, place);
    frame.buffer_mut().set_style(place, theme.style("text"));
    boxed(frame, theme, place, true, title, corner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_by_cells_not_by_letters() {
        assert_eq!(fit("abc", 5), "abc  ");
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("日本語", 4).width(), 4);
        assert_eq!(fit("", 0), "");
    }

    #[test]
    fn the_window_keeps_the_selection_inside() {
        assert_eq!(window(Some(0), 10, 100), 0);
        assert_eq!(window(Some(50), 10, 100), 45);
        assert_eq!(window(Some(99), 10, 100), 90);
        assert_eq!(window(Some(3), 10, 5), 0);
    }
}
