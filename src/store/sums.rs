//! What moves with calls: the counters of campaigns, the sums of minutes, the lines of trunks. One text for all of
//! them: each statement by itself costs two changes of threads.

use std::{collections::BTreeMap, sync::LazyLock};

use chrono::DateTime;
use serde_json::{Value, json};

use super::{StoreError, Tx, texts::Part};
use crate::domain::{
    id::{CampaignId, TrunkId},
    stats::{Counts, Pace},
};

/// Differences to be added.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    pub campaigns: BTreeMap<CampaignId, Counts>,
    /// Of a campaign's minutes.
    pub minutes: BTreeMap<(CampaignId, i64), Pace>,
    pub trunks: BTreeMap<TrunkId, i64>,
}

static CAMPAIGNS: LazyLock<String> = LazyLock::new(|| {
    let set: Vec<String> = Counts::COLUMNS.iter().zip(1..).map(|(c, i)| format!("{c} = {c} + #int(v, {i})")).collect();
    format!("UPDATE campaign_counts SET {} FROM #keyed($rows) WHERE campaign_id = j.row_id", set.join(", "))
});

const MINUTES: &str = "INSERT INTO campaign_minutes (campaign_id, minute, armed, dials, answered, abandoned, failed, talk_seconds)
    SELECT #id(v, 0), #int(v, 1), #int(v, 2), #int(v, 3), #int(v, 4), #int(v, 5), #int(v, 6), #int(v, 7) FROM #rows($rows) WHERE true
    ON CONFLICT (campaign_id, minute) DO UPDATE SET armed = campaign_minutes.armed + excluded.armed, dials = campaign_minutes.dials + excluded.dials,
        answered = campaign_minutes.answered + excluded.answered, abandoned = campaign_minutes.abandoned + excluded.abandoned,
        failed = campaign_minutes.failed + excluded.failed, talk_seconds = campaign_minutes.talk_seconds + excluded.talk_seconds";

// A call found alive after all is on the line whatever the limit says; the count stays true and the limit is only
// exceeded by it.
const TRUNKS: &str = "UPDATE trunks SET max_live = #most(max_live, live + #int(v, 1)), live = #most(0, live + #int(v, 1))
    FROM #rows($rows) WHERE id = #id(v, 0)";

fn campaign((id, delta): (&CampaignId, &Counts)) -> Value {
    [Value::from(id.hex())].into_iter().chain(delta.values().into_iter().map(Value::from)).collect()
}

fn minute(((id, minute), moved): (&(CampaignId, i64), &Pace)) -> Value {
    [Value::from(id.hex()), Value::from(*minute)].into_iter().chain(moved.values().into_iter().map(Value::from)).collect()
}

impl Sums {
    /// The statements that add them.
    pub(super) fn parts(&self) -> impl Iterator<Item = Part> {
        let campaigns = self.campaigns.iter().filter(|(_, d)| !d.is_zero()).map(campaign).collect();
        let minutes = self.minutes.iter().filter(|(_, m)| !m.is_zero()).map(minute).collect();
        let trunks = self.trunks.iter().filter(|(_, d)| **d != 0).map(|(id, d)| json!([id.hex(), d])).collect();
        [Part::of(CAMPAIGNS.as_str(), campaigns), Part::of(MINUTES, minutes), Part::of(TRUNKS, trunks)].into_iter().flatten()
    }
}

impl Tx {
    /// Adds all of them.
    pub async fn add_sums(&mut self, sums: &Sums) -> Result<(), StoreError> {
        self.run_parts(sums.parts().collect(), DateTime::UNIX_EPOCH).await.map(drop)
    }

    /// Moves a campaign's counters.
    pub async fn add_counts(&mut self, id: CampaignId, delta: &Counts) -> Result<(), StoreError> {
        self.add_sums(&Sums { campaigns: [(id, *delta)].into(), ..Sums::default() }).await
    }

    /// Adds differences to the minutes of campaigns.
    pub async fn add_minutes(&mut self, minutes: BTreeMap<(CampaignId, i64), Pace>) -> Result<(), StoreError> {
        self.add_sums(&Sums { minutes, ..Sums::default() }).await
    }

    /// Lines of a trunk that calls took or gave back.
    pub async fn move_trunk_lines(&mut self, id: TrunkId, delta: i64) -> Result<(), StoreError> {
        self.add_sums(&Sums { trunks: [(id, delta)].into(), ..Sums::default() }).await
    }
}
