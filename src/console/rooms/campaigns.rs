//! Campaigns: which run, how far they are, and what each comes to next. On the whole screen the one under the cursor
//! stands beside them with all that is known of it.

use chrono::{DateTime, Duration, Utc};
use crossterm::event::KeyEvent;
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::Span,
};
use unicode_width::UnicodeWidthStr;

use super::{campaign, trend};
use crate::{
    console::{
        charts, dialogs,
        keys::{self, Action, Group, Pane},
        lists::{Column, List},
        message::{Effect, Msg},
        place::{Next, Room},
        possible,
        question::{Answer, Question},
        snapshot::CampaignView,
        state::{BESIDE, State},
        widgets::{Row, boxed, empty, fit, head},
    },
    desk::{self, CampaignRoom},
    domain::{campaign::Status, id::CampaignId, text::clean},
};

/// What is known of the campaign under the cursor, and when it was asked.
#[derive(Default)]
pub struct Campaigns {
    known: Option<Box<CampaignRoom>>,
    asked: Option<(CampaignId, DateTime<Utc>)>,
    waits: bool,
    /// How long its answer is good for.
    rest: Duration,
}

/// A campaign is not asked about again sooner: its figures are of minutes. Where the answer took long (a list of a
/// million), not before so many times that.
const REST: Duration = Duration::seconds(3);
const SHARE: i32 = 20;

impl Room for Campaigns {
    fn pane(&self) -> Pane {
        Pane::Campaigns
    }

    fn tab(&self, state: &State) -> String {
        format!("{} Campaigns {}", state.keys.name(Action::Focus(Pane::Campaigns)), state.data.campaigns.len())
    }

    fn rows(&self, state: &State, area: Rect, whole: bool) -> usize {
        usize::from(self.frame(state, area, whole).height.saturating_sub(3))
    }

    fn frame(&self, state: &State, area: Rect, whole: bool) -> Rect {
        if !whole {
            return area;
        }
        let (list, room) = split(state, area);
        with_hour(state, list, room.is_some()).0
    }

    fn list(&self, state: &State) -> (Option<usize>, usize) {
        let all = state.campaign_rows();
        (all.iter().position(|c| Some(c.row.id) == state.campaign), all.len())
    }

    fn put(&mut self, state: &mut State, row: usize) {
        state.campaign = state.campaign_rows().get(row).map(|c| c.row.id);
    }

    fn enter(&mut self, state: &mut State) -> Option<Next> {
        if !state.zoom && state.campaign.is_some() {
            return Some(Next::Then(Action::Zoom));
        }
        Some(Next::Then(Action::Why))
    }

    fn offers(&self) -> &'static [Action] {
        &[Action::Enter, Action::MoreLines, Action::FewerLines, Action::New, Action::Import, Action::Delete, Action::Undo]
    }

    fn groups(&self) -> &'static [Group] {
        &[Group::Campaign, Group::Everything]
    }

    /// The key that queues one call again queues many here.
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Option<Vec<Effect>> {
        if state.keys.action(&key, state.scope()) != Some(Action::Again) {
            return None;
        }
        match keys::row(Action::Recycle).map(|row| possible::now(state, row)) {
            Some(Err(why)) => state.hint(why),
            _ => {
                if let Some(c) = state.target_campaign() {
                    let (id, name) = (c.row.id, c.row.name.clone());
                    state.open(dialogs::Recycle::new(id, name));
                    return Some(vec![Effect::Ask(Question::Rounds(id))]);
                }
            }
        }
        Some(Vec::new())
    }

    fn told(&mut self, state: &mut State, msg: &Msg) {
        let Msg::Answer(Question::Campaign(id), answer) = msg else { return };
        if self.asked.is_none_or(|(of, _)| of != *id) {
            return;
        }
        self.waits = false;
        let took = self.asked.filter(|_| answer.is_ok()).map_or_else(Duration::zero, |(_, at)| state.now - at);
        self.rest = REST.max(took * SHARE);
        self.asked = Some((*id, state.now));
        if let Ok(Answer::Campaign(room)) = answer {
            self.known.clone_from(room);
        }
    }

    /// Asks about the campaign under the cursor, and again when rows have changed.
    fn asks(&mut self, state: &mut State) -> Vec<Effect> {
        let Some(id) = state.campaign.filter(|_| state.zoom) else { return Vec::new() };
        let same = self.asked.filter(|(of, _)| *of == id);
        let fresh = same.is_some_and(|(_, at)| self.waits || state.data.at <= at || state.now - at < self.rest);
        if fresh {
            return Vec::new();
        }
        if same.is_none() {
            state.story.0 = 0;
        }
        (self.asked, self.waits) = (Some((id, state.now)), true);
        vec![Effect::Ask(Question::Campaign(id))]
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect, whole: bool) {
        let (list, room) = if whole { split(state, area) } else { (area, None) };
        let (list, hour) = with_hour(state, list, room.is_some());
        self.draw_list(frame, state, list, room.is_some());
        let Some(area) = room else { return };
        let Some(c) = state.campaign.and_then(|id| state.data.campaign(id)) else {
            let inside = boxed(frame, &state.theme, area, false, "The campaign", "");
            return empty(frame, &state.theme, inside, &format!("{} takes a campaign; all of it stands here.", state.keys.name(Action::Down)));
        };
        let known = self.known.as_deref().filter(|r| r.row.id == c.row.id);
        campaign::draw(frame, state, area, c, known);
        if let Some(area) = hour {
            let figures = known.map(|k| (&k.minutes[..], k.minutes.iter().copied().sum()));
            trend::draw_of(frame, state, area, &format!("The last hour of {}", clean(&c.row.name, 40)), figures);
        }
    }
}

