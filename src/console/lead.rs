//! Who dials, from one moment to the next: that this screen begins to is said, for people are phoned by it.

use chrono::Duration;

use super::{keys::Action, rows::count, state::State};
use crate::{desk::SWITCHED_OFF, domain::campaign::Status};

/// Rows that were read so soon after may be those of before.
const MOMENT: Duration = Duration::seconds(1);

/// After each message.
pub fn look(state: &mut State) {
    let follows = state.options.following.borrow().is_some();
    let followed = std::mem::replace(&mut state.session.lead.followed, follows);
    if followed && !follows {
        state.session.lead.ended = Some(state.now);
    }
    if !state.loaded || state.options.read_only && state.session.lead.ended.is_none() {
        return;
    }
    let newest = state.data.at;
    if state.session.lead.ended.take_if(|at| newest > *at + MOMENT).is_some() {
        let words = ended(state);
        state.complain(words);
    }
    if std::mem::take(&mut state.session.lead.opened) && !follows && state.data.health.is_empty() {
        let running = state.data.campaigns_in(Status::Running);
        if running > 0 {
            let (n, pause) = (count(i64::try_from(running).unwrap_or(0), "campaign"), state.keys.name(Action::PauseAll));
            state.say(format!("{n} {} on: people are called now. {pause} pauses all", if running == 1 { "goes" } else { "go" }));
        }
    }
}

fn ended(state: &State) -> String {
    if state.data.health.starts_with(SWITCHED_OFF) {
        return "the process that dialled has ended, and dialling is switched off here: nobody is called".to_owned();
    }
    let pause = state.keys.name(Action::PauseAll);
    format!("the process that dialled has ended: this one has taken over, and campaigns that run dial from here on. {pause} pauses all")
}
