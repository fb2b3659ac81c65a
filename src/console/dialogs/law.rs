//! The law of places: what is closed today and by whom, what the table says of a place, and closing and opening one.
//! Nothing of the table can be changed here, and nothing here is legal advice.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::{Frame, layout::Rect};
use tui_input::Input;

use super::fields::{Field, Fields, Went};
use crate::{
    console::{
        message::{Effect, Msg},
        place::{Dialog, Next},
        question::{Answer, LawToday, Question},
        setup::Setup,
        state::State,
        text,
        widgets::{Entry, card},
    },
    domain::{dispatch::Closure, legal, place, schedule, text::clean},
};

enum Stage {
    Find,
    /// Its law is read; a letter closes or opens the place.
    Shown,
    /// Until when, and why.
    Close(Fields),
    /// `y` opens.
    Open,
    Sent,
}

pub struct Law {
    place: Input,
    stage: Stage,
    today: Option<LawToday>,
    error: Option<String>,
}

impl Default for Law {
    fn default() -> Self {
        Self { place: Input::default(), stage: Stage::Find, today: None, error: None }
    }
}

/// Places that are named of those on holiday.
const HOLIDAYS: usize = 12;

impl Law {
    /// By its code, or a state's by its name.
    fn place(&self) -> String {
        let typed = self.place.value().trim();
        let code = typed.to_ascii_uppercase();
        if legal::is_place(&code) { code } else { place::state(typed, "US").map_or(code, |s| s.code.to_owned()) }
    }

    fn closure(&self) -> Option<&Closure> {
        let place = self.place();
        self.today.as_ref()?.closures.iter().find(|c| c.place == place)
    }

    /// Enter on a place: its law stands there to be read, and nothing is done by going on.
    fn choose(&mut self) {
        let place = self.place();
        if legal::is_place(&place) {
            self.stage = Stage::Shown;
        } else {
            self.error = Some(format!("\"{}\" is no place: write a country such as DE, or a state such as Louisiana or US-LA", clean(&place, 20)));
        }
    }

    /// A letter on a place whose law was read.
    fn act(&mut self, state: &State, code: KeyCode) {
        match (code, self.closure().is_some()) {
            (KeyCode::Char('c' | 'o'), _) if state.options.read_only => self.error = Some("read-only: nothing is closed or opened from here".to_owned()),
            (KeyCode::Char('o'), true) => self.stage = Stage::Open,
            (KeyCode::Char('c'), false) => self.ask_close(),
            (KeyCode::Backspace, _) => self.stage = Stage::Find,
            _ => {}
        }
    }

    fn ask_close(&mut self) {
        self.stage = Stage::Close(Fields::new(vec![
            Field::line("until", "Until", "+2h, 15:00, tomorrow 9, tue 15:00; empty: until somebody opens it", ""),
            Field::line("reason", "Why", "such as: state of emergency", ""),
        ]));
    }

    fn close(&mut self, state: &State) -> Vec<Effect> {
        let Stage::Close(fields) = &mut self.stage else { return Vec::new() };
        let (until, reason) = (fields.value("until"), fields.value("reason"));
        if reason.is_empty() {
            fields.go_to("reason");
            self.error = Some("why is it closed? Whoever looks later wants to know".to_owned());
            return Vec::new();
        }
        let until = if until.is_empty() { Ok(None) } else { schedule::parse_moment(&until, state.options.zone, state.now).map(Some) };
        match until {
            Ok(until) => {
                self.stage = Stage::Sent;
                vec![Effect::Setup(Setup::ClosePlace { place: self.place(), until, reason })]
            }
            Err(why) => {
                fields.go_to("until");
                self.error = Some(why);
                Vec::new()
            }
        }
    }