/// The list, and the room of the one under the cursor: beside it, or below where there is no room.
fn split(state: &State, area: Rect) -> (Rect, Option<Rect>) {
    if area.width >= BESIDE {
        let [list, room] = Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(area);
        return (list, Some(room));
    }
    let n = u16::try_from(state.data.campaigns.len()).unwrap_or(u16::MAX).saturating_add(3);
    let [list, room] = Layout::vertical([Constraint::Length(n.clamp(5, (area.height / 3).max(5))), Constraint::Min(0)]).areas(area);
    (list, (room.height > 3).then_some(room))
}

/// Below the list the hour of the campaign under the cursor, where all campaigns have their row.
fn with_hour(state: &State, list: Rect, beside: bool) -> (Rect, Option<Rect>) {
    let rows = u16::try_from(state.data.campaigns.len()).unwrap_or(u16::MAX).saturating_add(4);
    let free = list.height.saturating_sub(rows);
    if !beside || free < LEAST_HOUR {
        return (list, None);
    }
    let [list, hour] = Layout::vertical([Constraint::Min(0), Constraint::Length(free.min(MOST_HOUR))]).areas(list);
    (list, Some(hour))
}

impl Campaigns {
    /// `● Q4 Sales   ████████▌░░░░░  38 %     9   214/500  done about 16:40`
    fn draw_list(&self, frame: &mut Frame<'_>, state: &State, area: Rect, beside: bool) {
        let focused = state.focus == Pane::Campaigns;
        let all = state.campaign_rows();
        let selected = all.iter().position(|c| Some(c.row.id) == state.campaign);
        let corner = selected.map_or_else(|| all.len().to_string(), |i| format!("{}/{}", i + 1, all.len()));
        let inside = boxed(frame, &state.theme, area, focused, &self.tab(state), &corner);
        if all.is_empty() {
            return empty(frame, &state.theme, inside, &none(state));
        }
        let columns = Columns::of(&all, usize::from(inside.width), state.lists.of(Pane::Campaigns), beside);
        let body = head(frame, &state.theme, inside, &columns.head());
        let top = state.sight.get(&Pane::Campaigns).map_or(0, |s| s.0);
        for (i, c) in all.into_iter().enumerate().skip(top).take(usize::from(body.height)) {
            let row = Row { spans: columns.spans(state, c), selected: Some(i) == selected, marked: false, focused };
            row.draw(frame, &state.theme, body, i - top);
        }
    }
}

fn none(state: &State) -> String {
    if !state.loaded {
        return "loading...".to_owned();
    }
    let (all, filter) = (state.data.campaigns.len(), &state.lists.of(Pane::Campaigns).filter);
    if all > 0 {
        return format!("0 of {all} match \"{filter}\". Esc clears");
    }
    let (new, import) = (state.keys.name(Action::New), state.keys.name(Action::Import));
    format!("No campaigns yet. {import} imports contacts, {new} makes a campaign")
}

/// Widths: the name has what the longest needs; the bar and the day drop where there is no room, and what the
/// operator left out.
struct Columns {
    name: usize,
    bar: usize,
    done: usize,
    live: usize,
    today: usize,
    next: usize,
}

/// Glyph and gaps.
const FIXED: usize = 2 + 2;
const DONE: usize = 6;
const LIVE: usize = 5;
const TODAY: usize = 10;
const LEAST_BAR: usize = 6;
/// `1 h of calling left` with the gap before it.
const LEAST_NEXT: usize = 21;
/// Rows of the hour below.
const LEAST_HOUR: u16 = 8;
const MOST_HOUR: u16 = 14;

