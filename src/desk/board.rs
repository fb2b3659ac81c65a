//! The board of the one decision, read off the rows for whoever asks: the scheduler before it claims, and
//! "why is nothing dialling?".

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
};

use chrono::{DateTime, Utc};

use super::{Desk, DeskError, hours::LegalHours};
use crate::{
    domain::{
        dispatch::{self, Board, CampaignFacts, Closure, Decision, InstallationFacts, TrunkFacts, ZoneFacts},
        id::{CampaignId, TrunkId},
        rules::Rules,
        schedule, zone,
    },
    store::{CampaignRow, LISTED, OutgoingRow, Setting, TrunkGates, Values, ZoneHead},
};

/// What only an engine knows: the calls in its hands, and whom it served last.
#[derive(Debug, Default)]
pub struct Hands {
    /// Calls claimed and being prepared, by campaign and by trunk.
    pub campaigns: HashMap<CampaignId, i64>,
    pub trunks: HashMap<TrunkId, i64>,
    /// When a zone of a campaign was claimed from last.
    pub served: HashMap<(CampaignId, String), DateTime<Utc>>,
}

/// The settings that hold everybody.
pub(super) const STANDING: [Setting; 3] = [Setting::KillSwitch, Setting::KillSwitchReason, Setting::Terms];

/// Why a campaign waits for an agent worker, in words, and when one is tried again.
pub type NoAgent = Option<(String, Option<DateTime<Utc>>)>;

/// A decision with what it was made from.
#[derive(Debug)]
pub struct Look {
    pub decision: Decision,
    pub board: Board,
    /// The number and trunk that the campaign goes out by.
    pub outgoing: Option<OutgoingRow>,
}

/// What is judged of a campaign and does not stand in its row.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub outgoing: Option<OutgoingRow>,
    pub used_today: i64,
    pub national_list_at: Option<DateTime<Utc>>,
    pub brake: Option<String>,
    pub no_agent: NoAgent,
}

impl Desk {
    /// The gates that are one for everybody, as the rows have them; what is not well is for the asker to say.
    pub async fn standing(&self) -> Result<InstallationFacts, DeskError> {
        Ok(self.standing_in(&self.store.settings(&STANDING).await?))
    }

    /// The same of settings that were read, [`STANDING`] among them.
    pub(super) fn standing_in(&self, values: &Values) -> InstallationFacts {
        let reason = || values.get(Setting::KillSwitchReason).unwrap_or_default().to_owned();
        InstallationFacts { kill_switch: values.get(Setting::KillSwitch).map(|_| reason()), terms_missing: self.terms_missing(values), unwell: None }
    }

    /// Whether a campaign may dial, with whom, and if not, why and until when.
    pub async fn decide(&self, row: &CampaignRow, installation: &InstallationFacts, hands: &Hands, no_agent: NoAgent) -> Result<Look, DeskError> {
        let now = self.now();
        let beside = Beside {
            outgoing: self.store.outgoing(row.assistant_id).await?,
            used_today: self.store.campaign_day(row.id, schedule::local_day(row.zone(), now)).await?.map_or(0, |d| d.used),
            national_list_at: self.store.setting(Setting::NationalList(row.user_id, LISTED)).await?.and_then(|t| t.parse().ok()),
            brake: self.brake(row).await?,
            no_agent,
        };
        let (mut board, outgoing) = self.board(row, installation, hands, beside, now);
        if dispatch::before_queue(&self.rules, &board).is_ok() {
            board.zones = self.zones(row, hands, now).await?;
        }
        Ok(Look { decision: dispatch::decide(&self.rules, &board), board, outgoing })
    }

