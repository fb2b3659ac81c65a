//! The structs that mirror tables and joins. Public fields, no thinking.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::types::Json;

use crate::domain::{
    call::{Basis, State},
    campaign::{CALL_S, ContactSource, LONGEST_DELAY_MS, MOST_AT_ONCE, RING_S, Settings, Status},
    event::{Doubt, Leave, LegStatus},
    id::{AssistantId, CallId, CampaignId, ContactId, Incarnation, OwnerId, SourceId, TrunkId},
    outcome::{Outcome, Who},
    retry::RetryRules,
    schedule::{Days, Window},
    stats::Counts,
    zone::Zone,
};

/// A column that was once written without a range, brought into it: sums and waits are made of it.
struct Within<const LOW: i64, const HIGH: i64>(i64);

type Ring = Within<{ RING_S.0 }, { RING_S.1 }>;
type Talk = Within<{ CALL_S.0 }, { CALL_S.1 }>;
type Delay = Within<0, LONGEST_DELAY_MS>;
type AtOnce = Within<0, MOST_AT_ONCE>;

impl<const LOW: i64, const HIGH: i64, D: sqlx::Database> sqlx::Type<D> for Within<LOW, HIGH>
where
    i64: sqlx::Type<D>,
{
    fn type_info() -> D::TypeInfo {
        i64::type_info()
    }
}

impl<'r, const LOW: i64, const HIGH: i64, D: sqlx::Database> sqlx::Decode<'r, D> for Within<LOW, HIGH>
where
    i64: sqlx::Decode<'r, D>,
{
    fn decode(value: D::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        i64::decode(value).map(Self)
    }
}

impl<const LOW: i64, const HIGH: i64> From<Within<LOW, HIGH>> for i64 {
    fn from(value: Within<LOW, HIGH>) -> Self {
        value.0.clamp(LOW, HIGH)
    }
}

/// A campaign with its counters, its assistant's and its source's names.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CampaignRow {
    pub id: CampaignId,
    pub user_id: OwnerId,
    pub name: String,
    pub assistant_id: AssistantId,
    pub assistant_name: String,
    pub assistant_agent_name: Option<String>,
    pub assistant_prompt: String,
    pub assistant_language: String,
    pub contact_source: ContactSource,
    pub contact_list_id: Option<SourceId>,
    pub contact_list_name: Option<String>,
    pub csv_file_id: Option<SourceId>,
    pub csv_file_name: Option<String>,
    pub daily_cap: i64,
    pub calling_days: Json<Vec<String>>,
    pub start_hour: i64,
    pub end_hour: i64,
    pub start_minute: i64,
    pub end_minute: i64,
    pub timezone: String,
    pub campaign_prompt: String,
    pub agent_name: Option<String>,
    #[sqlx(try_from = "AtOnce")]
    pub max_concurrent: i64,
    #[sqlx(try_from = "Delay")]
    pub call_delay_ms: i64,
    #[sqlx(try_from = "Ring")]
    pub ring_timeout_s: i64,
    #[sqlx(try_from = "Talk")]
    pub max_call_duration_s: i64,
    pub retry: Json<RetryRules>,
    pub contact_hours: bool,
    pub execution_status: Status,
    pub status_reason: String,
    pub status_actor: String,
    pub status_at: DateTime<Utc>,
    pub generation: i64,
    pub fill_position: Option<i64>,
    /// The built-in campaign of single calls.
    pub manual: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub next_call_at: Option<DateTime<Utc>>,
    pub last_execution_at: Option<DateTime<Utc>>,
    #[sqlx(flatten)]
    pub counts: Counts,
}

impl CampaignRow {
    /// Where its contacts come from.
    #[must_use]
    pub fn source_id(&self) -> Option<SourceId> {
        match self.contact_source {
            ContactSource::ContactList => self.contact_list_id,
            ContactSource::CsvFile => self.csv_file_id,
        }
    }

    #[must_use]
    pub fn zone(&self) -> Zone {
        self.timezone.parse().unwrap_or(Zone::utc())
    }

