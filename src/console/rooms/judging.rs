//! The tagging desk: outcomes on the whole screen, where taggers live. The calls that wait, the oldest first; the
//! one under the cursor with all that helps to judge it; and the keys.

use chrono::Duration;
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Position, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr;

use super::{queue, table::list};
use crate::{
    console::{
        dialogs::{AgentSaysNever, AgentsWords},
        keys::{Action, Pane},
        place::Next,
        rows::{age, display_name},
        snapshot::Judged,
        state::State,
        text::cities,
        widgets::{boxed, cut, empty, fit, wrapped},
    },
    desk::TagCard,
    domain::{outcome::Outcome, schedule, text::clean},
    store::{FoundCall, PaneRow},
};

/// From here the queue stands beside the call; below it is one line over it.
const WIDE: u16 = 100;
const QUEUE_COLUMNS: u16 = 46;
/// With so many rows the keys have a place of their own.
const TALL: u16 = 26;
const KEY_ROWS: u16 = 5;
/// With so many at least there is a line for them.
const SHORT: u16 = 16;
/// Where the queue stands over the call: rows of both.
const CALL_ROWS: u16 = 14;
const NEXT_ROWS: u16 = 5;

/// What the desk wants to know while it is open.
#[must_use]
pub fn judged(state: &State) -> Option<Judged> {
    let open = state.zoom && state.focus == Pane::Outcomes;
    // The midnight before now, on the operator's clock.
    let today = || schedule::next_day(state.options.zone, state.now - Duration::days(1));
    open.then(|| Judged { call: state.queue, today: today() })
}

/// The places of the desk: the queue, the call, the keys.
struct Places {
    queue: Rect,
    call: Rect,
    keys: Option<Rect>,
}

fn places(area: Rect) -> Places {
    let keys = if area.height >= TALL { KEY_ROWS } else { 0 };
    // Without room for the keys one line says what goes beside them.
    let keys = keys.max(u16::from(area.height >= SHORT));
    let [body, foot] = Layout::vertical([Constraint::Min(3), Constraint::Length(keys)]).areas(area);
    let (queue, call) = if area.width >= WIDE {
        let [queue, call] = Layout::horizontal([Constraint::Length(QUEUE_COLUMNS), Constraint::Min(40)]).areas(body);
        (queue, call)
    } else {
        // The call has a dozen lines at least; who comes next has what is left.
        let lines = body.height.saturating_sub(CALL_ROWS).clamp(1, NEXT_ROWS);
        let [queue, call] = Layout::vertical([Constraint::Length(lines), Constraint::Min(2)]).areas(body);
        (queue, call)
    };
    Places { queue, call, keys: (keys > 0).then_some(foot) }
}

/// Where the filter of the queue stands: on its frame, or where it is one line on the call's.
pub fn frame(area: Rect) -> Rect {
    let at = places(area);
    if area.width >= WIDE { at.queue } else { at.call }
}

/// How many calls of the queue have room.
pub fn rows(area: Rect) -> usize {
    let queue = places(area).queue;
    usize::from(if area.width >= WIDE { queue.height.saturating_sub(2) } else { queue.height })
}

/// Which line of the queue stands at a point.
pub fn line_at(area: Rect, at: Position) -> Option<usize> {
    let queue = places(area).queue;
    let inside = if area.width >= WIDE { Rect { y: queue.y + 1, height: queue.height.saturating_sub(2), ..queue } } else { queue };
    inside.contains(at).then(|| usize::from(at.y - inside.y))
}

/// Enter takes what the agent says: of the call under the cursor, or of each that is marked its own word. A number that is never to be called again is asked for once.
pub fn enter(state: &State) -> Option<Next> {
    let marks = state.marks.of(Pane::Outcomes);
    let marked: Vec<&PaneRow> = state.queue_rows().into_iter().filter(|r| marks.contains(&r.id)).collect();
    if !marked.is_empty() && !state.options.read_only {
        return Some(Next::Instead(Box::new(AgentsWords::of_marked(state, &marked))));
    }
    let row = state.queue_rows().into_iter().find(|r| Some(r.id) == state.queue)?;
    let word = row.suggestion.filter(|_| row.outcome.is_none() && !state.options.read_only)?;
    if word == Outcome::DoNotCall {
        return Some(Next::Instead(Box::new(AgentSaysNever::new(row))));
    }
    Some(Next::Then(Action::Tag(word)))
}