    /// What is closed today.
    fn today(&self, state: &State) -> Vec<Entry<'static>> {
        let Some(today) = &self.today else { return vec![Entry::words("loading...")] };
        let mut out: Vec<Entry<'_>> = today.closures.iter().map(|c| Entry::Wrong(closed(c, state))).collect();
        if out.is_empty() {
            out.push(Entry::Faint("No place is closed by an operator.".to_owned()));
        }
        out.push(Entry::Faint(match today.holidays.as_slice() {
            [] => "No holiday closes a country or state today.".to_owned(),
            some => {
                let more = if some.len() > HOLIDAYS { format!(" and {} more", some.len() - HOLIDAYS) } else { String::new() };
                format!("Holiday today in {}{more}", some[..some.len().min(HOLIDAYS)].iter().map(|p| place::said(p)).collect::<Vec<_>>().join(", "))
            }
        }));
        out
    }

    /// What the table says of the place that is typed.
    fn rows(&self, state: &State) -> Vec<Entry<'static>> {
        let (place, Some(today)) = (self.place(), &self.today) else { return Vec::new() };
        if !legal::is_place(&place) {
            return Vec::new();
        }
        let Some(reading) = today.reading else {
            return vec![Entry::Wrong("[compliance] profile minds no law: no hours of the table hold".to_owned())];
        };
        let laws = legal::of(&[&place], reading);
        let mut out: Vec<Entry<'_>> = laws.iter().map(|l| Entry::Words(l.words())).collect();
        if laws.is_empty() {
            out.push(Entry::Words(format!("{place} is not in the table: closed, until [compliance] unlisted_countries = \"open\" opens it")));
        }
        out.extend(self.closure().map(|c| Entry::Wrong(closed(c, state))));
        out
    }

    fn does(&self) -> String {
        match &self.stage {
            Stage::Sent => "being written...".to_owned(),
            Stage::Open => format!("Open {}? Its laws hold, and its people are called again. y opens   any other key: no", self.place()),
            Stage::Close(_) => format!("Enter next, on the last field closes {}: nobody there is called, on any host   Esc back", self.place()),
            Stage::Find if !legal::is_place(&self.place()) => format!("type a country or a state for its law   Esc back   table of {}", legal::version()),
            Stage::Find => format!("Enter goes to {}   Esc back", self.place()),
            Stage::Shown if self.closure().is_some() => format!("o opens {} (asks)   Backspace another place   Esc back", self.place()),
            Stage::Shown => format!("c closes {} (asks until when)   Backspace another place   Esc back", self.place()),
        }
    }
}

fn closed(c: &Closure, state: &State) -> String {
    let zone = state.options.zone;
    let until = c.until.map_or_else(|| "until it is opened".to_owned(), |t| format!("until {}", t.with_timezone(&zone).format("%a %Y-%m-%d %H:%M %Z")));
    let by = if c.by.is_empty() { String::new() } else { format!(" by {}", clean(&c.by, 40)) };
    let why = if c.reason.trim().is_empty() { String::new() } else { format!(": {}", clean(&c.reason, 200)) };
    format!("CLOSED{by} {}, {until}{why}", place::said(&c.place))
}

impl Dialog for Law {
    fn key(&mut self, state: &mut State, key: KeyEvent) -> Next {
        self.error = None;
        match &mut self.stage {
            Stage::Sent => {}
            Stage::Find if key.code == KeyCode::Enter => self.choose(),
            Stage::Shown => self.act(state, key.code),
            Stage::Find => text::edit(&mut self.place, key),
            Stage::Open if key.code == KeyCode::Char('y') => {
                self.stage = Stage::Sent;
                return Next::Stay(vec![Effect::Setup(Setup::OpenPlace(self.place()))]);
            }
            Stage::Open => self.stage = Stage::Find,
            Stage::Close(fields) => {
                if fields.key(key) == Went::Done {
                    return Next::Stay(self.close(state));
                }
            }
        }
        Next::stay()
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &State, area: Rect) {
        let mut entries = self.today(state);
        entries.push(Entry::Gap);
        entries.push(if matches!(self.stage, Stage::Find) { Entry::Field("Place:", &self.place) } else { Entry::Words(format!("Place: {}", self.place())) });
        entries.extend(self.rows(state));
        let (masked, labels) = match &self.stage {
            Stage::Close(fields) => (fields.masked(), fields.labels()),
            Stage::Find | Stage::Shown | Stage::Open | Stage::Sent => (Vec::new(), Vec::new()),
        };
        if let Stage::Close(fields) = &self.stage {
            entries.push(Entry::Gap);
            entries.extend(fields.entries(&masked, &labels));
        }
        entries.push(Entry::Gap);
        entries.extend(self.error.clone().map(Entry::Wrong));
        entries.push(Entry::Keys(self.does()));
        card(frame, &state.theme, area, "The law of places: no legal advice", "Esc", &entries);
    }

    fn paste(&mut self, _state: &mut State, pasted: &str) {
        match &mut self.stage {
            Stage::Find => text::insert(&mut self.place, pasted.trim()),
            Stage::Close(fields) => fields.paste(pasted),
            Stage::Shown | Stage::Open | Stage::Sent => {}
        }
    }

    fn typing(&self) -> bool {
        matches!(self.stage, Stage::Find | Stage::Close(_))
    }

    fn typed(&self) -> bool {
        matches!(self.stage, Stage::Close(_))
    }

    fn told(&mut self, msg: &Msg) -> bool {
        match msg {
            Msg::Answer(Question::Law, Ok(Answer::Law(today))) => self.today = Some(today.clone()),
            Msg::Setup(Setup::ClosePlace { .. } | Setup::OpenPlace(_), result) => {
                self.stage = Stage::Find;
                self.error = result.as_ref().err().map(|f| f.words.clone());
                return result.is_ok();
            }
            _ => {}
        }
        false
    }
}