    /// Somebody stopped it: it is not done, and a new start calls whoever is left.
    #[must_use]
    pub fn was_stopped(&self) -> bool {
        self.execution_status == Status::Completed && self.status_actor != "engine"
    }

    /// The script: the campaign's, else the assistant's prompt.
    #[must_use]
    pub fn script(&self) -> &str {
        if self.campaign_prompt.trim().is_empty() { &self.assistant_prompt } else { &self.campaign_prompt }
    }

    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            daily_cap: self.daily_cap,
            calling_days: Days::parse(&self.calling_days.0).unwrap_or(Days::WORKDAYS),
            start_hour: self.start_hour,
            end_hour: self.end_hour,
            start_minute: self.start_minute,
            end_minute: self.end_minute,
            timezone: self.zone(),
            max_concurrent: self.max_concurrent,
            call_delay_ms: self.call_delay_ms,
            ring_timeout_s: self.ring_timeout_s,
            max_call_duration_s: self.max_call_duration_s,
            retry: self.retry.0,
            contact_hours: self.contact_hours,
        }
    }

    /// The calling window; a row that has none that is valid never opens.
    #[must_use]
    pub fn window(&self) -> Window {
        self.settings().window().unwrap_or(Window { days: Days::WORKDAYS, start: 1, end: 1 })
    }
}

/// A flag as its column keeps it: SQLite's is a number.
fn flag<'de, D: serde::Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    struct Flag;
    impl serde::de::Visitor<'_> for Flag {
        type Value = bool;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a flag")
        }

        fn visit_bool<E>(self, flag: bool) -> Result<bool, E> {
            Ok(flag)
        }

        fn visit_i64<E>(self, number: i64) -> Result<bool, E> {
            Ok(number != 0)
        }

        fn visit_u64<E>(self, number: u64) -> Result<bool, E> {
            Ok(number != 0)
        }
    }
    from.deserialize_any(Flag)
}

impl<'de, const LOW: i64, const HIGH: i64> Deserialize<'de> for Within<LOW, HIGH> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        i64::deserialize(from).map(Self)
    }
}

/// A column brought into its range.
fn within<'de, W: Deserialize<'de> + Into<i64>, D: serde::Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    W::deserialize(from).map(Into::into)
}

