//! What the console's acts need of `[auth] console_role`: the same as their routes of the REST API.

use super::message::{Effect, Msg};
use crate::domain::role::Role;

/// What is said instead of doing it, where the role does not allow an act.
pub fn refused(role: Role, effect: &Effect) -> Option<Msg> {
    let why = role.needs(needed(effect)).err()?;
    let words = format!("{why}, and [auth] console_role is {}", role.as_str());
    Some(match effect {
        Effect::Tag { call, name, outcome, previous, .. } => {
            Msg::Tagged { call: *call, name: name.clone(), outcome: *outcome, previous: *previous, undone: false, result: Err(words) }
        }
        Effect::UndoTag { call, name, previous, outcome, .. } => {
            Msg::NotTakenBack { call: *call, name: name.clone(), outcome: *outcome, previous: *previous, why: words, again: true }
        }
        Effect::Lines { campaign, name, by, undone } => Msg::Lines { campaign: *campaign, name: name.clone(), by: *by, undone: *undone, result: Err(words) },
        Effect::Create { .. } => Msg::Created { words: String::new(), result: Err(words) },
        Effect::Import { .. } => Msg::ImportDone(Err(words)),
        Effect::Setup(setup) => Msg::Setup(setup.clone(), Err(words.into())),
        _ => Msg::Done { words: String::new(), result: Err(words) },
    })
}

fn needed(effect: &Effect) -> Role {
    match effect {
        Effect::Setup(setup) => setup.needs(),
        Effect::Why(_)
        | Effect::Show(_)
        | Effect::Judge(_)
        | Effect::Ask(_)
        | Effect::Preview(_)
        | Effect::CancelImport
        | Effect::Count { .. }
        | Effect::StopCounting
        | Effect::Copy(_)
        | Effect::Editor(_)
        | Effect::Keep(_)
        | Effect::Watch(_)
        | Effect::LogLevel(_)
        | Effect::Me(_)
        | Effect::Country(_)
        | Effect::Mouse(_)
        | Effect::Write { .. }
        | Effect::Leave(_)
        | Effect::KeepRunning => Role::Viewer,
        Effect::Tag { .. } | Effect::UndoTag { lift: false, .. } | Effect::Note { .. } | Effect::HangUp(..) => Role::Operator,
        Effect::Again(..)
        | Effect::Start(..)
        | Effect::Pause(..)
        | Effect::Resume(..)
        | Effect::Stop { .. }
        | Effect::Delete(..)
        | Effect::Lines { .. }
        | Effect::Recycle(..)
        | Effect::DeleteList(..)
        | Effect::NeverCall { .. }
        | Effect::ImportNumbers(_)
        | Effect::EditContact { .. }
        | Effect::PauseAll
        | Effect::ResumeAll(_)
        | Effect::Create { .. }
        | Effect::Import { .. }
        | Effect::KillSwitch(true) => Role::Supervisor,
        // What protects people is lifted by admins.
        Effect::UndoTag { lift: true, .. } | Effect::KillSwitch(false) | Effect::AcceptTerms { .. } => Role::Admin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::CallId;

    #[test]
    fn a_role_is_held_to_what_it_may() {
        let tag = |lift| Effect::UndoTag { call: CallId(uuid::Uuid::nil()), name: String::new(), previous: None, outcome: None, lift };
        let cases = [
            (Effect::HangUp(CallId(uuid::Uuid::nil()), String::new()), Role::Operator),
            (tag(false), Role::Operator),
            (tag(true), Role::Admin),
            (Effect::PauseAll, Role::Supervisor),
            (Effect::ImportNumbers("x".into()), Role::Supervisor),
            (
                Effect::DeleteList(crate::domain::campaign::ContactSource::CsvFile, crate::domain::id::SourceId(uuid::Uuid::nil()), String::new()),
                Role::Supervisor,
            ),
            (Effect::KillSwitch(true), Role::Supervisor),
            (Effect::KillSwitch(false), Role::Admin),
        ];
        for (effect, least) in cases {
            for role in [Role::Viewer, Role::Operator, Role::Supervisor, Role::Admin] {
                assert_eq!(refused(role, &effect).is_none(), role >= least, "{effect:?} by {role:?}");
            }
        }
        let told = refused(Role::Operator, &Effect::PauseAll);
        assert!(matches!(told, Some(Msg::Done { result: Err(words), .. }) if words.contains("supervisor") && words.contains("console_role is operator")));
    }
}