pub fn draw(frame: &mut Frame<'_>, state: &State, area: Rect, queue: &[&PaneRow], selected: Option<usize>) {
    let at = places(area);
    draw_queue(frame, state, at.queue, queue, selected, area.width >= WIDE);
    let title = "The call";
    let row = selected.and_then(|i| queue.get(i)).copied();
    let word = row.and_then(|r| r.suggestion).filter(|_| !state.options.read_only);
    let takes = word.map_or_else(String::new, |o| format!("{} takes \"{}\"  ", key(state, Action::Enter), o.label()));
    let corner = format!("{takes}{} story  {} note  {} copy", key(state, Action::Story), key(state, Action::Note), key(state, Action::Copy));
    let inside = boxed(frame, &state.theme, at.call, false, title, &corner);
    match row {
        Some(row) => {
            let lines = card(state, row, usize::from(inside.width));
            let last = lines.len().saturating_sub(usize::from(inside.height));
            state.story.1.set(last);
            let top = state.story.0.min(last);
            if last > 0 {
                more(frame, state, at.call, top < last);
            }
            frame.render_widget(Paragraph::new(lines.into_iter().skip(top).collect::<Vec<_>>()), inside);
        }
        None => empty(frame, &state.theme, inside, &format!("No call is selected. {} takes the first.", key(state, Action::Down))),
    }
    if let Some(area) = at.keys {
        draw_keys(frame, state, area, row);
    }
}

/// That the call has more than is shown, and the keys that go there, on its lower edge.
fn more(frame: &mut Frame<'_>, state: &State, area: Rect, below: bool) {
    let words = format!(" {} {} {} ", key(state, Action::StoryUp), key(state, Action::StoryDown), if below { "more below" } else { "more above" });
    let wide = u16::try_from(words.width()).unwrap_or(0);
    if area.width > wide + 4 && area.height > 1 {
        frame.buffer_mut().set_string(area.x + 2, area.bottom() - 1, &words, state.theme.style("key"));
    }
}

fn key(state: &State, action: Action) -> String {
    state.keys.name(action)
}

/// `To tag 7   oldest 4 m   you: 31 tagged today, 6 s each   ana is tagging here too`.
pub fn head(state: &State) -> String {
    let mut text = format!("To tag {}", state.to_tag());
    let Some((head, _)) = &state.judging else { return text };
    if let Some(oldest) = head.oldest {
        text.push_str(&format!("   oldest {}", age(state.now, oldest)));
    }
    let each = head.pace.seconds_each.map_or_else(String::new, |s| format!(", {s:.0} s each"));
    text.push_str(&format!("   you: {} tagged today{each}", head.pace.tags));
    let others: Vec<&str> = head.others.iter().map(|t| t.who.as_str()).collect();
    match others.as_slice() {
        [] => {}
        [one] => text.push_str(&format!("   {one} tags here too")),
        several => text.push_str(&format!("   {} tag here too", several.join(", "))),
    }
    text
}

fn draw_queue(frame: &mut Frame<'_>, state: &State, area: Rect, queue: &[&PaneRow], selected: Option<usize>, wide: bool) {
    let inside = if wide {
        let at = selected.map_or_else(|| format!("{}", queue.len()), |i| format!("{}/{}", i + 1, queue.len()));
        let next = if state.auto_next { "auto-next on" } else { "auto-next off" };
        let order = state.lists.of(Pane::Outcomes).order().map_or_else(|| "oldest first".to_owned(), |o| format!("by {o}"));
        boxed(frame, &state.theme, area, true, &format!("To tag, {order}"), &format!("{at}  {} {next}", key(state, Action::AutoNext)))
    } else {
        area
    };
    let width = usize::from(inside.width);
    list(frame, state, inside, Pane::Outcomes, queue, selected, |r| queue::spans(state, r, width));
}

/// Who speaks, where the agent's program names its sides as such programs do.
fn speaker(role: &str) -> &str {
    match role {
        "assistant" => "agent",
        "user" | "human" => "contact",
        other => other,
    }
}

fn sure(r: &PaneRow) -> String {
    r.suggestion_confidence.map_or_else(String::new, |c| format!(" {:.0} %", c * 100.0))
}

/// The call as a tagger reads it, from the top: who, what happened, what the agent says, the last words.
fn card(state: &State, row: &PaneRow, width: usize) -> Vec<Line<'static>> {
    let mut out = Writing { state, width: width.saturating_sub(2), lines: Vec::new() };
    let known = state.judging.as_ref().and_then(|(_, card)| card.as_deref()).filter(|c| c.call.call.id == row.id);
    out.who(row, known);
    out.talk(row);
    out.gap();
    out.agent(row, known);
    match known {
        Some(card) => out.rest(card),
        None => out.words("loading...", "text_faint"),
    }
    for (i, line) in row.notes.lines().enumerate() {
        out.labelled(if i == 0 { "Note" } else { "" }, line, "text");
    }
    out.lines
}