    /// A campaign's board without its queues, and what it goes out by.
    pub(super) fn board(
        &self,
        row: &CampaignRow,
        installation: &InstallationFacts,
        hands: &Hands,
        beside: Beside,
        now: DateTime<Utc>,
    ) -> (Board, Option<OutgoingRow>) {
        let Beside { outgoing, used_today, national_list_at, brake, no_agent } = beside;
        let campaign = CampaignFacts {
            national_list_at,
            preparing: hands.campaigns.get(&row.id).copied().unwrap_or(0),
            brake,
            no_agent,
            ..campaign_facts(row, used_today, row.counts.live, row.next_call_at)
        };
        let trunk = outgoing.as_ref().and_then(|o| {
            let preparing = hands.trunks.get(&o.trunk_id).copied().unwrap_or(0);
            Some(TrunkFacts { preparing, ..trunk_facts(&self.rules, &o.trunk)? })
        });
        (Board { now, installation: installation.clone(), campaign, trunk, zones: Vec::new() }, outgoing)
    }

    /// The heads of a campaign's queues.
    pub(super) async fn zones(&self, row: &CampaignRow, hands: &Hands, now: DateTime<Utc>) -> Result<Vec<ZoneFacts>, DeskError> {
        let heads = self.store.zone_heads(row.id).await?;
        Ok(self.zones_in(row, heads, &self.closures().await?, hands, now))
    }

    /// The same of heads that were read.
    pub(super) fn zones_in(&self, row: &CampaignRow, heads: Vec<ZoneHead>, closures: &[Closure], hands: &Hands, now: DateTime<Utc>) -> Vec<ZoneFacts> {
        let hours = |h: &ZoneHead| self.openings.of(&self.rules, &h.zones, now.max(h.due), now);
        heads.into_iter().map(|h| zone_facts(hours(&h), closures, row, h, hands, now)).collect()
    }
}

/// The campaign's side of the gates, as its row has it.
pub(super) fn campaign_facts(c: &CampaignRow, used_today: i64, live: i64, next_call_at: Option<DateTime<Utc>>) -> CampaignFacts {
    CampaignFacts {
        status: c.execution_status,
        status_reason: c.status_reason.clone(),
        has_script: !c.script().trim().is_empty(),
        national_list_at: None,
        window: c.window(),
        zone: c.zone(),
        used_today,
        daily_cap: c.daily_cap,
        live,
        preparing: 0,
        max_concurrent: c.max_concurrent,
        brake: None,
        // A row that was written by hand must not be able to overflow a moment.
        call_delay_ms: c.call_delay_ms.clamp(0, 3_600_000),
        next_call_at,
        no_agent: None,
        pending: c.counts.pending,
        processing: c.counts.processing,
        filling: c.fill_position.is_some(),
        by_hand: false,
    }
}

/// The trunk's side of the gates; `None` when there is none.
pub(super) fn trunk_facts(rules: &Rules, t: &TrunkGates) -> Option<TrunkFacts> {
    Some(TrunkFacts {
        live: t.trunk_live?,
        // A call found alive may have pushed the row's own limit up.
        max_live: t.trunk_max_live?.min(rules.trunk_concurrent),
        preparing: 0,
        tokens: t.trunk_tokens?,
        refilled_at: t.trunk_refilled_at?,
        calls_per_second: rules.calls_per_second,
        countries: t.trunk_countries.as_ref().map(|c| c.0.clone()).unwrap_or_default(),
    })
}

/// The head of a zone's queue, with when the law of its places is open in all its zones.
fn zone_facts(hours: LegalHours, closures: &[Closure], campaign: &CampaignRow, head: ZoneHead, hands: &Hands, now: DateTime<Utc>) -> ZoneFacts {
    let closed = closures.iter().find(|c| c.holds_at(now) && zone::states_of(&head.zones).any(|p| c.covers(p)));
    let served = hands.served.get(&(campaign.id, head.zones.clone())).copied();
    let lot = lot(&campaign.name, &head.zones);
    ZoneFacts {
        opens: closed.map_or(hours.opens, |c| c.until),
        awake: hours.awake,
        closes: hours.closes,
        law: hours.law,
        place_closed: closed.map(Closure::words),
        key: head.zones,
        due: head.due,
        promised: head.promised,
        served,
        lot,
    }
}

/// Another order of the zones for each campaign, the same at every look; by its name, for an id would make
/// simulated time depend on more than its seed.
fn lot(campaign: &str, zones: &str) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    (campaign, zones).hash(&mut hasher);
    hasher.finish()
}
