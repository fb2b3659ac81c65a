//! What a supervisor glances at. From a hundred columns two lines: lights, lines in use, campaigns and clock; then
//! rates with their last hour, what is to be tagged, callbacks. Below that one. What has no room drops from the right.
//!
//! ```text
//!  dialdeck  ● LiveKit 44 ms  ● agents  ● hooks  ● trunk ██████▌░░░ 13/20                         3 running  10:42:07
//!  dials/min 11 ▂▃▅▆▇▆▅   answered 41 % ▃▄▅▅▄▅   abandoned 0.4 %   failed 3 %   to tag 7, oldest 4 m   2 callbacks due
//! ```

use chrono::{DateTime, Utc};
use ratatui::{
    Frame,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::Paragraph,
};

use crate::{
    console::{
        charts,
        keys::Action,
        rows::{age, count},
        state::State,
        widgets::fill,
    },
    desk::{Head, Lights},
    domain::{
        campaign::Status,
        stats::Pace,
        system::{Light, System},
    },
};

type Part = Vec<Span<'static>>;

/// From here histories stand beside the rates; from there they are longer.
const SPARKS: usize = 116;
const LONG_SPARKS: usize = 150;
/// From here so many columns of fewer minutes.
const LONGEST_SPARKS: usize = 190;
const FINE_COLUMNS: usize = 29;
/// Cells of the lines in use.
const GAUGE: usize = 10;
/// From here a badge stands off the name before it.
const ROOMY: usize = 116;
/// Below this what waits is told without its age.
const AGES: usize = 76;
/// Minutes of one column of a history, and of a long one.
const COLUMN: usize = 5;
const FINE: usize = 2;

pub fn draw(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let width = usize::from(area.width);
    let lines = if area.height > 1 { vec![first(state, width), second(state, width)] } else { vec![single(state, width)] };
    frame.render_widget(Paragraph::new(lines), area);
}

/// Who we are, and what must never drop: that no phone is rung, that another process dials, that nothing is changed.
fn badges(state: &State) -> Vec<Part> {
    let bold = state.theme.style("title").add_modifier(Modifier::BOLD);
    let mut brand = vec![Span::styled("dialdeck", bold)];
    let badge = state.theme.bar("banner").add_modifier(Modifier::BOLD);
    // On a narrow screen what waits goes before what is fair.
    let gap = if usize::from(state.size.0) < ROOMY { "" } else { " " };
    let mut put = |word: &str| brand.extend([Span::raw(gap), Span::styled(format!(" {word} "), badge)]);
    if state.options.simulated {
        put("SIMULATED");
    }
    if state.leaving.is_some() {
        put("ENDING");
    }
    if state.options.following.borrow().is_some() {
        put("looks on");
    }
    if state.options.read_only {
        put("read-only");
    }
    vec![brand]
}

fn first(state: &State, width: usize) -> Line<'static> {
    let mut parts = badges(state);
    if let Some(lights) = lights(state) {
        parts.extend([lamp(state, "LiveKit", &lights.livekit, &took(lights)), lamp(state, "agents", &lights.agents, "")]);
        let gauge = if width >= SPARKS { GAUGE } else { 0 };
        parts.extend([lamp(state, "hooks", &lights.hooks, &hook_age(state, lights)), lines(state, lights, gauge)]);
    }
    parts.extend(state.behind.as_ref().and_then(|b| b.goes_on()).map(|words| plain(state, words, "info")));
    parts.extend(state.options.known.clone().map(|words| plain(state, words, "warn")));
    if state.data.other_owners > 0 {
        parts.push(plain(state, count(state.data.other_owners, "other owner"), "text_dim"));
    }
    let right = vec![plain(state, running(state), "text"), clock(state)];
    beside(parts, 1, 2, right, width)
}

