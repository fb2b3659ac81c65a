//! What the gates look at: of calls that are claimed, of the one that is armed, and of the number and
//! trunk that a campaign goes out by. A fact of a new gate is a column here.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;

use super::{
    CampaignRow, LISTED, Setting, Store, StoreError, Tx,
    contacts::{Extra, Map},
    dnc::listed,
    pool::{on, on_tx, on_whole},
    sql::say,
};
use crate::domain::{
    call::State,
    campaign::Status,
    dispatch::History,
    id::{AssistantId, CallId, CampaignId, ContactId, Incarnation, TrunkId},
};

/// The contact's side of a dial.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ContactGates {
    pub id: CallId,
    pub phone_number: String,
    pub country: String,
    /// Where it may be by the tables of the day it was queued, and what its file said of that; see `domain::place`.
    pub zones: String,
    pub said: Option<String>,
    pub on_do_not_call: bool,
    /// Of the contact whose row it is.
    pub own_consent_at: Option<DateTime<Utc>>,
    /// The newest one that the owner has of the number, where somebody asked for the call: it is of no contact.
    pub known_consent: Option<Json<Consent>>,
    /// The contact was promised this call.
    pub promised: bool,
    pub history: Json<Vec<Dialled>>,
    /// The latest outcome of the owner's calls to the number is a wrong number.
    pub wrong_number: bool,
    /// The places that are closed, as the setting has them.
    pub closures: Option<String>,
    pub number_live: bool,
    pub number_held_until: Option<DateTime<Utc>>,
}

/// A consent that stands with a contact: when, of which, and how it came.
#[derive(Debug, Clone, serde::Deserialize, serde::Serialize)]
pub struct Consent {
    pub at: DateTime<Utc>,
    pub contact: ContactId,
    pub source: Option<String>,
}

/// One dial of a number: armed at, ended at, whether it may have rung, whether somebody talked, whether the
/// owner was told no.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Dialled(DateTime<Utc>, DateTime<Utc>, i64, i64, Option<i64>);

impl ContactGates {
    /// When whoever has the number agreed to be called.
    #[must_use]
    pub fn consent_at(&self) -> Option<DateTime<Utc>> {
        self.own_consent_at.or(self.known_consent.as_ref().map(|c| c.at))
    }

    /// What there has been with the number.
    #[must_use]
    pub fn history(&self) -> History {
        let last = |which: &dyn Fn(&Dialled) -> bool| self.history.iter().filter(|d| which(d)).map(|d| d.1).max();
        let mut dials: Vec<_> = self.history.iter().filter(|d| d.2 == 1).map(|d| d.0).collect();
        dials.sort_unstable();
        History { dials, talked_at: last(&|d| d.3 == 1), refused_at: last(&|d| d.4 == Some(1)), wrong_number: self.wrong_number }
    }
}

/// The newest consent that the owner of call `k` has of its number, list by list: each knows a number at once.
macro_rules! known_consent {
    () => {
        "SELECT #object('at', consent_at, 'contact', #hex(id), 'source', consent_source) FROM (
             SELECT c.consent_at, c.id, c.consent_source FROM contact_lists s #first contacts c ON c.contact_list_id = s.id AND c.phone_number = k.phone_number
              WHERE s.user_id = k.user_id
             UNION ALL
             SELECT c.consent_at, c.id, c.consent_source FROM csv_files s #first csv_contacts c ON c.csv_file_id = s.id AND c.phone_number = k.phone_number
              WHERE s.user_id = k.user_id) AS known
           WHERE consent_at IS NOT NULL ORDER BY consent_at DESC LIMIT 1"
    };
}