/// Lines as they are written, each text on as many as it needs.
struct Writing<'a> {
    state: &'a State,
    width: usize,
    lines: Vec<Line<'static>>,
}

/// Cells of the labels at the left, and of who speaks.
const LABEL: usize = 8;
const SPEAKER: usize = 11;
/// Earlier calls, and columns of a card, that are shown.
const EARLIER: usize = 4;
const FIELDS: usize = 6;

impl Writing<'_> {
    fn style(&self, role: &str) -> Style {
        self.state.theme.style(role)
    }

    fn gap(&mut self) {
        self.lines.push(Line::default());
    }

    fn words(&mut self, text: &str, role: &str) {
        let style = self.style(role);
        self.lines.extend(wrapped(text, self.width).into_iter().map(|l| Line::from(Span::styled(format!(" {l}"), style))));
    }

    fn labelled(&mut self, label: &str, text: &str, role: &str) {
        self.behind(label, LABEL, text, role);
    }

    /// A text behind a label of so many cells.
    fn behind(&mut self, label: &str, cells: usize, text: &str, role: &str) {
        let (dim, style) = (self.style("text_dim"), self.style(role));
        for (i, line) in wrapped(text, self.width.saturating_sub(cells)).into_iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            self.lines.push(Line::from(vec![Span::styled(format!(" {}", fit(label, cells)), dim), Span::styled(line, style)]));
        }
    }

    fn who(&mut self, row: &PaneRow, known: Option<&TagCard>) {
        let mut text = format!("   {}", self.state.number(&row.phone_number));
        if let Some((_, contact)) = known.and_then(|c| c.card.as_ref())
            && !contact.company.is_empty()
        {
            text.push_str(&format!("   {}", contact.company));
        }
        let name = cut(&display_name(row), 30);
        let rest = cut(&text, self.width.saturating_sub(name.width()));
        let bold = self.style("title").add_modifier(Modifier::BOLD);
        self.lines.push(Line::from(vec![Span::styled(format!(" {name}"), bold), Span::styled(rest, self.style("text"))]));
        if let Some(clock) = known.map(|c| &c.clock).filter(|c| !c.time.is_empty()) {
            self.words(&format!("{}, {} there", cities(&clock.place), clock.time), "text_dim");
        }
        if let Some(due) = known.and_then(|c| c.keeps) {
            let at = due.with_timezone(&self.state.options.zone).format("%a %e %b %H:%M");
            self.words(&format!("this call is the callback that was promised for {at}"), "warn");
        }
    }

    fn talk(&mut self, row: &PaneRow) {
        let (m, s) = (row.call_duration / 60, row.call_duration % 60);
        let how = if row.reason.trim().is_empty() { String::new() } else { format!(", {}", row.reason.trim()) };
        let text = format!("{}, attempt {}, talked {m}:{s:02}{how}", row.campaign_name, row.attempt);
        self.words(&text, "text_dim");
    }

    fn agent(&mut self, row: &PaneRow, known: Option<&TagCard>) {
        let Some(word) = row.suggestion else {
            self.labelled("Agent", "says nothing of it", "text_faint");
            if known.is_some_and(|c| c.listed.is_some()) {
                self.words("its number is on the do-not-call list", "outcome_do_not_call");
            }
            return;
        };
        // A word of an agent closes a number at once: no question is left.
        let listed = known.and_then(|c| c.listed.as_ref()).map(|l| clean(&l.entry.created_by, 40));
        let listed =
            listed.map_or_else(String::new, |by| format!("; on the do-not-call list already{}", if by.is_empty() { by } else { format!(", by {by}") }));
        let why = known.and_then(|c| c.word.as_ref()).map(|w| w.note.trim()).filter(|n| !n.is_empty()).map_or_else(String::new, |n| format!(": {n}"));
        self.labelled(
            "Agent",
            &format!("{},{}{listed}{why}", word.label(), if row.suggestion_confidence.is_some() { sure(row) } else { " not sure how much".into() }),
            &format!("outcome_{}", word.as_str()),
        );
    }

    fn rest(&mut self, card: &TagCard) {
        let summary = card.report.as_ref().and_then(|r| r.summary.as_deref()).unwrap_or_default();
        if !summary.trim().is_empty() {
            self.labelled("Summary", summary.trim(), "text");
        }
        if !card.last_words.is_empty() {
            self.gap();
            self.words("Last words", "text_dim");
            for line in &card.last_words {
                self.behind(&format!("  {}", cut(speaker(&line.role), SPEAKER - 3)), SPEAKER, line.text.trim(), "text");
            }
        }
        self.gap();
        for (i, call) in card.earlier.iter().take(EARLIER).enumerate() {
            let text = self.earlier(call);
            self.labelled(if i == 0 { "Before" } else { "" }, &text, "text");
        }
        for promised in card.promised.iter().take(2) {
            let at = promised.due.with_timezone(&self.state.options.zone).format("%a %e %b %H:%M");
            self.labelled("Promise", &format!("{at}, {}", promised.campaign_name), "warn");
        }
        if let Some((list, contact)) = &card.card {
            let fields: Vec<String> = contact
                .fields
                .iter()
                .filter_map(|(k, v)| Some((k, v.as_str().filter(|v| !v.is_empty())?)))
                .take(FIELDS)
                .map(|(k, v)| format!("{k}: {v}"))
                .collect();
            self.labelled("Card", &format!("{}   (list {list})", fields.join("   ")), "text");
        }
    }

    fn earlier(&self, call: &FoundCall) -> String {
        let at = call.call.armed_at.map_or_else(String::new, |t| t.with_timezone(&self.state.options.zone).format("%e %b %H:%M").to_string());
        let what = call.call.outcome.map_or_else(|| call.call.state.words_if(call.call.armed_at.is_some()).to_owned(), |o| o.label().to_owned());
        let by = call.outcome_by.as_deref().filter(|b| !b.is_empty()).map_or_else(String::new, |b| format!("   by {b}"));
        format!("{at}  {}  {what}{by}", call.call.campaign_name)
    }
}