fn second(state: &State, width: usize) -> Line<'static> {
    let (spark, gap) = match width {
        LONGEST_SPARKS.. => (FINE_COLUMNS, 3),
        LONG_SPARKS.. => (12, 3),
        SPARKS.. => (7, 3),
        _ => (0, 2),
    };
    let mut parts = Vec::new();
    if let Some(head) = state.data.head.as_deref() {
        parts.extend(rates(state, head, spark));
    }
    // What waits for somebody goes before the smaller rates.
    let at = parts.len().min(2);
    let due = state.data.head.as_ref().is_some_and(|h| h.figures.callbacks.due > 0);
    let mut waits = vec![to_tag(state, true), callbacks(state)];
    // One that is not due yet is the first to go.
    let later = if due { None } else { waits.pop() };
    parts.splice(at..at, waits);
    parts.extend(later);
    Line::from(fill(parts, 1, gap, width).0)
}

/// Everything on one line, most wanted first.
fn single(state: &State, width: usize) -> Line<'static> {
    let mut parts = badges(state);
    parts.extend(lights(state).map(|l| worst(state, l, width)));
    let of = lights(state).map(|l| l.lines.1).filter(|of| *of > 0).map_or_else(String::new, |of| format!("/{of}"));
    parts.push(plain(state, format!("live {}{of}", state.data.live_count()), "text"));
    parts.push(if width < AGES { figure(state, "to tag", state.to_tag().to_string(), state.theme.style("text")) } else { to_tag(state, false) });
    parts.push(plain(state, running(state), "text"));
    parts.extend(state.behind.as_ref().and_then(|b| b.goes_on()).map(|words| plain(state, words, "info")));
    if let Some(head) = state.data.head.as_deref() {
        parts.extend(rates(state, head, 0).into_iter().skip(1));
    }
    beside(parts, 1, 2, vec![clock(state)], width)
}

/// Parts from the left, others at the right edge.
fn beside(left: Vec<Part>, kept: usize, gap: usize, right: Vec<Part>, width: usize) -> Line<'static> {
    let (right, wide) = fill(right, 0, 3, width);
    let (mut spans, used) = fill(left, kept, gap, width.saturating_sub(wide + 2));
    spans.push(Span::raw(" ".repeat(width.saturating_sub(used + wide + 1))));
    spans.extend(right);
    Line::from(spans)
}

fn plain(state: &State, words: String, role: &str) -> Part {
    vec![Span::styled(words, state.theme.style(role))]
}

fn clock(state: &State) -> Part {
    let clock = state.now.with_timezone(&state.options.zone);
    // Seconds only while somebody is on the line: an idle screen sends nothing.
    plain(state, clock.format(if state.data.live_count() > 0 { "%H:%M:%S" } else { "%H:%M" }).to_string(), "text")
}

fn running(state: &State) -> String {
    let (running, paused) = (state.data.campaigns_in(Status::Running), state.data.campaigns_in(Status::Paused));
    if running > 0 && state.data.kill_switch {
        return "ALL STOPPED".to_owned();
    }
    if state.leaving.is_some() {
        return "nothing new is dialled".to_owned();
    }
    match (running, paused) {
        (_, 0) => format!("{running} running"),
        (0, _) => format!("{paused} paused"),
        _ => format!("{running} running, {paused} paused"),
    }
}

fn lights(state: &State) -> Option<&Lights> {
    state.data.head.as_ref()?.lights.as_ref()
}

/// `● LiveKit`: its colour says how it is, its glyph says it again.
fn lamp(state: &State, name: &str, system: &System, more: &str) -> Part {
    let (glyph, role) = light(state, system.light);
    let words = state.theme.style(if system.light <= Light::Unset { "text_dim" } else { role });
    let mut part = vec![Span::styled(format!("{glyph} "), state.theme.style(role)), Span::styled(name.to_owned(), words)];
    if !more.is_empty() {
        part.push(Span::styled(format!(" {more}"), words));
    }
    part
}