/// `$2` is the moment as far back as any limit of a number looks.
const CONTACT: &str = concat!(
    "k.id, k.phone_number, k.country, k.zones,
        ",
    listed!("k.user_id", "k.phone_number"),
    " AS on_do_not_call,
        COALESCE(w.said, f.said) AS said, COALESCE(w.consent_at, f.consent_at) AS own_consent_at,
        CASE WHEN k.priority = 2 THEN (",
    known_consent!(),
    ") END AS known_consent,
        k.priority = 1 AS promised,
        (SELECT #list(#array(o.armed_at, COALESCE(o.completed_at, o.armed_at), #bit(o.state NOT IN ('unsent', 'refused', 'not_placed')),
             #bit(o.answered_at IS NOT NULL AND COALESCE(o.outcome, '') <> 'voicemail'), #bit(o.outcome = 'not_interested' AND o.user_id = k.user_id)))
           FROM campaign_calls o WHERE o.phone_number = k.phone_number AND o.armed_at > $2) AS history,
        COALESCE((SELECT o.outcome FROM campaign_calls o WHERE o.phone_number = k.phone_number AND o.user_id = k.user_id AND o.outcome IS NOT NULL
           ORDER BY o.outcome_at DESC LIMIT 1), '') = 'wrong_number' AS wrong_number,
        (SELECT value FROM settings WHERE key = 'law_closed') AS closures,
        l.call_id IS NOT NULL AS number_live, l.held_until AS number_held_until"
);

/// The contact is of a list or of a file.
const OF_CONTACT: &str = "LEFT JOIN contacts w ON w.id = k.contact_id LEFT JOIN csv_contacts f ON f.id = k.contact_id
             LEFT JOIN numbers_live l ON l.number = k.phone_number";

/// What is judged of a call that is claimed, and what its script is rendered with.
#[derive(Debug, sqlx::FromRow)]
pub struct ClaimRow {
    #[sqlx(flatten)]
    pub gates: ContactGates,
    pub company: Option<String>,
    extra: Option<Json<Extra>>,
    columns: Option<Json<Vec<String>>>,
}

impl ClaimRow {
    /// The contact's other columns by their names.
    #[must_use]
    pub fn fields(self) -> Map {
        let columns = self.columns.map(|c| c.0).unwrap_or_default();
        self.extra.map(|e| e.0.named(&columns)).unwrap_or_default()
    }
}

/// Whether rows of a campaign may be claimed, read in one statement.
#[derive(Debug, sqlx::FromRow)]
pub struct ClaimStanding {
    pub execution_status: Status,
    pub generation: i64,
    pub deleted: bool,
    /// The engine that may claim and arm.
    pub leader: Option<String>,
}

/// Everything the gates judge when a call is armed, read in one statement.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ArmRow {
    #[sqlx(flatten)]
    pub contact: ContactGates,
    pub state: State,
    pub incarnation: Option<Incarnation>,
    pub claim_number: i64,
    pub hangup_requested_at: Option<DateTime<Utc>>,
    pub execution_status: Status,
    pub generation: i64,
    pub next_call_at: Option<DateTime<Utc>>,
    pub live: i64,
    pub kill_switch: Option<String>,
    pub kill_switch_reason: Option<String>,
    /// The engine that may claim and arm.
    pub leader: Option<String>,
    pub terms: Option<String>,
    pub national_list_at: Option<DateTime<Utc>>,
    /// Whether any answered call of the campaign found no agent: then they are counted.
    pub any_without_agent: bool,
    pub used_today: Option<i64>,
    /// The trunk, while the campaign's assistant still calls from this number over it.
    #[sqlx(flatten)]
    pub trunk: TrunkGates,
}

/// The trunk's side of a dial; all absent when there is none.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TrunkGates {
    pub trunk_live: Option<i64>,
    pub trunk_max_live: Option<i64>,
    pub trunk_tokens: Option<f64>,
    pub trunk_refilled_at: Option<DateTime<Utc>>,
    pub trunk_countries: Option<Json<Vec<String>>>,
}

pub(super) const TRUNK: &str = "t.live AS trunk_live, t.max_live AS trunk_max_live, t.tokens AS trunk_tokens, t.refilled_at AS trunk_refilled_at,
        t.countries AS trunk_countries";

/// The number an assistant calls from, and the trunk it goes out by.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OutgoingRow {
    pub trunk_id: TrunkId,
    pub livekit_id: String,
    pub caller_id: String,
    #[sqlx(flatten)]
    pub trunk: TrunkGates,
}

fn outgoing() -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!(
        "SELECT t.id AS trunk_id, t.livekit_id, n.number AS caller_id, {TRUNK}
         FROM phone_number n JOIN trunks t ON t.livekit_id = n.outbound_trunk_id
         WHERE n.inbound_assistant_id = $1 AND n.status = 'active' AND ($2 IS NULL OR n.number = $2) AND ($3 IS NULL OR t.livekit_id = $3)
         ORDER BY n.created_at DESC LIMIT 1"
    ))
}

impl Store {
    /// What an assistant calls by: its newest active number that has a trunk.
    pub async fn outgoing(&self, assistant: AssistantId) -> Result<Option<OutgoingRow>, StoreError> {
        let any: Option<&str> = None;
        Ok(on!(self.pool(), |db| sqlx::query_as(outgoing()).bind(assistant).bind(any).bind(any).fetch_optional(db).await?))
    }
}

