//! What `u` takes back, and what comes of it: whose tags went, in words, and the call that comes back.

use chrono::{DateTime, Utc};

use crate::domain::{
    id::{CallId, CampaignId},
    outcome::Outcome,
};

/// What `u` takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    Tag {
        call: CallId,
        name: String,
        outcome: Option<Outcome>,
        previous: Option<Outcome>,
        at: DateTime<Utc>,
    },
    /// Tags that one key wrote.
    Tags(Vec<Self>),
    PauseAll(Vec<CampaignId>),
    /// A note that was written over another, or taken away.
    Note {
        call: CallId,
        name: String,
        was: String,
        now: String,
    },
    /// Lines of a campaign that were changed by so many.
    Lines {
        campaign: CampaignId,
        name: String,
        by: i64,
    },
}

/// Tags that one key takes back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Returning {
    /// Whose, and whether it is done.
    calls: Vec<(CallId, String, bool)>,
    /// The call that the cursor of the tagging desk waits for: it is to be tagged anew.
    pub call: Option<CallId>,
}

impl Returning {
    #[must_use]
    pub fn of(calls: Vec<(CallId, String)>) -> Self {
        Self { calls: calls.into_iter().map(|(call, name)| (call, name, false)).collect(), call: None }
    }

    /// A tag was taken back: what is to be said of all that went with it.
    pub fn done(&mut self, call: CallId, name: &str, tag: Option<Outcome>) -> String {
        for one in self.calls.iter_mut().filter(|c| c.0 == call) {
            one.2 = true;
        }
        let done: Vec<&str> = self.calls.iter().filter(|c| c.2).map(|c| c.1.as_str()).collect();
        match (done.len(), tag) {
            (2.., _) => format!("taken back {} tags: {}", done.len(), listed(&done)),
            (_, Some(tag)) => format!("taken back: {name} is \"{}\" again", tag.label()),
            (_, None) => format!("taken back: {name} is without a tag again"),
        }
    }
}

/// Names that are said of many.
const NAMED: usize = 3;

/// `Ann, Bob, Cem and 2 more`.
#[must_use]
pub fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let first: Vec<&str> = names.iter().take(NAMED).map(AsRef::as_ref).collect();
    let more = names.len().saturating_sub(NAMED);
    if more > 0 { format!("{} and {more} more", first.join(", ")) } else { first.join(", ") }
}

/// Tags that one key wrote, in words: whose, and what.
#[must_use]
pub fn tagged_together(steps: &[Undo]) -> String {
    let tags: Vec<(&str, &str)> = steps
        .iter()
        .filter_map(|s| if let Undo::Tag { name, outcome, .. } = s { Some((name.as_str(), outcome.map_or("no tag", Outcome::label))) } else { None })
        .collect();
    let n = tags.len();
    let calls = if n == 1 { "1 call".to_owned() } else { format!("{n} calls") };
    let one = tags.first().map_or("", |t| t.1);
    if tags.iter().all(|t| t.1 == one) {
        let names: Vec<&str> = tags.iter().map(|t| t.0).collect();
        return format!("tagged {calls} \"{one}\": {}", listed(&names));
    }
    let each: Vec<String> = tags.iter().map(|(name, tag)| format!("{name} \"{tag}\"")).collect();
    format!("tagged {calls}: {}", listed(&each))
}
