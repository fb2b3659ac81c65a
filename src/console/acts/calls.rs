//! What is done with the call under the cursor, beside tags.

use super::super::{dialogs, message::Effect, rows::display_name, state::State};

/// Campaigns of one look.
const CAMPAIGNS: usize = 200;

pub fn note(state: &mut State) {
    if let Some(row) = state.target() {
        state.open(dialogs::Note::new(row.id, display_name(row), &row.notes.clone()));
    }
}

pub fn again(state: &mut State) {
    let Some(row) = state.target() else { return };
    // All that are there are looked at: an older one may be on a later page.
    if state.loaded && state.data.campaigns.len() < CAMPAIGNS && state.data.campaign(row.campaign_id).is_none() {
        let words = format!("\"{}\" is deleted: nobody is called again from it", row.campaign_name);
        return state.complain(words);
    }
    state.open(dialogs::Again::new(state, row));
}

pub fn hang_up(state: &mut State) {
    if let Some(row) = state.target() {
        state.open(dialogs::HangUp { call: row.id, name: display_name(row) });
    }
}

pub fn copy(state: &mut State) -> Vec<Effect> {
    let Some((name, number)) = state.target().map(|r| (display_name(r), r.phone_number.clone())) else { return Vec::new() };
    state.say(format!("the number of {name} is in your clipboard, if the terminal allows it"));
    vec![Effect::Copy(number)]
}

/// The row as the REST API's readers know its fields.
pub fn copy_row(state: &mut State) -> Vec<Effect> {
    let Some(row) = state.target() else { return Vec::new() };
    let name = display_name(row);
    let json = serde_json::json!({
        "id": row.id,
        "campaign": row.campaign_name,
        "campaignId": row.campaign_id,
        "phoneNumber": row.phone_number,
        "contactName": row.contact_name,
        "attempt": row.attempt,
        "state": row.state.words_if(row.armed_at.is_some()),
        "reason": row.reason,
        "sipCode": row.sip_code,
        "dialledAt": row.armed_at,
        "answeredAt": row.answered_at,
        "endedAt": row.completed_at,
        "duration": row.call_duration,
        "outcome": row.outcome,
        "notes": row.notes,
    });
    state.say(format!("the call with {name} is in your clipboard as JSON, if the terminal allows it"));
    vec![Effect::Copy(json.to_string())]
}