impl Columns {
    /// `beside`: the day of the one under the cursor is said in the room beside, so names and bars go before it.
    fn of(all: &[&CampaignView], width: usize, list: &List, beside: bool) -> Self {
        let longest = all.iter().take(200).map(|c| c.row.name.width()).max().unwrap_or(10).clamp(8, 40);
        let wanted = |column, width| if list.shows(column) { width } else { 0 };
        let (done, live, least) = (wanted(Column::Done, DONE), wanted(Column::Live, LIVE), wanted(Column::Hours, LEAST_NEXT));
        let room = width.saturating_sub(FIXED + 1 + done + live);
        let needs = TODAY + least + if beside { longest + 1 + LEAST_BAR } else { 8 };
        let today = if room >= needs { wanted(Column::Today, TODAY) } else { 0 };
        let left = room.saturating_sub(today + least);
        let name = longest.min(left).max(8);
        let bar = match left.saturating_sub(name) {
            LEAST_BAR.. if done > 0 => (left - name - 1).min(14),
            _ => 0,
        };
        let next = if least > 0 { room.saturating_sub(today + name + if bar > 0 { bar + 1 } else { 0 }) } else { 0 };
        Self { name, bar, done, live, today, next }
    }

    fn head(&self) -> String {
        let right = |text: &str, width: usize| if width > 0 { format!("{text:>width$}") } else { String::new() };
        let bar = if self.bar > 0 { fit("contacts", self.bar + 1) } else { String::new() };
        let figures = [right("done", self.done), right("live", self.live), right("today", self.today)].concat();
        format!("  {} {bar}{figures}  {}", fit("campaign", self.name), fit("next", self.next.saturating_sub(2)))
    }

    fn spans(&self, state: &State, c: &CampaignView) -> Vec<Span<'static>> {
        let (glyph, role) = sign(state, c);
        let n = &c.row.counts;
        let people = state.data.people(c);
        let done = people.done_percent().unwrap_or(0);
        let text = state.theme.style(if c.row.execution_status == Status::Completed { "text_faint" } else { "text" });
        let mut spans =
            vec![Span::styled(format!("{glyph} "), state.theme.style(role)), Span::styled(format!("{} ", fit(&clean(&c.row.name, 80), self.name)), text)];
        if self.bar > 0 {
            let (filled, track) = charts::gauge_parts(self.bar, charts::share(people.done(), people.contacts), &state.theme.symbols);
            spans.extend([Span::styled(filled, state.theme.style(role)), Span::styled(format!("{track} "), state.theme.style("border"))]);
        }
        let figures = [(self.done, format!("{done} %")), (self.live, n.live.to_string()), (self.today, format!("{}/{}", c.used_today, c.row.daily_cap))];
        for (width, figure) in figures.into_iter().filter(|(width, _)| *width > 0) {
            spans.push(Span::styled(format!("{figure:>width$}"), text));
        }
        let (words, role) = next(state, c);
        spans.push(Span::styled(format!("  {}", fit(&words, self.next.saturating_sub(2))), state.theme.style(role)));
        spans
    }
}

/// Its state; of one that runs and dials nobody now, that it waits.
pub fn sign<'a>(state: &'a State, c: &CampaignView) -> (&'a str, &'static str) {
    let next = state.data.head.as_ref().and_then(|h| h.next.get(&c.row.id));
    let waits = state.data.kill_switch || state.leaving.is_some() || matches!(next, Some(desk::Next::Waits(..))) || (next.is_none() && !c.open);
    match c.row.execution_status {
        Status::Running if waits && c.row.counts.live == 0 => (&state.theme.symbols.paused, "warn"),
        // Not the sign of what is done.
        Status::Completed if c.row.was_stopped() => (&state.theme.symbols.idle, "text_faint"),
        status => glyph(state, status),
    }
}

pub fn glyph(state: &State, status: Status) -> (&str, &'static str) {
    let symbols = &state.theme.symbols;
    match status {
        Status::Running => (&symbols.running, "state_running"),
        Status::Paused => (&symbols.paused, "state_paused"),
        Status::Idle => (&symbols.idle, "state_idle"),
        Status::Completed => (&symbols.completed, "state_completed"),
        Status::Error => (&symbols.error, "state_error"),
    }
}

