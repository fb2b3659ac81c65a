//! A database of the wanted size, made by SQL in bulk: the product's own path would take minutes.

use std::sync::Arc;

use dialdeck::{
    clock::{ScaledClock, SharedClock},
    desk::{Actor, AssignNumber, CampaignDraft, ClaimRequest, Desk, Import, Installation, Progress},
    domain::{
        campaign::{ContactSource, Settings},
        id::{AssistantId, CampaignId, Incarnation, SourceId},
        legal,
        phone::{self, PhoneNumber},
        rules::Rules,
        schedule::Days,
    },
    store::{CampaignRow, ContactTable, Store},
};
use sqlx::Connection;
use tokio_util::sync::CancellationToken;

pub struct Bench {
    pub dir: tempfile::TempDir,
    pub url: String,
    pub clock: SharedClock,
    pub store: Store,
    pub desk: Desk,
    pub installation: Installation,
    pub actor: Actor,
    pub assistant: AssistantId,
    pub source: SourceId,
    pub campaign: CampaignId,
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A Wednesday noon in New York.
pub fn clock() -> SharedClock {
    Arc::new(ScaledClock::new("2026-11-18T17:00:00Z".parse().unwrap(), 1.0))
}

pub fn rules() -> Rules {
    Rules { calls_per_second: 1e6, trunk_concurrent: 1_000_000, countries: vec!["US".into()], ..Rules::default() }
}

impl Bench {
    /// A running campaign over one contact; `fill` adds the rest.
    pub async fn new() -> Self {
        let dir = folder();
        let url = format!("sqlite:{}", dir.path().join("bench.db").display());
        Self::on(dir, url).await
    }

    /// The same in the empty database of a URL.
    pub async fn on(dir: tempfile::TempDir, url: String) -> Self {
        let (clock, store) = (clock(), Store::open(&url).await.unwrap());
        let desk = Desk::new(store.clone(), clock.clone(), rules());
        let installation = desk.installation(None).await.unwrap();
        let actor = Actor { owner: installation.owner, name: "bench".into(), source: "cli" };
        let assistant = desk.add_assistant(actor.clone(), None, "Sarah".into(), None, "Hello {name}".into(), None).await.unwrap().id;
        let assign = AssignNumber {
            number: PhoneNumber::own("+15550009999").unwrap(),
            assistant,
            livekit_trunk: "ST_bench".into(),
            trunk_name: "bench".into(),
            address: "trunk.example".into(),
            numbers: vec!["+15550009999".into()],
            inbound_trunk: None,
        };
        desk.assign_number(actor.clone(), assign).await.unwrap();
        let source = import(&desk, &actor, "name,phone\nAna,+12125550100\n".to_owned()).await;
        let campaign = desk.create_campaign(actor.clone(), draft(assistant, source)).await.unwrap();
        desk.start(actor.clone(), campaign).await.unwrap();
        Self { dir, url, clock, store, desk, installation, actor, assistant, source, campaign }
    }

    /// Contacts without calls.
    pub async fn idle(n: u32) -> Self {
        let bench = Self::new().await;
        bench.fill(n, 0, 0).await;
        let mut db = sqlx::SqliteConnection::connect(bench.url.trim_start_matches("sqlite:")).await.unwrap();
        for sql in ["DELETE FROM campaign_calls", "UPDATE campaign_counts SET total = 0, pending = 0", "UPDATE campaigns SET execution_status = 'completed'"] {
            sqlx::query(sql).execute(&mut db).await.unwrap();
        }
        bench
    }

    /// Another campaign over the same contacts.
    pub async fn another(&self) -> CampaignId {
        self.desk.create_campaign(self.actor.clone(), draft(self.assistant, self.source)).await.unwrap()
    }

    pub async fn row(&self) -> CampaignRow {
        self.store.campaign(self.actor.owner, self.campaign).await.unwrap().unwrap()
    }

    /// The next `limit` of the one queue there is. What the way out is, is read once a look: not here.
    pub async fn request(&self, campaign: Arc<CampaignRow>, limit: usize, incarnation: Incarnation) -> ClaimRequest {
        let outgoing = self.store.outgoing(campaign.assistant_id).await.unwrap().unwrap().into();
        ClaimRequest { campaign, outgoing, zones: vec![queue()], limit, incarnation, lease: chrono::Duration::seconds(30) }
    }

