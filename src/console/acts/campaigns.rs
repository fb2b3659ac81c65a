//! What is done with the campaign named in the footer, and with all of them.

use super::super::{
    dialogs,
    keys::Pane,
    message::Effect,
    question::Question,
    state::{State, Undo},
};
use crate::domain::{campaign::Status, id::CampaignId};

fn facts(state: &State) -> Option<(CampaignId, String, Status)> {
    state.target_campaign().map(|c| (c.row.id, c.row.name.clone(), c.row.execution_status))
}

fn command(state: &mut State, id: CampaignId, words: &'static str, effect: Effect) -> Vec<Effect> {
    state.pending.insert(id, words);
    vec![effect]
}

pub fn start(state: &mut State) -> Vec<Effect> {
    match facts(state) {
        Some((id, name, Status::Paused)) => command(state, id, "resuming...", Effect::Resume(id, name)),
        Some((campaign, name, Status::Idle)) if is_new(state, campaign) => {
            state.open(dialogs::FirstStart::new(campaign, name));
            vec![Effect::Ask(Question::Campaign(campaign)), Effect::Ask(Question::OverlapOf(campaign))]
        }
        Some((id, name, Status::Idle | Status::Completed | Status::Error)) => command(state, id, "starting...", Effect::Start(id, name)),
        Some((_, _, Status::Running)) | None => Vec::new(),
    }
}

/// Nobody was ever called for it, and phones would ring; in lines a campaign is named, and meant.
fn is_new(state: &State, id: CampaignId) -> bool {
    let rings = !state.options.simulated && !state.options.plain;
    rings && state.data.campaign(id).is_some_and(|c| c.row.counts.dials == 0 && !c.row.manual)
}

/// One that was named in words is meant.
pub fn start_named(state: &mut State) -> Vec<Effect> {
    match facts(state) {
        Some((id, name, Status::Idle)) => command(state, id, "starting...", Effect::Start(id, name)),
        _ => start(state),
    }
}

pub fn pause_resume(state: &mut State) -> Vec<Effect> {
    match facts(state) {
        Some((id, name, Status::Running)) => command(state, id, "pausing...", Effect::Pause(id, name)),
        Some((id, name, Status::Paused)) => command(state, id, "resuming...", Effect::Resume(id, name)),
        Some((_, _, Status::Idle | Status::Completed | Status::Error)) | None => Vec::new(),
    }
}

pub fn stop(state: &mut State) -> Vec<Effect> {
    let Some(c) = state.target_campaign() else { return Vec::new() };
    let (campaign, live, left) = (c.row.id, c.row.counts.live, state.data.people(c).waiting);
    state.open(dialogs::Stop { campaign, name: c.row.name.clone(), live, left, promised: None, sure: false });
    vec![Effect::Ask(Question::Campaign(campaign))]
}

pub fn why(state: &mut State) -> Vec<Effect> {
    let Some((id, name, _)) = facts(state) else { return Vec::new() };
    // A list of a million takes seconds.
    state.hint(format!("looking what \"{name}\" waits for..."));
    vec![Effect::Why(id)]
}

/// An empty form; from the campaigns, one like the selected.
pub fn new(state: &mut State) {
    let model = if state.focus == Pane::Campaigns { state.target_campaign().map(|c| &c.row) } else { None };
    state.open(dialogs::Form::new(&state.data, state.options.zone, model));
}

pub fn edit(state: &mut State) {
    if let Some(c) = state.target_campaign() {
        state.open(dialogs::Form::edit(&state.data, state.options.zone, &c.row));
    }
}

/// More lines at once, or fewer: asks nothing, for `u` takes it back.
pub fn lines(state: &mut State, by: i64) -> Vec<Effect> {
    facts(state).map_or_else(Vec::new, |(campaign, name, _)| vec![Effect::Lines { campaign, name, by, undone: false }])
}

pub fn recycle(state: &mut State) -> Vec<Effect> {
    let Some((campaign, name, _)) = facts(state) else { return Vec::new() };
    state.open(dialogs::Recycle::new(campaign, name));
    vec![Effect::Ask(Question::Rounds(campaign))]
}

/// The import that goes on behind the screen, or a new one.
pub fn import(state: &mut State) {
    let dialog = state.behind.take().unwrap_or_else(|| Box::new(dialogs::ImportDialog::new(state, None)));
    state.open_boxed(dialog);
}

pub fn delete(state: &mut State) {
    if let Some(c) = state.target_campaign() {
        state.open(dialogs::Delete::new(c.row.id, c.row.name.clone(), c.row.counts.untagged));
    }
}

pub fn pause_all(state: &mut State) -> Vec<Effect> {
    let any = state.data.campaigns_in(Status::Running) > 0;
    match state.paused_all.take().filter(|_| !any) {
        Some(ids) => {
            state.undo.retain(|u| !matches!(u, Undo::PauseAll(_)));
            vec![Effect::ResumeAll(ids)]
        }
        None => vec![Effect::PauseAll],
    }
}