fn light(state: &State, light: Light) -> (&str, &'static str) {
    let symbols = &state.theme.symbols;
    match light {
        Light::Good => (&symbols.good, "success"),
        Light::Unset => (&symbols.unset, "text_faint"),
        Light::Warning => (&symbols.warning, "warn"),
        Light::Bad => (&symbols.bad, "error"),
    }
}

/// Where there is no room for all: the worst of them, by its name.
fn worst(state: &State, lights: &Lights, width: usize) -> Part {
    let all = [("LiveKit", &lights.livekit), ("agents", &lights.agents), ("trunk", &lights.trunk), ("hooks", &lights.hooks)];
    let worst = all.into_iter().filter(|(_, s)| s.light > Light::Unset).max_by_key(|(_, s)| s.light);
    match worst {
        Some((name, system)) => lamp(state, name, system, ""),
        None => lamp(state, if width < AGES { "well" } else { "all well" }, &System::good("", ""), ""),
    }
}

/// How long LiveKit took to answer last, where it does.
fn took(lights: &Lights) -> String {
    lights.livekit_took.filter(|_| lights.livekit.name == "LiveKit" && lights.livekit.light == Light::Good).map_or_else(String::new, |ms| format!("{ms} ms"))
}

/// How long ago the last hook came, in minutes: seconds would never stand still.
fn hook_age(state: &State, lights: &Lights) -> String {
    let minutes = lights.hook_at.map_or(0, |t| (state.now - t).num_minutes());
    if minutes < 1 { String::new() } else { lights.hook_at.map_or_else(String::new, |t| age(state.now, t)) }
}

/// Lines in use as a gauge.
fn lines(state: &State, lights: &Lights, cells: usize) -> Part {
    // The board knows sooner who is on the line than the head, which is read every few seconds.
    let now = i64::try_from(state.data.live_count()).unwrap_or(lights.live);
    let (used, of) = ((lights.lines.0 - lights.live + now).max(0), lights.lines.1);
    let mut part = lamp(state, "trunk", &lights.trunk, "");
    if cells > 0 {
        part.push(Span::raw(" "));
    }
    if of > 0 {
        let (filled, track) = charts::gauge_parts(cells, charts::share(used, of), &state.theme.symbols);
        part.push(Span::styled(filled, state.theme.style(full(used, of))));
        part.push(Span::styled(track, state.theme.style("border")));
        part.push(Span::styled(format!(" {used}/{of}"), state.theme.style("text")));
    }
    part
}

/// The colour of a gauge by what is left: a full trunk is where calls begin to fail.
fn full(used: i64, of: i64) -> &'static str {
    if used >= of {
        "error"
    } else if used * 10 >= of * 7 {
        "warn"
    } else {
        "gauge_filled"
    }
}

/// Rates of the last hour, those on the line counted too, each with its history.
fn rates(state: &State, head: &Head, spark: usize) -> Vec<Part> {
    let (hour, figures) = (&head.figures.hour, &head.figures);
    let text = state.theme.style("text");
    let mut dials = figure(state, "dials/min", figures.dials_per_minute.to_string(), text);
    history(state, &mut dials, figures.minutes.as_slice(), spark, |p| p.dials, None);
    let mut answered = figure(state, "answered", percent(hour.answered_percent(), 0), text);
    history(state, &mut answered, figures.minutes.as_slice(), spark, |p| p.answered * 1000 / p.dials.max(1), Some(1000));
    // Three in a hundred is where the law of several places begins to count.
    let abandoned = above(state, hour.abandoned_percent(), 2.0, 3.0);
    let failed = above(state, hour.failed_percent(), 10.0, 25.0);
    vec![
        dials,
        answered,
        figure(state, "abandoned", percent(hour.abandoned_percent(), 1), abandoned),
        figure(state, "failed", percent(hour.failed_percent(), 0), failed),
    ]
}

fn figure(state: &State, name: &str, value: String, style: Style) -> Part {
    vec![Span::styled(format!("{name} "), state.theme.style("text_dim")), Span::styled(value, style)]
}

