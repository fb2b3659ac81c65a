//! What mends a system that is not ready.

use super::super::{dialogs, keys::Pane, message::Effect, question::Question, setup::Setup, state::State};
use crate::domain::system::Mend;

/// Values that a file cannot change are not asked for.
fn goes_before(state: &State) -> Option<String> {
    let source = state.options.outside.as_ref()?.goes_before()?;
    Some(format!("{source} goes before the configuration file: set LiveKit's values there (or in .env), or take it out, and start again"))
}

pub fn mend(state: &mut State, mend: Mend) -> Vec<Effect> {
    match mend {
        Mend::SetLiveKit if state.options.simulated => state.hint("the demonstration has a LiveKit of its own: leave it, and start `dialdeck`"),
        Mend::SetLiveKit if goes_before(state).is_some() => state.complain(goes_before(state).unwrap_or_default()),
        Mend::SetLiveKit => state.open(dialogs::LiveKit::sheet()),
        Mend::AddAssistant => state.open(dialogs::Assistants::new(state)),
        Mend::AssignNumber if state.data.assistants.is_empty() => {
            let key = state.keys.name(super::Action::Mend(Mend::AddAssistant));
            state.hint(format!("no assistant yet who could have a number: {key} adds one"));
        }
        Mend::AssignNumber => {
            state.open(dialogs::Number::sheet(state));
            return vec![Effect::Ask(Question::Numbers)];
        }
        Mend::AcceptTerms => state.open(dialogs::Terms::alone()),
        Mend::OpenPlace => {
            state.open(dialogs::Law::default());
            return vec![Effect::Ask(Question::Law)];
        }
        Mend::StartCampaign => state.open(dialogs::Begin::new(state)),
        Mend::Look if state.looking => state.hint("still looking: it takes as long as an agent worker may take to come"),
        Mend::Look => {
            state.looking = true;
            return vec![Effect::Setup(Setup::Look)];
        }
        Mend::ReadOn => {
            let lines = state.room(Pane::Systems).map(|room| room.in_full(state)).unwrap_or_default();
            let looked = lines.iter().any(|l| l.starts_with("The look at the network"));
            if state.focus == Pane::Systems && !looked && !lines.is_empty() {
                let look = state.keys.name(super::Action::Mend(Mend::Look));
                state.hint(format!("all that is known stands here; {look} looks at the network too"));
            } else if lines.is_empty() {
                let room = state.keys.name(super::Action::Focus(Pane::Systems));
                state.hint(format!("nothing was looked at yet: {room} does"));
            } else {
                state.open(dialogs::Words::new("All systems, in full".to_owned(), lines));
            }
        }
        Mend::ImportContacts => super::campaigns::import(state),
        Mend::NewCampaign => super::campaigns::new(state),
        Mend::ReleaseKillSwitch => state.open(dialogs::KillSwitch::turn(false)),
    }
    Vec::new()
}
