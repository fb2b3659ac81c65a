//! One campaign, with all that is known of it: its contacts as one bar, who may be called when, what hours answer,
//! outcomes, the day, and what holds it.

use chrono::{DateTime, Utc};
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::Paragraph,
};

use super::{
    campaigns::{lasts, next, sign},
    outcomes,
};
use crate::{
    console::{
        charts,
        keys::Action,
        rows::count,
        snapshot::CampaignView,
        state::State,
        text::cities,
        widgets::{boxed, fit, wrapped},
    },
    desk::{self, Bar, CampaignRoom, HourRate},
    domain::{campaign::Status, text::clean, zone},
};

/// Cells of the labels at the left.
const LABEL: usize = 12;
/// Rows of the hours' bars.
const HOUR_ROWS: usize = 2;
/// Zones that are listed.
const ZONES: usize = 6;

pub fn draw(frame: &mut Frame<'_>, state: &State, area: Rect, c: &CampaignView, known: Option<&CampaignRoom>) {
    let key = |action| state.keys.name(action);
    let scroll = format!("{} {} scroll", key(Action::StoryDown), key(Action::StoryUp));
    let corner = format!("{scroll}  {} edit  {} {} lines  {} recycle", key(Action::Edit), key(Action::MoreLines), key(Action::FewerLines), key(Action::Again));
    let inside = boxed(frame, &state.theme, area, false, &clean(&c.row.name, 80), &corner);
    let mut page = Page { state, width: usize::from(inside.width).saturating_sub(1), lines: Vec::new() };
    page.standing(c);
    match known {
        Some(room) => page.room(c, room),
        None => page.words("loading...", "text_faint"),
    }
    let most = page.lines.len().saturating_sub(usize::from(inside.height));
    state.story.1.set(most);
    frame.render_widget(Paragraph::new(page.lines.split_off(state.story.0.min(most))), inside);
}

/// Lines as they are written, from the top.
struct Page<'a> {
    state: &'a State,
    width: usize,
    lines: Vec<Line<'static>>,
}

