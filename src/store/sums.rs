//! What moves with calls: the counters of campaigns, the sums of minutes, the lines of trunks. One text for all of
//! them: each statement by itself costs two changes of threads.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::{Value, json};

use super::{StoreError, Tx, pool::changing, sql::together};
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
    format!("UPDATE campaign_counts SET {} FROM #rows($1) WHERE campaign_id = #id(v, 0)", set.join(", "))
});

const MINUTES: &str = "INSERT INTO campaign_minutes (campaign_id, minute, armed, dials, answered, abandoned, failed, talk_seconds)
    SELECT #id(v, 0), #int(v, 1), #int(v, 2), #int(v, 3), #int(v, 4), #int(v, 5), #int(v, 6), #int(v, 7) FROM #rows($2) WHERE true
    ON CONFLICT (campaign_id, minute) DO UPDATE SET armed = campaign_minutes.armed + excluded.armed, dials = campaign_minutes.dials + excluded.dials,
        answered = campaign_minutes.answered + excluded.answered, abandoned = campaign_minutes.abandoned + excluded.abandoned,
        failed = campaign_minutes.failed + excluded.failed, talk_seconds = campaign_minutes.talk_seconds + excluded.talk_seconds";

// A call found alive after all is on the line whatever the limit says; the count stays true and the limit is only
// exceeded by it.
const TRUNKS: &str = "UPDATE trunks SET max_live = #most(max_live, live + #int(v, 1)), live = #most(0, live + #int(v, 1))
    FROM #rows($3) WHERE id = #id(v, 0)";

fn campaign((id, delta): (&CampaignId, &Counts)) -> Value {
    [Value::from(id.hex())].into_iter().chain(delta.values().into_iter().map(Value::from)).collect()
}

fn minute(((id, minute), moved): (&(CampaignId, i64), &Pace)) -> Value {
    [Value::from(id.hex()), Value::from(*minute)].into_iter().chain(moved.values().into_iter().map(Value::from)).collect()
}

impl Tx {
    /// Adds all of them.
    pub async fn add_sums(&mut self, sums: &Sums) -> Result<(), StoreError> {
        let campaigns: Vec<Value> = sums.campaigns.iter().filter(|(_, d)| !d.is_zero()).map(campaign).collect();
        let minutes: Vec<Value> = sums.minutes.iter().filter(|(_, m)| !m.is_zero()).map(minute).collect();
        let trunks: Vec<Value> = sums.trunks.iter().filter(|(_, d)| **d != 0).map(|(id, d)| json!([id.hex(), d])).collect();
        let parts = [(CAMPAIGNS.as_str(), campaigns), (MINUTES, minutes), (TRUNKS, trunks)];
        let texts: Vec<&str> = parts.iter().filter(|(_, rows)| !rows.is_empty()).map(|(sql, _)| *sql).collect();
        if texts.is_empty() {
            return Ok(());
        }
        let text = sqlx::AssertSqlSafe(together(self.kind(), &texts));
        changing!(self, text, |query| parts.into_iter().fold(query, |query, (_, rows)| query.bind(Value::from(rows).to_string())));
        Ok(())
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
