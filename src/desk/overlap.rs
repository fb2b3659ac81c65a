//! Whom a list has before a campaign calls it: who else calls these people, and who was dialled today. The same person
//! is not meant to be rung by two campaigns within minutes.

use chrono::{DateTime, Duration, Utc};

use super::{Desk, DeskError};
use crate::{
    domain::{
        campaign::Status,
        id::{CampaignId, OwnerId, SourceId},
        schedule,
        text::clean,
    },
    store::{CampaignRow, ContactTable},
};

/// A list as a new campaign over it would find it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overlap {
    /// [`People::contacts`](crate::domain::people::People::contacts).
    pub contacts: i64,
    /// [`People::do_not_call`](crate::domain::people::People::do_not_call) of a campaign that has not begun.
    pub do_not_call: i64,
    /// Other campaigns that go on and call some of them.
    pub others: Vec<AlsoCalls>,
    /// Whom of them this owner dialled since midnight, on the campaign's clock.
    pub dialled_today: i64,
}

/// A campaign that calls some of the same people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlsoCalls {
    pub campaign: String,
    pub list: String,
    pub people: i64,
}

/// More campaigns than this are not compared.
const MOST: usize = 20;

impl Overlap {
    /// A sentence for each campaign that calls them too, and one for today; none where nobody does.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let people = |n: i64| if n == 1 { "1 of these people is".to_owned() } else { format!("{n} of these people are") };
        let mut lines: Vec<String> = self
            .others
            .iter()
            .map(|o| format!("{} in list \"{}\" that \"{}\" calls too.", people(o.people), clean(&o.list, 40), clean(&o.campaign, 40)))
            .collect();
        lines.extend(match self.dialled_today {
            0 => None,
            1 => Some("1 of them was dialled today.".to_owned()),
            n => Some(format!("{n} of them were dialled today.")),
        });
        lines
    }
}

impl Desk {
    /// What a campaign over a list finds; `but` is that campaign, where there is one.
    pub async fn overlap(
        &self,
        owner: OwnerId,
        (table, list): (ContactTable, SourceId),
        but: Option<CampaignId>,
        today: DateTime<Utc>,
    ) -> Result<Overlap, DeskError> {
        let store = &self.store;
        let Some(source) = store.source(owner, list).await? else { return Ok(Overlap::default()) };
        let mut others = Vec::new();
        let going = |c: &CampaignRow| matches!(c.execution_status, Status::Running | Status::Paused | Status::Error) && Some(c.id) != but;
        for row in store.campaigns(owner, None, 200, 0).await?.rows.iter().filter(|c| going(c)).take(MOST) {
            let Some(other) = row.source_id() else { continue };
            let people = if other == list { source.contacts } else { store.in_both_lists((table, list), (row.contact_source, other)).await? };
            if people > 0 {
                let list = row.csv_file_name.clone().or_else(|| row.contact_list_name.clone()).unwrap_or_default();
                others.push(AlsoCalls { campaign: row.name.clone(), list, people });
            }
        }
        Ok(Overlap {
            contacts: source.contacts,
            do_not_call: store.silent_in_list(owner, table, list).await?,
            others,
            dialled_today: store.dialled_in_list(owner, table, list, today).await?,
        })
    }

    /// The same of a campaign that is there, on its own clock.
    pub async fn overlap_of(&self, row: &CampaignRow) -> Result<Overlap, DeskError> {
        let Some(list) = row.source_id() else { return Ok(Overlap::default()) };
        let midnight = schedule::next_day(row.zone(), self.now() - Duration::days(1));
        self.overlap(row.user_id, (row.contact_source, list), Some(row.id), midnight).await
    }
}
