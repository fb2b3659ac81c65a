//! Where the people of a campaign stand: one definition for the list of campaigns, its room, `w`, a start's words, the
//! API and the command line. People are counted, not calls: who is tried three times is one.

use serde::Serialize;

use super::stats::Counts;

/// Everybody in a campaign's list. Each stands in one part, the first that fits in the order below, and the parts add
/// up to `contacts`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct People {
    /// In the list, each once; without the lines that an import refused.
    pub contacts: i64,
    /// On the line, or being prepared.
    pub on_the_line: i64,
    /// Still to be called: now, when the law opens, or again later.
    pub waiting: i64,
    /// Those of the waiting whose phone has rung before: they are tried again, or were promised a call.
    pub again: i64,
    /// Never called, and nobody may: flagged in the list, or on a do-not-call list.
    pub do_not_call: i64,
    /// A stop left them; a new start calls them.
    pub stopped: i64,
    /// No dial to them was made and none is to come; their rows say why.
    pub turned_away: i64,
    /// Called as often as allowed, and not reached.
    pub not_reached: i64,
    /// Called, and nothing more is to come.
    pub called: i64,
}

impl People {
    /// Until people are counted, and where there is no list: every call stands for somebody.
    #[must_use]
    pub fn of_calls(n: &Counts) -> Self {
        let called = n.total - n.pending - n.processing - n.canceled;
        Self { contacts: n.total, on_the_line: n.processing, waiting: n.pending, stopped: n.canceled, called, ..Self::default() }
    }

    /// Who is still to be called, those on the line among them.
    #[must_use]
    pub fn left(&self) -> i64 {
        self.on_the_line + self.waiting + self.stopped
    }

    /// Nothing more is to come for them.
    #[must_use]
    pub fn done(&self) -> i64 {
        self.contacts - self.left()
    }

    /// `done %`: of all people in the list those for whom nothing more is to come, rounded down, so that a hundred
    /// means everybody. `None` of an empty list.
    #[must_use]
    pub fn done_percent(&self) -> Option<i64> {
        (self.contacts > 0).then(|| self.done().max(0) * 100 / self.contacts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_per_cent_is_everybody() {
        let people = People { contacts: 300, waiting: 1, called: 299, ..People::default() };
        assert_eq!((people.done(), people.done_percent()), (299, Some(99)));
        assert_eq!(People { waiting: 0, called: 300, ..people }.done_percent(), Some(100));
        assert_eq!(People { waiting: 0, stopped: 300, called: 0, ..people }.done_percent(), Some(0), "a stop does nothing for anybody");
        assert_eq!(People::default().done_percent(), None);
    }
}