/// A call: one attempt at one contact.
#[derive(Debug, Clone, sqlx::FromRow, Deserialize)]
pub struct CallRow {
    pub id: CallId,
    pub user_id: OwnerId,
    pub campaign_id: CampaignId,
    pub contact_id: Option<ContactId>,
    pub phone_number: String,
    pub contact_name: String,
    pub contact_email: String,
    pub country: String,
    pub zones: String,
    pub position: i64,
    pub attempt: i64,
    pub state: State,
    pub dialable_at: DateTime<Utc>,
    pub priority: i64,
    pub lease_until: Option<DateTime<Utc>>,
    pub incarnation: Option<Incarnation>,
    pub claim_number: i64,
    pub armed_at: Option<DateTime<Utc>>,
    pub deadline_at: Option<DateTime<Utc>>,
    pub armed_day: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub reply_pending: bool,
    pub room_name: Option<String>,
    pub trunk_id: Option<TrunkId>,
    pub caller_id: Option<String>,
    pub script: Option<String>,
    #[sqlx(try_from = "Ring")]
    #[serde(deserialize_with = "within::<Ring, _>")]
    pub ring_timeout_s: i64,
    #[sqlx(try_from = "Talk")]
    #[serde(deserialize_with = "within::<Talk, _>")]
    pub max_call_duration_s: i64,
    pub participant_sid: Option<String>,
    pub sip_call_id: Option<String>,
    pub call_sid: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub leg_seen: bool,
    #[serde(deserialize_with = "flag")]
    pub ringing_seen: bool,
    #[serde(deserialize_with = "flag")]
    pub rejoined: bool,
    pub left_at: Option<DateTime<Utc>>,
    pub left_reason: Option<Json<Leave>>,
    pub left_status: Option<Json<LegStatus>>,
    /// Who left it in doubt, where it is unknown or was.
    pub doubt: Option<Doubt>,
    pub started_at: Option<DateTime<Utc>>,
    pub ringing_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
    pub completed_at: Option<DateTime<Utc>>,
    pub call_duration: i64,
    pub basis: Option<Basis>,
    pub sip_code: Option<i64>,
    pub reason: String,
    #[serde(deserialize_with = "flag")]
    pub charged: bool,
    pub outcome: Option<Outcome>,
    pub outcome_who: Option<Who>,
    pub outcome_by: Option<String>,
    pub outcome_at: Option<DateTime<Utc>>,
    pub suggestion: Option<Outcome>,
    pub suggestion_confidence: Option<f64>,
    pub notes: String,
    pub hangup_requested_at: Option<DateTime<Utc>>,
    pub recording_url: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The assistant's number and the trunk it goes out by.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct NumberRow {
    pub number: String,
    pub label: String,
    pub assistant_id: Option<AssistantId>,
    pub assistant_name: Option<String>,
    pub outbound_trunk_id: Option<String>,
    pub outbound_trunk_name: Option<String>,
    pub inbound_trunk_id: Option<String>,
    pub trunk_id: Option<TrunkId>,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TrunkRow {
    pub id: TrunkId,
    pub user_id: OwnerId,
    pub livekit_id: String,
    pub name: String,
    pub address: String,
    pub numbers: Json<Vec<String>>,
    pub countries: Json<Vec<String>>,
    pub live: i64,
    pub max_live: i64,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AssistantRow {
    pub id: AssistantId,
    pub user_id: OwnerId,
    pub name: String,
    pub agent_name: Option<String>,
    pub prompt: String,
    pub language: String,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OutcomeRow {
    pub id: i64,
    pub call_id: CallId,
    pub value: Option<Outcome>,
    pub previous: Option<Outcome>,
    pub note: String,
    pub who: Who,
    pub by: String,
    pub at: DateTime<Utc>,
    /// The line that it takes back.
    pub undoes: Option<i64>,
    /// When the callback is to be made that it promised.
    pub callback_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DayRow {
    pub used: i64,
    pub cap: i64,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EngineRow {
    pub incarnation: Incarnation,
    pub host: String,
    pub pid: i64,
    pub started_at: DateTime<Utc>,
    pub heartbeat_at: DateTime<Utc>,
}

/// One line of the audit.
#[derive(Debug, Clone, sqlx::FromRow, serde::Serialize)]
pub struct AuditRow {
    pub at: DateTime<Utc>,
    pub actor: String,
    pub source: String,
    pub action: String,
    pub details: Json<serde_json::Value>,
}

/// A number that is not to be called.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow, serde::Serialize)]
pub struct SuppressedRow {
    pub number: String,
    pub reason: String,
    pub source: String,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
}

/// What a list on the screen shows of a call.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct PaneRow {
    pub id: CallId,
    pub campaign_id: CampaignId,
    pub campaign_name: String,
    pub phone_number: String,
    pub contact_name: String,
    pub attempt: i64,
    pub state: State,
    pub armed_at: Option<DateTime<Utc>>,
    pub ringing_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
    pub completed_at: Option<DateTime<Utc>>,
    pub call_duration: i64,
    pub sip_code: Option<i64>,
    pub reason: String,
    pub outcome: Option<Outcome>,
    pub suggestion: Option<Outcome>,
    pub suggestion_confidence: Option<f64>,
    pub hangup_requested_at: Option<DateTime<Utc>>,
    pub room_name: Option<String>,
    pub notes: String,
}

/// A time as sqlx writes it into a TEXT column: rows of a JSON bulk statement must compare with
/// bound values.
pub(super) fn stamp(at: Option<DateTime<Utc>>) -> Option<String> {
    at.map(|t| t.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false))
}
