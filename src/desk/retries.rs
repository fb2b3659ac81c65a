//! The next attempt at a contact: a new row, due by the rule of the result, inside one budget.

use std::collections::{BTreeMap, HashMap, btree_map::Entry};

use chrono::{DateTime, Utc};

use super::DeskError;
use crate::{
    domain::{
        campaign::Status,
        id::{CallId, CampaignId, ContactId},
        outcome::Outcome,
        retry,
        stats::Counts,
    },
    store::{CallRow, CampaignRow, ContactRows, NewCall, Tx},
};

/// Attempts that were the trunk's fault or nobody's, beside those of the budget.
const FREE_ATTEMPTS: i64 = 10;

/// Queues the next attempts after calls that have ended, while their campaigns go on.
pub(super) async fn queue(tx: &mut Tx, ended: &[&CallRow], now: DateTime<Utc>) -> Result<(), DeskError> {
    let wanted: Vec<(&CallRow, ContactId)> = ended.iter().filter(|r| may_follow(r)).filter_map(|r| Some((*r, r.contact_id?))).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let contacts: Vec<_> = wanted.iter().map(|(r, contact)| (r.campaign_id, *contact)).collect();
    let so_far: HashMap<_, ContactRows> = tx.rows_of_contacts(&contacts).await?.into_iter().map(|c| ((c.campaign_id, c.contact_id), c)).collect();
    let mut campaigns: BTreeMap<CampaignId, (CampaignRow, Vec<NewCall>)> = BTreeMap::new();
    for (row, contact) in wanted {
        let Some(done) = so_far.get(&(row.campaign_id, contact)) else { continue };
        let (campaign, calls) = match campaigns.entry(row.campaign_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let Some(campaign) = tx.campaign(row.user_id, row.campaign_id).await? else { continue };
                place.insert((campaign, Vec::new()))
            }
        };
        calls.extend(next(campaign, row, *done, now));
    }
    for (id, (campaign, calls)) in campaigns.into_iter().filter(|(_, (_, calls))| !calls.is_empty()) {
        tx.insert_calls(campaign.user_id, id, &calls, now).await?;
        let n = i64::try_from(calls.len()).unwrap_or(0);
        tx.add_counts(id, &Counts { total: n, pending: n, ..Counts::default() }).await?;
    }
    Ok(())
}

/// Whether any rule could call for another attempt after this result.
fn may_follow(row: &CallRow) -> bool {
    let settled = matches!(row.outcome, Some(Outcome::DoNotCall | Outcome::WrongNumber));
    !settled && retry::may_follow(row.state, row.charged)
}

fn next(campaign: &CampaignRow, row: &CallRow, done: ContactRows, now: DateTime<Utc>) -> Option<NewCall> {
    let goes_on = matches!(campaign.execution_status, Status::Running | Status::Paused | Status::Error);
    let rules = &campaign.retry.0;
    // One open row a contact and campaign: a claimed next attempt stands. And what charges no attempt
    // must still come to an end.
    if !goes_on || done.open > 0 || done.total >= rules.max_attempts + FREE_ATTEMPTS {
        return None;
    }
    let due = retry::next_attempt(rules, row.state, row.attempt, row.charged, now)?;
    Some(NewCall {
        id: CallId::fresh(),
        contact_id: row.contact_id,
        phone_number: row.phone_number.clone(),
        contact_name: row.contact_name.clone(),
        contact_email: row.contact_email.clone(),
        country: row.country.clone(),
        zones: row.zones.clone(),
        position: row.position,
        attempt: row.attempt + i64::from(row.charged),
        dialable_at: due,
        priority: 0,
    })
}
