//! "Campaign not calling": the gate that is in the way of each campaign, and until when.

use super::{Finding, Patient, unread};
use crate::{
    desk::{Desk, DeskError},
    domain::{campaign::Status, id::OwnerId},
    store::CampaignRow,
};

pub async fn waiting(p: &Patient) -> Vec<Finding> {
    let Some(desk) = &p.desk else { return super::no_rows() };
    match look(desk, &p.owners).await {
        Ok(found) if found.is_empty() => vec![Finding::warning("no_campaign", "no campaign is running", "start one: `dialdeck campaign start NAME`")],
        Ok(found) => found,
        Err(e) => unread("campaigns", &e),
    }
}

async fn look(desk: &Desk, owners: &[OwnerId]) -> Result<Vec<Finding>, DeskError> {
    let mut found = Vec::new();
    for owner in owners {
        for row in desk.store().campaigns(*owner, None, 500, 0).await?.rows {
            match row.execution_status {
                Status::Running => found.push(running(desk, &row).await?),
                Status::Paused | Status::Error => found.push(stopped(&row)),
                Status::Idle | Status::Completed => {}
            }
        }
    }
    Ok(found)
}

/// The spec's third case.
async fn running(desk: &Desk, row: &CampaignRow) -> Result<Finding, DeskError> {
    let why = desk.explain(row).await?;
    let until = why.until.map_or_else(String::new, |t| format!(", until {}", t.with_timezone(&row.zone()).format("%a %Y-%m-%d %H:%M %Z")));
    let words = format!("campaign \"{}\": {}{until}", row.name, why.message);
    let name = &row.name;
    let way_out = match why.gate.as_str() {
        "open" | "concurrency" | "call_delay" | "trunk_concurrency" | "trunk_rate" => return Ok(Finding::good("campaign", words)),
        "hours" => format!("it goes on by itself then; `dialdeck campaign edit \"{name}\" --hours 9-17 --days ...` changes hours and days"),
        "daily_cap" => format!("it goes on by itself tomorrow; `dialdeck campaign edit \"{name}\" --cap N` changes the cap"),
        "kill_switch" | "terms" | "engine" => "see the check of dialling".to_owned(),
        "agent" => "see the check of the agent worker".to_owned(),
        _ => format!("`dialdeck campaign why \"{name}\"` tells more"),
    };
    Ok(Finding::warning("campaign_waits", words, way_out))
}

fn stopped(row: &CampaignRow) -> Finding {
    let reason = if row.status_reason.is_empty() { "without a reason" } else { &row.status_reason };
    let words = format!("campaign \"{}\" is not calling: {}, {reason}", row.name, row.execution_status.as_str());
    if row.execution_status == Status::Error {
        return Finding::bad("campaign_error", words, format!("mend it, then `dialdeck campaign start \"{}\"`", row.name));
    }
    Finding::warning("campaign_paused", words, format!("`dialdeck campaign resume \"{}\"`", row.name))
}