fn percent(share: Option<f64>, digits: usize) -> String {
    share.map_or_else(|| "-".to_owned(), |p| format!("{p:.digits$} %"))
}

fn above(state: &State, share: Option<f64>, warn: f64, error: f64) -> Style {
    let share = share.unwrap_or(0.0);
    state.theme.style(if share >= error {
        "error"
    } else if share >= warn {
        "warn"
    } else {
        "text"
    })
}

/// The hour in columns of some minutes, against a top or its own largest; the minute that has not ended is left out, so
/// that it changes once a minute. Where there was nothing a faint line shows that there is a history.
fn history(state: &State, part: &mut Part, minutes: &[Pace], width: usize, value: fn(&Pace) -> i64, top: Option<i64>) {
    if width == 0 {
        return;
    }
    let symbols = &state.theme.symbols;
    let ended = &minutes[..minutes.len().saturating_sub(1)];
    let column = if width >= FINE_COLUMNS { FINE } else { COLUMN };
    let mut values: Vec<i64> = ended.rchunks(column).take(width).map(|some| value(&sum(some))).collect();
    values.resize(width, 0);
    values.reverse();
    let top = top.or(values.iter().copied().max()).unwrap_or(1);
    part.push(Span::raw(" "));
    for columns in values.chunk_by(|a, b| (*a > 0) == (*b > 0)) {
        let (text, role) = match columns {
            [0, ..] => (symbols.base.repeat(columns.len()), "border"),
            _ => (charts::spark_to(columns, top, symbols), "spark"),
        };
        part.push(Span::styled(text, state.theme.style(role)));
    }
}

fn sum(minutes: &[Pace]) -> Pace {
    minutes.iter().copied().sum()
}

/// `to tag 7, oldest 4 m`, in the colour of its age; without room `to tag 7, 4 m`.
fn to_tag(state: &State, whole: bool) -> Part {
    let n = state.to_tag();
    let oldest: Option<DateTime<Utc>> = state.data.to_tag.first().and_then(|r| r.completed_at).filter(|_| n > 0);
    let mut part = figure(state, "to tag", n.to_string(), state.theme.style("text"));
    if let Some(since) = oldest {
        let minutes = (state.now - since).num_minutes();
        let words = match (minutes, whole) {
            (..1, true) => ", just now".to_owned(),
            (..1, false) => return part,
            (_, true) => format!(", oldest {}", age(state.now, since)),
            (_, false) => format!(", {}", age(state.now, since)),
        };
        part.push(Span::styled(words, state.late((state.now - since).num_seconds(), state.options.ages.to_tag, "text_dim")));
    }
    part
}

fn callbacks(state: &State) -> Part {
    let Some(head) = state.data.head.as_deref() else { return Vec::new() };
    let (due, next) = (head.figures.callbacks.due, head.figures.callbacks.next);
    match (due, next) {
        (0, None) => Vec::new(),
        (0, Some(at)) => plain(state, format!("next callback {}", at.with_timezone(&state.options.zone).format("%a %H:%M")), "text_dim"),
        (n, _) => plain(state, format!("{} due", count(n, "callback")), "warn"),
    }
}

/// What a line so narrow that nothing else fits is filled with: figures, and the keys that work.
pub fn tiny(state: &State) -> String {
    let failed = state.data.head.as_ref().map_or_else(|| "-".to_owned(), |h| percent(h.figures.hour.failed_percent(), 0));
    let words = badges(state).into_iter().flatten().map(|s| s.content.into_owned()).collect::<String>();
    let (pause, quit) = (state.keys.name(Action::PauseAll), state.keys.name(Action::Quit));
    let to_tag = state.to_tag();
    format!("{words}: live {}, {}, failed {failed}, to tag {to_tag}. {pause} pauses all, {quit} drains", state.data.live_count(), running(state))
}
