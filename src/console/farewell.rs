//! The way out while calls are live: nothing new is dialled, and the screen stays until the last of them has ended,
//! the time is up, or somebody asks once more.

use chrono::Duration as Span;

use super::{
    Ending,
    keys::Action,
    leaving::Leaving,
    rows::{count, display_name},
    state::State,
};

/// Names of those who are waited for.
const NAMES: usize = 4;

impl State {
    /// Somebody wants out: whether the screen goes at once, and how.
    pub fn leave(&mut self, wanted: Ending) -> Option<Ending> {
        let waits = matches!(wanted, Ending::Drain | Ending::Terminated);
        let alone = self.options.following.borrow().is_none();
        match self.leaving {
            Some(_) if wanted == Ending::Terminated => Some(Ending::QuitNow),
            Some(_) if wanted == Ending::Drain => None,
            None if waits && alone && self.data.live_count() > 0 => {
                self.options.drain.begin();
                // A picture that is held still never shows the last call's end.
                self.thaw();
                let limit = Span::from_std(self.options.drain.limit).unwrap_or(Span::zero());
                self.leaving = Some(Leaving { ending: wanted, until: (wanted == Ending::Terminated).then(|| self.now + limit) });
                tracing::warn!(target: "console", "{}", self.waiting_words().unwrap_or_default());
                None
            }
            _ => Some(wanted),
        }
    }

    /// Stays after all: what runs dials again. Only an end that somebody asked for here is taken back.
    pub fn stay(&mut self) {
        if self.leaving.take_if(|l| l.ending == Ending::Drain).is_some() {
            self.options.drain.stay();
            tracing::warn!(target: "console", "the end was taken back: campaigns that run dial again");
            self.say("this screen stays: campaigns that run dial again");
        }
    }

    /// The end, once nobody is waited for any more.
    pub fn left(&mut self) -> Option<Ending> {
        let leaving = self.leaving?;
        self.thaw();
        let over = self.loaded && self.data_error.is_none() && self.data.live_count() == 0;
        (over || leaving.until.is_some_and(|t| t <= self.now)).then_some(leaving.ending)
    }

    fn thaw(&mut self) {
        if let Some((_, Some(newest))) = self.frozen.take() {
            self.take(*newest);
        }
    }

    /// What is waited for, and how it is cut short.
    #[must_use]
    pub fn waiting_words(&self) -> Option<String> {
        let leaving = self.leaving?;
        let open: Vec<String> = self.data.live.iter().filter(|r| r.state.is_open()).map(display_name).collect();
        let rest = open.len().saturating_sub(NAMES);
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        let names = open.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
        let live = count(i64::try_from(open.len()).unwrap_or(0), "live call");
        let latest = leaving.until.map_or_else(String::new, |t| format!(", in {} s at the latest", (t - self.now).num_seconds().max(0)));
        let back = match leaving.ending {
            Ending::Drain => format!("{} to stay, or to leave now", self.keys.name(Action::Quit)),
            _ => "Ctrl-c twice leaves now".to_owned(),
        };
        Some(format!("ending: nothing new is dialled; leaves with the end of {live} ({names}{more}){latest}. {back}"))
    }
}

/// Ends the wait when Ctrl-c comes twice during it.
#[must_use]
pub fn hurried(state: &State) -> Ending {
    if state.leaving.is_some() { Ending::QuitNow } else { Ending::Drain }
}