/// The six keys, the agent's among them in capitals, and what goes beside.
fn draw_keys(frame: &mut Frame<'_>, state: &State, area: Rect, row: Option<&PaneRow>) {
    let word = row.and_then(|r| r.suggestion);
    if area.height < KEY_ROWS {
        let line = Line::from(beside(state, word, usize::from(area.width), false));
        return frame.render_widget(Paragraph::new(line), area);
    }
    let inside = boxed(frame, &state.theme, area, false, "Tag", "");
    let mut spans = vec![Span::raw("  ")];
    for o in Outcome::ALL {
        let said = word == Some(o);
        let label = if said { o.label().to_uppercase() } else { o.label().to_owned() };
        let style = state.theme.style(&format!("outcome_{}", o.as_str()));
        spans.push(Span::styled(format!(" {} ", key(state, Action::Tag(o))), state.theme.style("key")));
        spans.push(Span::styled(format!("{label}   "), if said { style.add_modifier(Modifier::BOLD) } else { style }));
    }
    let mut second = vec![Span::raw("  ")];
    second.extend(beside(state, word, usize::from(inside.width.saturating_sub(2)), true));
    frame.render_widget(Paragraph::new(vec![Line::from(spans), Line::default(), Line::from(second)]), inside);
}

/// Whether the desk has a place for its keys: the footer needs not say them again.
pub fn has_keys(area: Rect) -> bool {
    area.height >= TALL
}

/// What goes beside the digits, each whole or not there: whose tag is taken back first of all. In one line Enter is
/// left to the corner of the call.
fn beside(state: &State, word: Option<Outcome>, width: usize, enter: bool) -> Vec<Span<'static>> {
    let step = crate::console::possible::step_back(state).map(|step| (Action::Undo, format!("takes back {step}")));
    let marked = state.marked().len();
    let does = match word {
        _ if marked > 0 => format!("each of {marked} as the agent says"),
        Some(o) => format!("as the agent says ({})", o.label()),
        None => String::new(),
    };
    let does = (!does.is_empty() && (enter || marked > 0)).then_some((Action::Enter, does));
    let sure = (Action::AgentsWords, format!("tags all it is {} % sure of", state.sure));
    let (mut spans, mut used) = (Vec::new(), 0);
    for (action, words) in step.into_iter().chain(does).chain([sure]) {
        let (key, gap) = (key(state, action), if used == 0 { 1 } else { 3 });
        let wide = gap + key.width() + 1 + words.width();
        if used + wide <= width {
            used += wide;
            spans.extend([Span::raw(" ".repeat(gap)), Span::styled(key, state.theme.style("key"))]);
            spans.push(Span::styled(format!(" {words}"), state.theme.style("text_dim")));
        }
    }
    spans
}