impl Page<'_> {
    fn words(&mut self, text: &str, role: &str) {
        let style = self.state.theme.style(role);
        self.lines.extend(wrapped(text, self.width.saturating_sub(1)).into_iter().map(|l| Line::from(Span::styled(format!(" {l}"), style))));
    }

    fn labelled(&mut self, label: &str, text: &str, role: &str) {
        let (dim, style) = (self.state.theme.style("text_dim"), self.state.theme.style(role));
        for (i, line) in wrapped(text, self.width.saturating_sub(LABEL + 1)).into_iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            self.lines.push(Line::from(vec![Span::styled(format!(" {}", fit(label, LABEL)), dim), Span::styled(line, style)]));
        }
    }

    /// A moment on the campaign's clock, which it names.
    fn at(&self, c: &CampaignView, t: DateTime<Utc>) -> String {
        let (there, now) = (t.with_timezone(&c.row.zone()), self.state.now.with_timezone(&c.row.zone()));
        there.format(if there.date_naive() == now.date_naive() { "%H:%M %Z" } else { "%a %H:%M %Z" }).to_string()
    }

    /// How it stands, by whom, and what it comes to next.
    fn standing(&mut self, c: &CampaignView) {
        let (glyph, role) = sign(self.state, c);
        let (words, of_next) = next(self.state, c);
        let status = if c.row.was_stopped() { "stopped" } else { c.row.execution_status.as_str() };
        let mut line = vec![Span::styled(format!(" {glyph} {status}"), self.state.theme.style(role))];
        if words != status {
            let room = self.width.saturating_sub(status.len() + 7);
            line.push(Span::styled(format!("   {}", fit(&words, room)), self.state.theme.style(of_next)));
        }
        self.lines.push(Line::from(line));
        let row = &c.row;
        let hours = format!("{}, {}", row.window().words(), zone::label(&row.timezone));
        self.labelled("Calls", &format!("{hours}, {} at once, {} apart", count(row.max_concurrent, "line"), apart(row.call_delay_ms)), "text");
    }

    fn room(&mut self, c: &CampaignView, room: &CampaignRoom) {
        let head = self.state.data.head.as_ref();
        // As its row in the list says: two figures of one thing are one too many.
        let people = head.and_then(|h| h.people.get(&c.row.id)).copied().unwrap_or(room.bar.people);
        self.bar(&Bar { people, closed_by_law: room.bar.closed_by_law.min(people.waiting), ..room.bar });
        self.when(c, room);
        self.day(c, room);
        self.holds(room);
        self.lines.push(Line::default());
        self.lines.extend(outcomes::bars(self.state, &room.outcomes, self.width));
        self.hours(&room.hours);
    }

    /// All contacts as one bar, and what its parts are.
    fn bar(&mut self, bar: &Bar) {
        let symbols = self.state.theme.symbols.clone();
        // One block beside another is told by its colour; without any by its glyph.
        let on_line = if self.state.theme.mono && symbols.on_line == symbols.called { "▓".into() } else { symbols.on_line };
        let p = &bar.people;
        let parts = [
            ("called", p.called, symbols.called, "state_completed"),
            ("on the line", p.on_the_line, on_line, "call_answered"),
            ("waiting", p.waiting - bar.closed_by_law, symbols.waits.clone(), "info"),
            ("closed by law", bar.closed_by_law, symbols.closed, "warn"),
            ("left by the stop", p.stopped, symbols.waits, "text_dim"),
            ("do not call", p.do_not_call, symbols.refused.clone(), "outcome_do_not_call"),
            ("turned away", p.turned_away, symbols.refused, "warn"),
            ("not reached", p.not_reached, symbols.spent, "text_faint"),
        ];
        self.labelled("Contacts", &in_list(bar), "text");
        let cells = charts::parts(self.width.saturating_sub(2), &parts.each_ref().map(|p| p.1));
        let mut line = vec![Span::raw(" ")];
        line.extend(parts.iter().zip(cells).map(|((_, _, glyph, role), n)| Span::styled(glyph.repeat(n), self.state.theme.style(role))));
        self.lines.push(Line::from(line));
        let mut legend: Vec<Vec<Span<'static>>> = Vec::new();
        for (name, n, glyph, role) in parts.iter().filter(|p| p.1 > 0) {
            legend.push(vec![
                Span::styled(format!("{glyph} "), self.state.theme.style(role)),
                Span::styled(format!("{n} {name}"), self.state.theme.style("text")),
            ]);
        }
        self.flow(legend);
    }

    /// Pieces one after the other, on as many lines as they need.
    fn flow(&mut self, pieces: Vec<Vec<Span<'static>>>) {
        let (mut line, mut used) = (Vec::new(), 0);
        for piece in pieces {
            let wide: usize = piece.iter().map(Span::width).sum::<usize>() + 3;
            if used > 0 && used + wide > self.width {
                self.lines.push(Line::from(std::mem::take(&mut line)));
                used = 0;
            }
            line.push(Span::raw(if used == 0 { " " } else { "   " }));
            line.extend(piece);
            used += wide;
        }
        if !line.is_empty() {
            self.lines.push(Line::from(line));
        }
    }

    /// Who may be called now, and when the others.
    fn when(&mut self, c: &CampaignView, room: &CampaignRoom) {
        let (waiting, why) = (&room.why.waiting, &room.why);
        self.lines.push(Line::default());
        let until = why.until.map_or_else(String::new, |t| format!(", until {}", self.at(c, t)));
        let later = match waiting.later - waiting.closed() {
            0 => String::new(),
            n => format!(", {n} again later"),
        };
        let now = if why.goes() {
            format!("{} can be called now{later}; {}{until}", count(waiting.dialable_now, "contact"), why.message)
        } else {
            let and = if why.obstacles.len() > 1 { format!(", and {} more in the way", why.obstacles.len() - 1) } else { String::new() };
            let key = self.state.keys.name(Action::Why);
            format!("nobody: {}{until}{and} ({key}). {} could be called by the law{later}", self.state.in_keys(&why.message), waiting.dialable_now)
        };
        self.labelled("Now", &now, "text");
        let mut zones: Vec<_> = waiting.zones.iter().collect();
        zones.sort_by_key(|z| (z.opens.is_none(), z.opens, std::cmp::Reverse(z.waiting)));
        for (i, z) in zones.iter().take(ZONES).enumerate() {
            let opens = z.when(self.state.now, |t| self.at(c, t));
            let role = if z.lawful { "text" } else { "text_dim" };
            self.counted(if i == 0 { "Places" } else { "" }, z.waiting, &format!("{}  {opens}", cities(&zone::label(&z.zones))), role);
        }
        if zones.len() > ZONES {
            let more = count(i64::try_from(zones.len() - ZONES).unwrap_or(0), "more place");
            self.counted("", zones[ZONES..].iter().map(|z| z.waiting).sum(), &format!("in {more}"), "text_dim");
        }
    }

    fn day(&mut self, c: &CampaignView, room: &CampaignRoom) {
        let ahead = room.why.forecast.cap.filter(|_| c.row.execution_status == Status::Running);
        let cap = ahead.map_or_else(String::new, |t| format!(", its cap about {}", self.at(c, t)));
        let share = |p: Option<f64>| p.map_or_else(String::new, |p| format!(" ({p:.0} %)"));
        let answered = format!("{} answered{}", room.today.answered, share(room.today.answered_percent()));
        self.labelled("Today", &format!("{} of {} dials, {answered}{cap}", room.used_today, c.row.daily_cap), "text");
        // Of the same look at the rows as those of today.
        self.labelled("In all", &format!("{}, {} answered", count(room.row.counts.dials, "dial"), room.row.counts.pickups), "text");
        self.labelled("Done", &self.end(c, room), "text");
    }

    /// When it is through: as its row in the list says, for two figures of one thing are one too many.
    fn end(&self, c: &CampaignView, room: &CampaignRoom) -> String {
        let ahead = &room.why.forecast;
        let none = if ahead.never > 0 { format!("; {} at no hour", count(ahead.never, "contact")) } else { String::new() };
        let about = |t: DateTime<Utc>| format!("about {}, if it goes on like this{none}", self.at(c, t));
        let next = self.state.data.head.as_ref().and_then(|h| h.next.get(&c.row.id));
        match (next, c.row.execution_status, ahead.ends) {
            (Some(desk::Next::Done(t)), ..) => about(*t),
            (Some(desk::Next::Lasts(left)), ..) => lasts(*left),
            (Some(desk::Next::Begins | desk::Next::Braked), ..) | (.., None) => "cannot be reckoned now".to_owned(),
            (_, Status::Running, Some(t)) => about(t),
            _ => "does not run".to_owned(),
        }
    }

    /// How many, and of what; what does not fit goes on below it.
    fn counted(&mut self, label: &str, n: i64, text: &str, role: &str) {
        const NUMBER: usize = 8;
        let (dim, style) = (self.state.theme.style("text_dim"), self.state.theme.style(role));
        for (i, line) in wrapped(text, self.width.saturating_sub(LABEL + 1 + NUMBER)).into_iter().enumerate() {
            let (label, n) = if i == 0 { (label, format!("{n:>6}  ")) } else { ("", " ".repeat(NUMBER)) };
            self.lines.push(Line::from(vec![Span::styled(format!(" {}", fit(label, LABEL)), dim), Span::styled(format!("{n}{line}"), style)]));
        }
    }

    /// Callbacks, breaker and brake.
    fn holds(&mut self, room: &CampaignRoom) {
        let due = &room.callbacks;
        let next = due.next.map_or_else(String::new, |t| format!(", the next {}", t.with_timezone(&self.state.options.zone).format("%a %H:%M")));
        if due.due > 0 || due.next.is_some() {
            self.labelled("Callbacks", &format!("{} due{next}", due.due), if due.due > 0 { "warn" } else { "text" });
        }
        if let Some(words) = &room.breaker {
            self.labelled("Breaker", words, "error");
        }
        if let Some(words) = &room.brake {
            self.labelled("Brake", words, "warn");
        }
    }

    /// What was answered by the hour of the day, in the last two weeks: bars over their hours, all against a hundred.
    fn hours(&mut self, hours: &[HourRate]) {
        let Some((first, last)) = hours.first().zip(hours.last()) else { return };
        let rate = |hour: u32| hours.iter().find(|h| h.hour == hour).and_then(|h| h.pace.answered_percent());
        self.lines.push(Line::default());
        if first.hour == last.hour {
            let share = rate(first.hour).map_or_else(|| "-".to_owned(), |r| format!("{r:.0} %"));
            return self.labelled("By hour", &format!("{:02}:00 to {:02}:00  {share} answered", first.hour, first.hour + 1), "text");
        }
        let all: Vec<u32> = (first.hour..=last.hour).take(self.width.saturating_sub(LABEL + 1) / 4).collect();
        #[expect(clippy::cast_possible_truncation, reason = "a share between 0 and 100")]
        let values: Vec<i64> = all.iter().map(|h| rate(*h).unwrap_or(0.0) as i64).collect();
        let symbols = self.state.theme.symbols.clone();
        for (i, row) in charts::tall(&values, 100, HOUR_ROWS, &symbols).into_iter().enumerate() {
            let bars: String = row.chars().flat_map(|c| [' ', c, c, ' ']).collect();
            self.labelled(if i == 0 { "By hour" } else { "" }, &bars, "spark");
        }
        let names: Vec<String> = all.iter().map(|hour| format!("{hour:>3} ")).collect();
        let rates: String = all.iter().map(|h| rate(*h).map_or_else(|| "  - ".to_owned(), |r| format!("{r:>3.0} "))).collect();
        self.labelled("", &names.concat(), "text_dim");
        self.labelled("answered %", &rates, "text");
    }
}

/// `2 s`, `2.5 s`, `800 ms`.
fn apart(ms: i64) -> String {
    match (ms, ms % 1000) {
        (..1000, _) => format!("{ms} ms"),
        (_, 0) => format!("{} s", ms / 1000),
        (_, rest) => format!("{}.{} s", ms / 1000, format!("{rest:03}").trim_end_matches('0')),
    }
}

/// `1,182 in the list, 11 lines of it refused`.
fn in_list(bar: &Bar) -> String {
    let refused = if bar.invalid > 0 { format!("; {} of the file refused", count(bar.invalid, "line")) } else { String::new() };
    let done = bar.people.done_percent().map_or_else(String::new, |p| format!(", {p} % done"));
    format!("{} in the list{done}{refused}", bar.people.contacts)
}
