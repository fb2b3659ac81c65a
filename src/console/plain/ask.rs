//! Questions in lines: what is asked, what may be answered, and which key of the dialog an answer is.

use crate::{console::rows::count, domain::id::CallId, domain::outcome::Outcome};

/// A question that stands until the next line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    Outcome { call: CallId, name: String },
    When { name: String },
    Stop { name: String, live: i64, left: i64 },
    Sure { name: String, live: i64 },
    HangUp { name: String },
    Switch { on: bool },
    Terms { name: String },
    Lift { name: String },
    Quit { live: i64, keeps: bool, stays: bool },
}

impl Ask {
    /// What is asked, without the answers.
    #[must_use]
    pub fn question(&self) -> String {
        match self {
            Self::Outcome { name, .. } => format!("{name}: which outcome?"),
            Self::When { name } => format!("When is {name} to be called back? Enter alone: next day, same hour. Or +2h, 15:00, tue 15:00; \"no\" leaves it"),
            Self::Stop { name, live, left } => {
                let (live, left) = (count(*live, "live call"), count(*left, "person"));
                format!("Stop \"{name}\"? {live}; {left} would not be called. A new start calls whoever is left, and keeps broken promises")
            }
            Self::Sure { name, live } => format!("Stop \"{name}\" and hang up on {} in mid-call?", count(*live, "person")),
            Self::HangUp { name } => format!("Hang up on {name}?"),
            Self::Switch { on: true } => "Kill switch: no further dial on any host, until an admin releases it. Live calls go on. Type STOP".to_owned(),
            Self::Switch { on: false } => "Release the kill switch: campaigns that run dial again. Type RELEASE".to_owned(),
            Self::Terms { name } => format!("Real phones will ring. {} Your name accepts for this installation and starts \"{name}\"", crate::desk::TERMS),
            Self::Lift { name } => format!("Take {name} back, off the do-not-call list?"),
            Self::Quit { live, .. } => format!("{}. How to leave?", count(*live, "live call")),
        }
    }

    /// The key of each answer, and its words, in the order of their numbers.
    #[must_use]
    pub fn answers(&self) -> Vec<(char, &'static str)> {
        match self {
            Self::Outcome { .. } => Outcome::ALL.iter().map(|o| (o.digit(), o.label())).collect(),
            Self::When { .. } | Self::Switch { .. } | Self::Terms { .. } => Vec::new(),
            Self::Stop { live: 0, .. } => vec![('k', "stop it")],
            Self::Stop { .. } => vec![('k', "stop it, keep the calls until they end"), ('h', "stop it and hang up now")],
            Self::Sure { .. } | Self::HangUp { .. } => vec![('y', "hang up")],
            Self::Lift { .. } => vec![('y', "take it back")],
            Self::Quit { keeps, stays, .. } => {
                let mut all =
                    vec![if *stays { ('s', "stay: campaigns that run dial again") } else { ('d', "dial no more, leave when the last call has ended") }];
                if *keeps {
                    all.push(('k', "keep running without a screen; `dialdeck` looks again"));
                }
                all.push(('q', "leave now: calls go on unsupervised, the next start looks after them"));
                all
            }
        }
    }

    /// The question with its numbered answers.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.question()];
        lines.extend(self.answers().iter().enumerate().map(|(i, (_, words))| format!("  {} {words}", i + 1)));
        if !matches!(self, Self::When { .. }) {
            lines.push("  Enter alone leaves it as it is".to_owned());
        }
        lines
    }

    /// What an answer means.
    #[must_use]
    pub fn means(&self, text: &str) -> Meaning {
        let (text, answers) = (text.trim(), self.answers());
        if text.eq_ignore_ascii_case("no") || (text.is_empty() && !matches!(self, Self::When { .. })) {
            return Meaning::Leave;
        }
        if answers.is_empty() {
            return Meaning::Text(text.to_owned());
        }
        let by_number = text.parse::<usize>().ok().and_then(|n| answers.get(n.checked_sub(1)?));
        let chosen = by_number.or_else(|| answers.iter().find(|(_, words)| words.eq_ignore_ascii_case(text)));
        chosen.map_or(Meaning::Nothing, |(key, _)| Meaning::Key(*key))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    Leave,
    Key(char),
    Text(String),
    Nothing,
}