impl Tx {
    /// The same, by this number and over this trunk where they are named.
    pub async fn outgoing_by(&mut self, assistant: AssistantId, number: Option<&str>, trunk: Option<&str>) -> Result<Option<OutgoingRow>, StoreError> {
        Ok(on_tx!(self, |db| sqlx::query_as(outgoing()).bind(assistant).bind(number).bind(trunk).fetch_optional(&mut *db).await?))
    }
}

impl Tx {
    pub async fn claim_standing(&mut self, campaign: CampaignId) -> Result<Option<ClaimStanding>, StoreError> {
        let sql = "SELECT execution_status, generation, deleted_at IS NOT NULL AS deleted, (SELECT value FROM settings WHERE key = $2) AS leader
                   FROM campaigns WHERE id = $1";
        Ok(on_tx!(self, |db| sqlx::query_as(sql).bind(campaign).bind(Setting::Leader.key()).fetch_optional(&mut *db).await?))
    }

    /// What the contact gates judge of calls, and what their scripts need.
    pub async fn claim_rows(&mut self, ids: &[CallId], since: DateTime<Utc>) -> Result<Vec<ClaimRow>, StoreError> {
        let sql = say(
            self.kind(),
            &format!(
                "SELECT {CONTACT}, COALESCE(w.company, f.company) AS company, COALESCE(w.extra, f.extra) AS extra,
                    (SELECT columns FROM source_columns WHERE source_id = COALESCE(w.contact_list_id, f.csv_file_id)) AS columns
             FROM campaign_calls k {OF_CONTACT}
             WHERE k.id IN (#ids($1))"
            ),
        );
        let ids: Vec<String> = ids.iter().map(|i| i.hex()).collect();
        Ok(on_whole!(self, |db| sqlx::query_as(sql).bind(serde_json::json!(ids).to_string()).bind(since).fetch_all(&mut *db).await?))
    }

    /// What all gates judge of one call of a campaign, that is to go out by a trunk and number.
    pub async fn arm_facts(
        &mut self,
        id: CallId,
        campaign: &CampaignRow,
        trunk: TrunkId,
        caller_id: &str,
        day: NaiveDate,
        since: DateTime<Utc>,
    ) -> Result<Option<ArmRow>, StoreError> {
        let sql = say(self.kind(), &format!(
            "SELECT {CONTACT}, k.state, k.incarnation, k.claim_number, (SELECT min(at) FROM call_requests WHERE call_id = k.id AND kind = 'hangup') AS hangup_requested_at,
                    c.execution_status, c.generation, n.next_call_at, n.live,
                    (SELECT value FROM settings WHERE key = $6 AND value <> '') AS kill_switch,
                    (SELECT value FROM settings WHERE key = $7) AS kill_switch_reason,
                    (SELECT value FROM settings WHERE key = $8) AS leader,
                    (SELECT value FROM settings WHERE key = $9) AS terms,
                    (SELECT #moment(value) FROM settings WHERE key = $10 AND value <> '') AS national_list_at,
                    EXISTS (SELECT 1 FROM campaign_calls o WHERE o.campaign_id = k.campaign_id AND o.abandoned = #yes) AS any_without_agent,
                    y.used AS used_today, {TRUNK}
             FROM campaign_calls k
             JOIN campaigns c ON c.id = k.campaign_id AND c.deleted_at IS NULL
             JOIN campaign_counts n ON n.campaign_id = k.campaign_id
             {OF_CONTACT}
             LEFT JOIN campaign_days y ON y.campaign_id = k.campaign_id AND y.day = $3
             LEFT JOIN phone_number p ON p.number = $5 AND p.inbound_assistant_id = c.assistant_id AND p.status = 'active'
             LEFT JOIN trunks t ON t.id = $4 AND t.livekit_id = p.outbound_trunk_id
             WHERE k.id = $1"
        ));
        let keys = [Setting::KillSwitch, Setting::KillSwitchReason, Setting::Leader, Setting::Terms, Setting::NationalList(campaign.user_id, LISTED)];
        Ok(on_whole!(self, |db| {
            let mut query = sqlx::query_as(sql).bind(id).bind(since).bind(day.to_string()).bind(trunk).bind(caller_id);
            for key in keys {
                query = query.bind(key.key());
            }
            query.fetch_optional(&mut *db).await?
        }))
    }
}