/// What it comes to next, or why it stands, in a few words, and their role.
pub fn next(state: &State, c: &CampaignView) -> (String, &'static str) {
    if let Some(words) = state.pending.get(&c.row.id) {
        return ((*words).to_owned(), "warn");
    }
    let row = &c.row;
    let by = || {
        let at = row.status_at.with_timezone(&state.options.zone);
        let day = if state.now - row.status_at < Duration::hours(20) { "%H:%M" } else { "%-d %b" };
        format!("{} {}", clean(&row.status_actor, 20), at.format(day))
    };
    match row.execution_status {
        Status::Running => running(state, c),
        Status::Paused if row.status_actor == "breaker" => (format!("breaker: {}", row.status_reason), "error"),
        Status::Paused if row.status_actor.is_empty() => ("paused".to_owned(), "state_paused"),
        Status::Paused => (format!("paused, {}", by()), "state_paused"),
        Status::Error => (row.status_reason.clone(), "error"),
        Status::Completed if row.was_stopped() => (format!("stopped, {}", by()), "text_faint"),
        Status::Completed => ("done".to_owned(), "text_faint"),
        Status::Idle if row.manual => ("single calls".to_owned(), "text_faint"),
        Status::Idle => ("not started".to_owned(), "text_dim"),
    }
}

fn running(state: &State, c: &CampaignView) -> (String, &'static str) {
    let next = state.data.head.as_ref().and_then(|h| h.next.get(&c.row.id));
    let zone = c.row.zone();
    // Whose clock, where it is not the screen's; the day, where it is not today.
    let at = |t: DateTime<Utc>| {
        let there = t.with_timezone(&zone);
        let same_day = there.date_naive() == state.now.with_timezone(&zone).date_naive();
        let same_clock = there.naive_local() == t.with_timezone(&state.options.zone).naive_local();
        let day = if same_day { "" } else { "%a " };
        there.format(&format!("{day}%H:%M{}", if same_clock { "" } else { " %Z" })).to_string()
    };
    let opens = |t: Option<DateTime<Utc>>, words: &str| t.map_or_else(|| words.to_owned(), |t| format!("opens {}", at(t)));
    match next {
        _ if state.leaving.is_some() => ("this screen is ending".to_owned(), "warn"),
        _ if state.data.kill_switch => ("kill switch is on".to_owned(), "error"),
        None if !c.open => (opens(c.row.window().next_open(zone, state.now), "closed"), "text_dim"),
        None => ("running".to_owned(), "text_dim"),
        Some(desk::Next::Begins) => ("calls begin".to_owned(), "text_dim"),
        Some(desk::Next::Done(t)) => (format!("done about {}", at(*t)), "text_dim"),
        Some(desk::Next::Cap(t)) => (format!("cap about {}", at(*t)), "text_dim"),
        Some(desk::Next::Lasts(left)) => (lasts(*left), "text_dim"),
        Some(desk::Next::Braked) => ("one at a time: no agent came".to_owned(), "warn"),
        Some(desk::Next::Waits(gate, until)) => waits(gate, *until, &opens, &at),
    }
}

/// How much calling is left, where the day is too short for it.
pub(super) fn lasts(left: Duration) -> String {
    match left.num_hours() {
        h @ 0..48 => format!("{} h of calling left", h.max(1)),
        h => format!("{} days of calling left", h / 24),
    }
}

type Opens<'a> = &'a dyn Fn(Option<DateTime<Utc>>, &str) -> String;

/// A gate in the words of whoever looks at the board; `w` has them all.
fn waits(gate: &str, until: Option<DateTime<Utc>>, opens: Opens<'_>, at: &dyn Fn(DateTime<Utc>) -> String) -> (String, &'static str) {
    let plain = |words: &str| (words.to_owned(), "warn");
    match gate {
        "hours" => (opens(until, "closed by its hours"), "text_dim"),
        "contact_hours" | "place_closed" => (opens(until, "closed by law"), "text_dim"),
        "daily_cap" => (until.map_or_else(|| "cap reached".to_owned(), |t| format!("cap reached, {}", at(t))), "text_dim"),
        "retry" | "attempts_24h" | "frequency" | "rest" | "number_busy" => {
            (until.map_or_else(|| "tries again later".to_owned(), |t| format!("tries again {}", at(t))), "text_dim")
        }
        "done" => ("the last calls".to_owned(), "text_dim"),
        "agent" => plain("no agent comes"),
        "kill_switch" => plain("kill switch is on"),
        "terms" => plain("terms not accepted"),
        "engine" => plain("nothing dials: see above"),
        "trunk" => plain("its number has no trunk"),
        "script" => plain("has no script"),
        "national_list" => plain("needs a newer national list"),
        _ => plain("waits: w says why"),
    }
}
