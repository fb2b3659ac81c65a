//! The console in lines: for readers of screens, terminals that cannot draw, and pipes. No line is drawn over, every
//! event is one, questions are numbered, and each call keeps the number it was given, so that no tag goes to another.
//! State, acts and effects are the screen's.

mod ask;
mod news;
mod numbers;
mod talk;
mod verbs;

use std::{
    io::{BufRead, IsTerminal, Read, Write},
    time::Duration,
};

pub use talk::{Plain, Said};

use super::{
    Ending, mailbox,
    message::{Effect, Msg},
    perform::Performer,
    question::{Answer, Question},
    state::State,
    story, terminal,
};
use crate::clock::SharedClock;
use ask::Ask;
use news::Seen;

/// Letters of a line that somebody types; more is no command.
const LONGEST: u64 = 4096;
/// Cells that a story is broken to, so that its parts stay apart.
const WIDTH: usize = 100;

/// A console in lines: what it knows, and what it has told.
pub struct Lines {
    pub plain: Plain,
    seen: Seen,
}

impl Lines {
    #[must_use]
    pub fn new(state: State, by_hand: bool) -> Self {
        Self { plain: Plain::new(state, by_hand), seen: Seen::default() }
    }

    /// What is said at first.
    pub fn begin(&mut self) -> Said {
        self.plain.say("dialdeck in lines: `help` lists what can be typed");
        self.plain.said()
    }

    /// A message, and what is said of it.
    pub fn hear(&mut self, msg: Msg) -> Said {
        let p = &mut self.plain;
        match msg {
            Msg::Paste(line) if p.ask.is_some() => p.answer(&line),
            Msg::Paste(line) => verbs::run(p, &line),
            Msg::Why { title, lines } => {
                p.say(title);
                lines.iter().filter(|l| !l.trim().is_empty()).for_each(|l| p.say(l));
            }
            Msg::Answer(Question::Calls(search), Ok(Answer::Calls(found))) => {
                let rows: Vec<_> = found.rows.into_iter().map(|f| f.call).collect();
                p.found.extend(rows.iter().map(|r| (r.id, r.clone())));
                verbs::list(p, &rows, &format!("no call of \"{}\"", search.text));
                if found.next.is_some() {
                    p.say("there are older ones: more letters or digits narrow it");
                }
            }
            Msg::Detail(detail) => {
                if let Some((_, line)) = p.waiting.take_if(|(id, _)| *id == detail.row.id) {
                    p.found.insert(detail.row.id, detail.row.clone());
                    p.wants([Effect::Show(None)]);
                    p.fresh = Some(detail.row.id);
                    verbs::run(p, &line);
                    p.fresh = None;
                }
                if p.story.take_if(|id| *id == detail.row.id).is_some() {
                    let lines = story::lines(&p.state, &detail, WIDTH, false);
                    lines.iter().map(ToString::to_string).filter(|l| !l.trim().is_empty()).for_each(|l| p.say(l));
                    p.wants([Effect::Show(None)]);
                }
            }
            Msg::Answer(Question::Campaign(id), Ok(Answer::Campaign(Some(ref room)))) if p.stops(id) => {
                p.say_not_kept(&room.promised);
                self.update(msg);
            }
            msg => self.update(msg),
        }
        self.plain.tell_notes();
        self.seen.tell_alert(&mut self.plain);
        self.plain.said()
    }

    fn update(&mut self, msg: Msg) {
        let terms = if let Msg::Terms(_, name) = &msg { Some(name.clone()) } else { None };
        let looked = matches!(msg, Msg::Data(_));
        let first = looked && !self.plain.state.loaded;
        let effects = self.plain.state.update(msg);
        self.plain.wants(effects);
        if let Some(name) = terms.filter(|_| self.plain.ask.is_none()) {
            self.plain.put(Ask::Terms { name });
        }
        if looked {
            self.seen.tell(&mut self.plain);
        }
        if first {
            verbs::status(&mut self.plain, "");
        }
    }

    /// Time passed.
    pub fn tick(&mut self) -> Said {
        self.plain.state.tick();
        self.seen.tell_alert(&mut self.plain);
        self.plain.said()
    }
}

/// Talks until the operator, a signal or the end of the input ends it.
pub fn talk(state: State, performer: &Performer, receive: &mailbox::Receiver, clock: &SharedClock) -> Ending {
    let mut lines = Lines::new(state, std::io::stdin().is_terminal());
    let mut out = terminal::lines_out();
    let mut said = lines.begin();
    loop {
        if let Err(e) = write(&mut out, &said.lines) {
            tracing::warn!(target: "console", error = %e, "nobody reads the lines any more");
            return lines.plain.state.leaving.map_or(Ending::TerminalGone, |l| l.ending);
        }
        for effect in std::mem::take(&mut said.effects) {
            match effect {
                Effect::Leave(ending) => {
                    if let Some(ending) = lines.plain.state.leave(ending) {
                        return ending;
                    }
                }
                effect => performer.perform(effect),
            }
        }
        if let Some(ending) = lines.plain.state.left() {
            return ending;
        }
        let wait = lines.plain.state.next_tick(clock.now()).min(Duration::from_mins(1));
        let messages = receive.take(wait);
        lines.plain.state.now = clock.now();
        said = lines.tick();
        for msg in messages {
            let more = lines.hear(msg);
            said.lines.extend(more.lines);
            said.effects.extend(more.effects);
        }
    }
}

fn write(out: &mut impl Write, lines: &[String]) -> std::io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let text = lines.join("\n") + "\n";
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Reads lines on a thread of its own; their end is the terminal's.
pub fn watch_lines(send: mailbox::Sender) {
    let read = move || {
        let mut input = std::io::stdin().lock();
        let mut line = Vec::new();
        loop {
            line.clear();
            match (&mut input).take(LONGEST).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return send.tell(Msg::Gone),
                Ok(_) if !send.send_key(Msg::Paste(String::from_utf8_lossy(&line).into_owned())) => return,
                Ok(_) => {}
            }
        }
    };
    std::thread::Builder::new().name("input".to_owned()).spawn(read).map_or_else(|e| tracing::error!(target: "console", error = %e, "no input thread"), drop);
}
