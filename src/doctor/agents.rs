//! Agent workers: whether one comes when it is called, into a room where nobody else is.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;

use super::{Finding, Patient};
use crate::{
    desk::{Desk, DeskError},
    domain::{campaign::Status, id::OwnerId, text::clean},
    telephony::{Carrier, CarrierError, livekit::LiveKit},
};

/// Between two looks into the room.
const LOOK: Duration = Duration::from_millis(250);

/// More names are not tried: each may take the whole wait.
const NAMES: usize = 5;

pub async fn workers(p: &Patient) -> Vec<Finding> {
    let Some((livekit, exam)) = &p.livekit else { return Vec::new() };
    // What does not even list its rooms brings no agent: said there.
    if exam.rooms.is_err() {
        return Vec::new();
    }
    let mut names: BTreeSet<String> = [p.config.agent_name.clone()].into();
    if let Some(desk) = &p.desk {
        match named(desk, &p.owners).await {
            Ok(more) => names.extend(more),
            Err(e) => return super::unread("agents", &e),
        }
    }
    let mut found = Vec::new();
    for name in names.iter().take(NAMES) {
        found.push(called(livekit, name, p.config.agent_wait).await);
    }
    found
}

/// Workers that campaigns which are not over ask for by a name of their own.
async fn named(desk: &Desk, owners: &[OwnerId]) -> Result<Vec<String>, DeskError> {
    let mut names = Vec::new();
    for owner in owners {
        let rows = desk.store().campaigns(*owner, None, 500, 0).await?.rows;
        let open = rows.into_iter().filter(|c| c.execution_status != Status::Completed);
        names.extend(open.filter_map(|c| c.agent_name.or(c.assistant_agent_name)).filter(|n| !n.is_empty()));
    }
    Ok(names)
}

async fn called(livekit: &LiveKit, name: &str, wait: Duration) -> Finding {
    let room = format!("dialdeck-doctor-{}", uuid::Uuid::new_v4().simple());
    let came = comes(livekit, &room, name, wait).await;
    // Whatever came of it, nobody is left alone in there.
    if let Err(e) = livekit.delete_room(room.clone()).await {
        tracing::debug!(target: "doctor", error = %e, "the room of the check could not be deleted");
    }
    let shown = clean(name, 100);
    match came {
        Ok(true) => Finding::good("agent", format!("a worker named \"{shown}\" comes when it is called")),
        Ok(false) => Finding::bad(
            "no_agent",
            format!("Calls not connecting: no agent worker named \"{shown}\" came within {} s, so nobody would be dialled", wait.as_secs()),
            "start the worker with this name (LK_AGENT_NAME, and agent_name in the worker), on the same LiveKit; or start more, if they are full",
        ),
        Err(e) => Finding::bad("agent_unasked", format!("no agent could be called: {e}"), "use a key that may create rooms and dispatch agents"),
    }
}

async fn comes(livekit: &LiveKit, room: &str, name: &str, wait: Duration) -> Result<bool, CarrierError> {
    // What every job of ours carries, and no call: a worker that reads it finds nobody to talk to.
    let metadata = json!({ "prompt": "", "contactName": "", "company": "", "campaignId": "", "callId": "", "assistantId": "", "callType": "check", "language": "", "v": 1 });
    livekit.dispatch(room.to_owned(), name.to_owned(), metadata.to_string()).await?;
    let looked = async {
        loop {
            tokio::time::sleep(LOOK).await;
            if livekit.look(room.to_owned()).await?.iter().any(|p| p.is_agent(name) && p.active) {
                return Ok(true);
            }
        }
    };
    tokio::time::timeout(wait, looked).await.unwrap_or(Ok(false))
}
