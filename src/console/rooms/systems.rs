//! All systems: what must be there before calls can be made, each with a light, the fact, and the key that mends it.
//! The rows tell most, and are asked again while the room is open; what the network is like a look tells, as doctor
//! takes it. The first thing an empty installation shows.

use chrono::{DateTime, Duration, Utc};
use ratatui::{
    Frame,
    layout::{Position, Rect},
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr;

use crate::{
    console::{
        keys::{Action, Group, Pane},
        message::{Effect, Msg},
        place::{Next, Room},
        question::{Answer, Question},
        setup::{Done, Setup},
        state::State,
        widgets::{bar, boxed, cut, empty, fit, wrapped},
    },
    domain::system::{Light, Mend, System},
};

#[derive(Default)]
pub struct Systems {
    /// As the rows have it.
    rows: Option<Vec<System>>,
    /// What the last look at the network found, and when.
    look: Option<(DateTime<Utc>, Vec<System>)>,
    /// Which line the cursor stands on: the name, and the how-manieth of that name.
    at: Option<(&'static str, usize)>,
    asked: Option<DateTime<Utc>>,
}

/// The rows are asked no more often.
const REST: Duration = Duration::seconds(2);

/// What becomes of a check of the network among the lines of the rows.
enum Merge {
    /// It knows better than the line of this name.
    Instead(&'static str),
    /// A line of its own.
    Beside(&'static str),
    /// A line of its own if something is wrong.
    IfWrong(&'static str),
    /// The rows tell it.
    Never,
}

const MERGES: &[(&str, Merge)] = &[
    ("configuration", Merge::IfWrong("settings")),
    ("files", Merge::IfWrong("files")),
    ("database", Merge::IfWrong("database")),
    ("dialling", Merge::Never),
    ("LiveKit", Merge::Instead("LiveKit")),
    ("clock", Merge::Instead("clock")),
    ("SIP", Merge::Beside("SIP")),
    ("numbers and trunks", Merge::IfWrong("trunk")),
    ("calls that come in", Merge::IfWrong("way in")),
    ("last dials", Merge::IfWrong("last dials")),
    ("agent worker", Merge::Instead("agent worker")),
    ("public URL", Merge::IfWrong("hooks")),
    ("Twilio", Merge::IfWrong("Twilio")),
    ("campaigns", Merge::Never),
];

impl Systems {
    /// The lines as they are shown: of the rows, with what the look knows better in its place.
    fn lines(&self) -> Vec<System> {
        let mut lines = self.rows.clone().unwrap_or_default();
        let Some((_, look)) = &self.look else { return lines };
        for (check, merge) in MERGES {
            let found = || look.iter().filter(|s| s.name == *check);
            // That LiveKit is not set its own line says.
            let wrong = |s: &&System| s.light != Light::Good && s.mend != Some(Mend::SetLiveKit);
            let (name, new): (&'static str, Vec<System>) = match merge {
                Merge::Never => continue,
                Merge::Instead(name) if found().next().is_none() => (name, Vec::new()),
                Merge::Instead(name) => {
                    let at = lines.iter().position(|l| l.name == *name).unwrap_or(lines.len());
                    lines.retain(|l| l.name != *name);
                    let at = at.min(lines.len());
                    lines.splice(at..at, found().map(|s| System { name, ..s.clone() }));
                    continue;
                }
                Merge::Beside(name) => (name, found().cloned().collect()),
                Merge::IfWrong(name) => (name, found().filter(wrong).cloned().collect()),
            };
            // What is said of one thing stands together; of what has no line yet, before the contacts.
            let after = lines.iter().rposition(|l| l.name == name).map(|i| i + 1);
            let at = after.or_else(|| lines.iter().position(|l| l.name == "contacts")).unwrap_or(lines.len());
            lines.splice(at..at, new.into_iter().map(|s| System { name, ..s }));
        }
        lines
    }

    fn selected(&self, lines: &[System]) -> Option<usize> {
        let (name, nth) = self.at?;
        lines.iter().enumerate().filter(|(_, l)| l.name == name).map(|(i, _)| i).nth(nth)
    }
}

impl Room for Systems {
    fn pane(&self) -> Pane {
        Pane::Systems
    }

    fn tab(&self, state: &State) -> String {
        format!("{} All systems", state.keys.name(Action::Focus(Pane::Systems)))
    }

    /// As many as always have room, wherever the list begins.
    fn rows(&self, state: &State, area: Rect, _whole: bool) -> usize {
        let (width, height) = (usize::from(area.width.saturating_sub(2)), usize::from(area.height.saturating_sub(2 + below(area))));
        let heights: Vec<usize> = self.lines().iter().map(|l| written(state, l, width).len()).collect();
        let fits = |n: &usize| heights.windows(*n).all(|w| w.iter().sum::<usize>() <= height);
        (1..=heights.len()).rev().find(fits).unwrap_or(1)
    }

    /// No taller than what it holds.
    fn frame(&self, state: &State, area: Rect, _whole: bool) -> Rect {
        let width = usize::from(area.width.saturating_sub(2));
        let rows: usize = self.lines().iter().map(|l| written(state, l, width).len()).sum();
        Rect { height: area.height.saturating_sub(below(area)).min(u16::try_from(rows.max(1) + 2).unwrap_or(u16::MAX)), ..area }
    }

    /// Lines take several rows, from the top.
    fn line_at(&self, state: &State, area: Rect, whole: bool, at: Position) -> Option<usize> {
        let area = self.frame(state, area, whole);
        let width = usize::from(area.width.saturating_sub(2));
        let top = state.sight.get(&Pane::Systems).map_or(0, |s| s.0);
        let mut y = usize::from(area.y) + 1;
        let below = area.bottom().saturating_sub(1);
        let line = self.lines().iter().skip(top).position(|l| {
            y += written(state, l, width).len();
            usize::from(at.y) < y
        });
        line.filter(|_| at.y > area.y && at.y < below)
    }

    fn list(&self, _state: &State) -> (Option<usize>, usize) {
        let lines = self.lines();
        (self.selected(&lines), lines.len())
    }

    fn put(&mut self, _state: &mut State, row: usize) {
        let lines = self.lines();
        self.at = lines.get(row).map(|l| (l.name, lines[..row].iter().filter(|b| b.name == l.name).count()));
    }

    fn enter(&mut self, _state: &mut State) -> Option<Next> {
        let lines = self.lines();
        let mend = self.selected(&lines).and_then(|i| lines[i].mend);
        Some(Next::Then(action(mend.unwrap_or(Mend::ReadOn))))
    }

    fn offers(&self) -> &'static [Action] {
        OFFERS
    }

    fn in_full(&self, state: &State) -> Vec<String> {
        let mut all = Vec::new();
        for line in self.lines() {
            all.push(format!("{} {}{}", light(line.light).0, fit(line.name, NAME), line.fact));
            if !line.way_out.is_empty() {
                all.push(format!("   {}", line.way_out));
            }
        }
        let Some((at, look)) = &self.look else { return all };
        let at = at.with_timezone(&state.options.zone).format("%H:%M:%S %Z");
        all.extend([String::new(), format!("The look at the network, {at}, in full:")]);
        for s in look {
            all.push(format!("{} {}: {}", light(s.light).0, s.name, s.fact));
            if !s.way_out.is_empty() {
                all.push(format!("   {}", s.way_out));
            }
        }
        all
    }

    fn groups(&self) -> &'static [Group] {
        &[Group::Systems, Group::Rooms, Group::Everything]
    }

    fn entered(&mut self, state: &mut State) -> Vec<Effect> {
        self.asked = None;
        self.asks(state)
    }

    fn asks(&mut self, state: &mut State) -> Vec<Effect> {
        if self.asked.is_some_and(|t| state.now - t < REST) {
            return Vec::new();
        }
        self.asked = Some(state.now);
        vec![Effect::Ask(Question::Systems)]
    }

    fn told(&mut self, state: &mut State, msg: &Msg) {
        match msg {
            Msg::Answer(Question::Systems, Ok(Answer::Systems(rows))) => {
                let first = self.rows.replace(rows.clone()).is_none();
                // The first key needed is under the cursor.
                let lines = self.lines();
                if let Some(at) = lines.iter().position(|l| l.light != Light::Good).filter(|_| first) {
                    self.put(state, at);
                }
            }
            Msg::Setup(Setup::Look, Ok(Done::Looked(look))) => {
                let mut look = look.clone();
                // Of a network that is not there nothing is to be mended.
                look.retain(|s| !state.options.simulated || s.light != Light::Warning);
                self.look = Some((state.now, look));
            }
            // What the look found before it is not so any more.
            Msg::Setup(setup, Ok(_)) if setup.has_dialog() => (self.asked, self.look) = (None, None),
            Msg::Setup(_, Ok(_)) => self.asked = None,
            _ => {}
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect, _whole: bool) {
        let title = self.title(state);
        let whole = area;
        let area = self.frame(state, area, true);
        let foot = Rect { y: area.bottom(), height: below(whole).min(whole.bottom().saturating_sub(area.bottom())), ..whole };
        frame.render_widget(Paragraph::new(legend(state, usize::from(whole.width))), foot);
        let inside = boxed(frame, &state.theme, area, true, &title, &self.corner(state));
        if self.rows.is_none() {
            return empty(frame, &state.theme, inside, "looking...");
        }
        let lines = self.lines();
        let selected = self.selected(&lines);
        let top = state.sight.get(&Pane::Systems).map_or(0, |s| s.0);
        let mut y = inside.y;
        for (i, line) in lines.iter().enumerate().skip(top) {
            let text = written(state, line, usize::from(inside.width));
            let rows = u16::try_from(text.len()).unwrap_or(1).min(inside.bottom().saturating_sub(y));
            if rows == 0 {
                return;
            }
            let place = Rect { y, height: rows, ..inside };
            frame.render_widget(Paragraph::new(text), place);
            if Some(i) == selected {
                bar(frame, &state.theme, place);
            }
            y += rows;
        }
    }
}

impl Systems {
    /// What they come to: whether a shift may begin.
    fn title(&self, state: &State) -> String {
        let key = state.keys.name(Action::Focus(Pane::Systems));
        let lines = self.lines();
        let bad = lines.iter().filter(|l| l.light == Light::Bad).count();
        let missing = lines.iter().filter(|l| l.light == Light::Unset).count();
        match (lines.len(), bad, missing) {
            (0, ..) => format!("{key} All systems"),
            (n, 0, 0) if lines.iter().all(|l| l.light == Light::Good) => format!("{key} Ready to call: all {n} well"),
            (_, 0, 0) => format!("{key} Ready to call, {} to look at", lines.iter().filter(|l| l.light == Light::Warning).count()),
            (_, 0, n) => format!("{key} Ready to call? {n} not there yet"),
            (_, n, 0) => format!("{key} Ready to call? {n} in the way"),
            (_, n, to_do) => format!("{key} Ready to call? {n} in the way, {to_do} to do"),
        }
    }

    /// When the network was looked at, and the keys.
    fn corner(&self, state: &State) -> String {
        let key = |mend| state.keys.name(Action::Mend(mend));
        let look = match &self.look {
            _ if state.looking => "looking at the network...".to_owned(),
            None => format!("{} looks at the network", key(Mend::Look)),
            Some((at, _)) => format!("looked at {}, {} looks again", at.with_timezone(&state.options.zone).format("%H:%M"), key(Mend::Look)),
        };
        format!("{look}  {} all details", key(Mend::ReadOn))
    }
}

const OFFERS: &[Action] = &[
    Action::Enter,
    Action::Mend(Mend::Look),
    Action::Mend(Mend::ReadOn),
    Action::Mend(Mend::SetLiveKit),
    Action::Mend(Mend::AddAssistant),
    Action::Mend(Mend::AssignNumber),
    Action::Import,
    Action::New,
    Action::Mend(Mend::StartCampaign),
    Action::Mend(Mend::OpenPlace),
];

/// Rows below the frame: of a low screen the lines have all.
fn below(area: Rect) -> u16 {
    const TALL: u16 = 18;
    u16::from(area.height >= TALL)
}

/// What the lights mean for whoever asks whether a shift may begin.
fn legend(state: &State, width: usize) -> Line<'static> {
    let long = ["stops all calls", "calls are made; look at it", "not there yet", "works"];
    let words = if width < 76 { ["no calls", "look at it", "not yet", "works"] } else { long };
    let lights = [Light::Bad, Light::Warning, Light::Unset, Light::Good];
    let mut spans = Vec::new();
    for (of, words) in lights.into_iter().zip(words) {
        let (glyph, role) = light(of);
        spans.push(Span::styled(format!("  {glyph}"), state.theme.style(role)));
        spans.push(Span::styled(format!(" {words} "), state.theme.style("text_dim")));
    }
    Line::from(spans)
}

/// What the key of a line does.
fn action(mend: Mend) -> Action {
    match mend {
        Mend::ImportContacts => Action::Import,
        Mend::NewCampaign => Action::New,
        Mend::ReleaseKillSwitch => Action::Release,
        other => Action::Mend(other),
    }
}

fn light(light: Light) -> (&'static str, &'static str) {
    match light {
        Light::Good => ("●", "success"),
        Light::Unset => ("○", "text_dim"),
        Light::Warning => ("!", "warn"),
        Light::Bad => ("✗", "error"),
    }
}

/// Cells of the names, and of the way out where it stands beside the fact.
const NAME: usize = 14;
const WAY_OUT: usize = 38;
/// From here it does.
const WIDE: usize = 98;

/// A line as it is written, on as many as it needs: nothing of it is cut.
fn written(state: &State, s: &System, width: usize) -> Vec<Line<'static>> {
    let style = |role: &str| state.theme.style(role);
    let (glyph, role) = light(s.light);
    let (key, way_out) = way_out(state, s);
    let wide = width >= WIDE;
    // Without a way out the fact has all the room.
    let aside = if wide && !way_out.is_empty() { WAY_OUT } else { 0 };
    let left = 3 + NAME;
    let room = width.saturating_sub(left + aside + 1).max(10);
    let fact = wrapped(&s.fact, room);
    let beside = key.width().max(1) + 2;
    let way =
        if way_out.is_empty() { Vec::new() } else { wrapped(&way_out, if wide { WAY_OUT.saturating_sub(beside + 1) } else { room.saturating_sub(beside) }) };
    let head = |i: usize| {
        let (glyph, name) = if i == 0 { (glyph, cut(s.name, NAME - 1)) } else { (" ", String::new()) };
        vec![Span::raw(" "), Span::styled(format!("{glyph} "), style(role)), Span::styled(fit(&name, NAME), style("text"))]
    };
    let way_spans = |i: usize| {
        let shown = if i == 0 { fit(&key, beside) } else { " ".repeat(beside) };
        let words = way.get(i).cloned().unwrap_or_default();
        vec![Span::styled(if words.is_empty() { String::new() } else { shown }, style("key")), Span::styled(words, style("text_dim"))]
    };
    let fact_role = if s.light == Light::Bad { "error" } else { "text" };
    if wide {
        return (0..fact.len().max(way.len()).max(1))
            .map(|i| {
                let mut spans = head(i);
                spans.push(Span::styled(fit(fact.get(i).map_or("", String::as_str), room + 1), style(fact_role)));
                spans.extend(way_spans(i));
                Line::from(spans)
            })
            .collect();
    }
    let facts = fact.iter().enumerate().map(|(i, text)| {
        let mut spans = head(i);
        spans.push(Span::styled(text.clone(), style(fact_role)));
        Line::from(spans)
    });
    let ways = (0..way.len()).map(|i| {
        let mut spans = head(1);
        spans.extend(way_spans(i));
        Line::from(spans)
    });
    facts.chain(ways).collect()
}

/// The key that mends it, and what it does, in the words of a screen.
fn way_out(state: &State, s: &System) -> (String, String) {
    let Some(mend) = s.mend else { return (String::new(), String::new()) };
    let key = state.keys.name(action(mend));
    // Doctor speaks to whoever has a shell; here is a key.
    let words = match mend {
        Mend::SetLiveKit if s.way_out.contains("LIVEKIT_") => "set host, key and secret",
        Mend::AssignNumber if s.way_out.contains('`') => "assign the number again",
        Mend::ReadOn => return (String::new(), state.in_keys(&s.way_out)),
        _ => &s.way_out,
    };
    (key, words.to_owned())
}