    /// `n` contacts with their calls: the first `ended` completed, the next `open` being dialled and
    /// known to Twilio as `CA` and 32 digits, the rest in the queue, due.
    pub async fn fill(&self, n: u32, ended: u32, open: u32) {
        let path = self.url.trim_start_matches("sqlite:");
        let mut db = sqlx::SqliteConnection::connect(path).await.unwrap();
        for sql in ["PRAGMA synchronous = OFF", "PRAGMA temp_store = memory", "PRAGMA cache_size = -200000"] {
            sqlx::query(sql).execute(&mut db).await.unwrap();
        }
        let contacts = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
            INSERT INTO csv_contacts (id, csv_file_id, position, name, phone_number, country, zones, created_at)
            SELECT unhex(printf('%012x70008000%012x', 1760000000000 + i, i)), (SELECT csv_file_id FROM campaigns LIMIT 1), i + 10, 'Contact ' || i,
                   printf('+1%d%03d%04d', CASE WHEN i <= 500000 THEN 917 ELSE 212 END, 220 + (i % 500000) / 10000, i % 10000), 'US', 'America/New_York', '2026-11-01T00:00:00+00:00' FROM n";
        sqlx::query(contacts).bind(n).execute(&mut db).await.unwrap();
        let calls =
            "INSERT INTO campaign_calls (id, user_id, campaign_id, contact_id, phone_number, contact_name, country, zones, position, attempt, state, rank,
                dialable_at, armed_at, dialled, armed_day, trunk_id, room_name, call_sid, answered_at, completed_at, call_duration, outcome, created_at, updated_at)
            SELECT unhex(printf('%012x70008000%012x', 1770000000000 + i, i)), c.user_id, c.id, k.id, k.phone_number, k.name, 'US', $3, k.position, 1,
                CASE WHEN i <= $1 THEN 'completed' WHEN i <= $2 THEN 'dialing' ELSE 'pending' END,
                CASE WHEN i <= $1 THEN 90 WHEN i <= $2 THEN 20 ELSE 0 END,
                '2026-11-18T14:00:00+00:00',
                CASE WHEN i <= $2 THEN '2026-11-18T15:00:00+00:00' END, CASE WHEN i <= $2 THEN i END, CASE WHEN i <= $2 THEN '2026-11-18' END,
                CASE WHEN i <= $2 THEN (SELECT id FROM trunks LIMIT 1) END, CASE WHEN i <= $2 THEN 'dd-bench-' || i END,
                CASE WHEN i <= $2 THEN printf('CA%032d', i) END,
                CASE WHEN i <= $1 THEN '2026-11-18T15:00:10+00:00' END,
                CASE WHEN i <= $1 THEN strftime('%Y-%m-%dT%H:%M:%S+00:00', '2026-11-18T15:00:00', '+' || (i % 7000) || ' seconds') END, 42,
                CASE WHEN i <= $1 AND i % 2000 > 0 THEN 'not_interested' END,
                '2026-11-18T14:00:00+00:00', '2026-11-18T14:00:00+00:00'
            FROM (SELECT *, position - 10 AS i FROM csv_contacts WHERE position > 10) k, (SELECT * FROM campaigns LIMIT 1) c";
        sqlx::query(calls).bind(ended).bind(ended + open).bind(queue()).execute(&mut db).await.unwrap();
        let counts = "UPDATE campaign_counts SET total = $1, pending = $1 - $2 - $3, processing = $3, live = $3, completed = $2, dials = $2 + $3, pickups = $2";
        sqlx::query(counts).bind(n).bind(ended).bind(open).execute(&mut db).await.unwrap();
        sqlx::query("UPDATE trunks SET live = $1, max_live = 1000000, tokens = 1000000").bind(open).execute(&mut db).await.unwrap();
        // The contact's own call stays out of the way.
        sqlx::query("UPDATE campaigns SET fill_position = NULL").execute(&mut db).await.unwrap();
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut db).await.unwrap();
        db.close().await.unwrap();
    }
}

/// Beside the build, on the disk the product would use: a folder for temporary files may be memory.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// What the queue's rows are grouped by: zones and law of both area codes, as the product writes it.
pub fn queue() -> String {
    legal::queue_key("America/New_York", "US", "+12122200000")
}

fn draft(assistant: AssistantId, source_id: SourceId) -> CampaignDraft {
    let settings = Settings {
        daily_cap: 1_000_000,
        calling_days: Days::ALL,
        start_hour: 0,
        end_hour: 0,
        max_concurrent: 2000,
        call_delay_ms: 0,
        ..Settings::defaults("America/New_York".parse().unwrap())
    };
    CampaignDraft {
        name: "Q4 Sales".into(),
        assistant,
        source: ContactSource::CsvFile,
        source_id,
        prompt: "Hello {name}, this is Sarah.".into(),
        agent_name: None,
        settings,
    }
}

pub async fn import(desk: &Desk, actor: &Actor, csv: String) -> SourceId {
    let import =
        Import { table: ContactTable::CsvFile, name: "leads.csv".into(), region: phone::region("US").ok(), mapping: Vec::new(), size: None, dry_run: false };
    let progress = tokio::sync::watch::Sender::new(Progress::default());
    desk.import(actor.clone(), import, std::io::Cursor::new(csv), progress, CancellationToken::new()).await.unwrap().0
}
