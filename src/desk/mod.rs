//! The one door for writes. Every change, whoever asks for it (key press, REST call, webhook,
//! engine, command line), is one function here: begin, read what is judged, judge in `domain`,
//! write, commit. A decision never waits for a network; reads that decide nothing go to `store`.

mod again;
mod arm;
mod assigning;
mod assistants;
mod batch;
mod board;
mod books;
mod by_hand;
mod campaigns;
mod chronicle;
mod claim;
mod contacts;
mod dnc;
mod errands;
mod error;
mod explain;
mod filling;
mod footing;
mod forecast;
mod glance;
mod head;
mod headcount;
mod history;
mod hours;
mod housekeeping;
mod importing;
mod journal;
mod law;
mod lists;
mod merging;
mod meters;
mod once;
mod outcome;
mod overlap;
mod past;
mod preflight;
mod promises;
mod protect;
mod record;
mod recordings;
mod reports;
mod requests;
mod restore;
mod retries;
mod room;
mod roster;
mod row;
mod running;
mod starting;
mod systems;
mod tagging;
mod takeover;
mod terms;
mod trunks;
mod undo;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::{broadcast, mpsc, oneshot};

pub use arm::{Armed, Refused};
pub use assigning::Assigning;
pub use assistants::AssistantEdit;
pub use batch::{Recorded, call_of_room};
pub use board::{Hands, Look, NoAgent};
pub use by_hand::{ByHand, MANUAL};
pub use campaigns::CampaignDraft;
pub use chronicle::{Chronicle, Entry, EntryId, Fact, Party};
pub use claim::{ClaimRequest, Claimed, Claims, Outgoing, TurnedAway};
pub use contacts::{Import, ImportError, Progress};
pub use error::DeskError;
pub use explain::{Explanation, Waiting, ZoneWait};
pub use footing::{REACH, SKEW};
pub use forecast::{Forecast, calling_time};
pub use glance::Next;
pub use head::{Head, Lights};
pub use history::{Away, CampaignShift, ContactClock, Figures, Happening, NumberStory, OperatorShift, ShiftReport, What};
pub use housekeeping::Removed;
pub use lists::{ListImport, ListReport, National};
pub use meters::{Label, Meters};
pub use once::{Reply, Reserved};
pub use outcome::{SetOutcome, Tagged};
pub use overlap::{AlsoCalls, Overlap};
pub use past::{WENT_BACK, WENT_BACK_FILE};
pub use preflight::Preflight;
pub use promises::{Promise, Stopped, promised_words};
pub use record::Told;
pub use requests::{Ask, Listening, NOBODY, TOKEN_TTL, supervisor_identity};
pub use restore::{Backup, Restored};
pub use retries::Recycle;
pub use room::{Bar, CampaignRoom, HourRate};
pub use roster::ContactChange;
pub use systems::{ENDING, NO_LIVEKIT, SWITCHED_OFF};
pub use tagging::{TagCard, TaggingDesk};
pub use terms::{Accepted, TERMS};
pub use trunks::AssignNumber;
pub use undo::UndoDoNotCall;

use crate::{
    clock::SharedClock,
    domain::{
        event::CallEvent,
        id::{Incarnation, OwnerId},
        rules::Rules,
    },
    store::{Lane, Setting, Store, StoreError, Tx},
};

/// Who asks: whose rows, which person or part of the program, by which door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub owner: OwnerId,
    /// The operator's name, or `engine`, or the agent's call.
    pub name: String,
    /// `console`, `api`, `cli`, `engine` or `agent`.
    pub source: &'static str,
}

impl Actor {
    /// The engine acting on an owner's rows.
    #[must_use]
    pub fn engine(owner: OwnerId) -> Self {
        Self { owner, name: "engine".to_owned(), source: "engine" }
    }
}

/// The installation's own facts, made on first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Installation {
    /// Marks our rooms at LiveKit: 8 hex digits.
    pub id: u32,
    /// Who owns what the console makes.
    pub owner: OwnerId,
}

impl Installation {
    /// The prefix of every room of ours.
    #[must_use]
    pub fn room_prefix(&self) -> String {
        format!("dd-{:08x}-", self.id)
    }
}

type Envelope = (CallEvent, oneshot::Sender<Result<Recorded, DeskError>>);

#[derive(Clone)]
pub struct Desk {
    store: Store,
    clock: SharedClock,
    rules: Arc<Rules>,
    inbox: mpsc::Sender<Envelope>,
    told: broadcast::Sender<Told>,
    openings: Arc<hours::Openings>,
    headcounts: Arc<headcount::Headcounts>,
    readers: Arc<importing::Readers>,
    meters: Arc<Meters>,
    /// How far a shared database may be for this host to dial.
    reach: std::time::Duration,
    /// Whom this host has armed, where the database may forget it.
    journal: Arc<std::sync::OnceLock<journal::Journal>>,
}

impl Desk {
    /// Opens the desk over a store. The inbox task ends with the last desk.
    #[must_use]
    pub fn new(store: Store, clock: SharedClock, rules: Rules) -> Self {
        let (inbox, waiting) = mpsc::channel(4096);
        let told = broadcast::Sender::new(1024);
        tokio::spawn(record::inbox(store.clone(), clock.clone(), rules.breaker, waiting, told.clone()));
        Self {
            store,
            clock,
            rules: Arc::new(rules),
            inbox,
            told,
            openings: Arc::default(),
            headcounts: Arc::default(),
            readers: Arc::default(),
            meters: Arc::default(),
            reach: footing::REACH,
            journal: Arc::default(),
        }
    }

    /// The same, dialling with a shared database that is so far at most.
    #[must_use]
    pub fn reaching(self, reach: std::time::Duration) -> Self {
        Self { reach, ..self }
    }

    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The same desk for the work of one user: what it reads and writes is that owner's, by the database's own word
    /// where it knows owners.
    #[must_use]
    pub fn of(&self, owner: OwnerId) -> Self {
        Self { store: self.store.of(owner), ..self.clone() }
    }

    /// The same desk for the installation's own work, over all owners.
    #[must_use]
    pub fn whole(&self) -> Self {
        Self { store: self.store.whole(), ..self.clone() }
    }

    /// The same desk for one look of several questions: see [`Store::at_once`].
    #[must_use]
    pub fn at_once(&self) -> Self {
        Self { store: self.store.at_once(), ..self.clone() }
    }

    /// What was counted since this process began.
    #[must_use]
    pub fn meters(&self) -> &Meters {
        &self.meters
    }

    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Resolves, in words, when a task that everything hangs on has ended though this desk goes on:
    /// nothing can be written or recorded by this process any more.
    pub async fn broken(&self) -> &'static str {
        tokio::select! {
            () = self.store.writer_ended() => "the part of the program that writes into the database has broken down",
            () = self.inbox.closed() => "the part of the program that records what the network tells has broken down",
        }
    }

    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The one door for facts: stored first, then applied. Answers after the commit; what comes
    /// together is committed together.
    ///
    /// # Errors
    /// When the database could not keep it: then nothing may be acknowledged.
    pub async fn record(&self, event: CallEvent) -> Result<Recorded, DeskError> {
        let (answer, wait) = oneshot::channel();
        self.inbox.send((event, answer)).await.map_err(|_| StoreError::Closed)?;
        wait.await.map_err(|_| StoreError::Closed)?
    }

    /// What LiveKit tells by itself from now on, each after its commit.
    #[must_use]
    pub fn told(&self) -> broadcast::Receiver<Told> {
        self.told.subscribe()
    }

    /// The installation's id and owner, made on first start; `owner` of the configuration wins.
    ///
    /// # Errors
    /// When the database refuses, or what it keeps cannot be read.
    pub async fn installation(&self, owner: Option<OwnerId>) -> Result<Installation, DeskError> {
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let fresh = uuid::Uuid::new_v4();
                    let id = tx.setting_or(Setting::InstallationId, &fresh.simple().to_string()[..8]).await?;
                    let kept = tx.setting_or(Setting::Owner, &owner.map_or(uuid::Uuid::new_v4(), |o| o.0).to_string()).await?;
                    // A guess would make rooms of ours nobody's, and rows invisible to their owner.
                    let damaged = |key: &str, value: &str| {
                        let value = crate::domain::text::clean(value, 60);
                        StoreError::Damaged(format!("its {key} cannot be read (\"{value}\"); put a backup back, or set it right in table settings"))
                    };
                    let id = u32::from_str_radix(&id, 16).map_err(|_| damaged("installation_id", &id))?;
                    let kept = kept.parse().map(OwnerId).map_err(|_| damaged("owner", &kept))?;
                    Ok(Installation { id, owner: owner.unwrap_or(kept) })
                })
            })
            .await
    }

    /// A secret of this installation kept in the database, made where it is missing.
    pub async fn secret(&self, key: Setting) -> Result<String, DeskError> {
        let fresh = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok(tx.setting_or(key, &fresh).await?) })).await
    }

    /// The engine's heartbeat: others see by it who dials. `false` when another engine leads meanwhile.
    pub async fn heartbeat(&self, incarnation: Incarnation, host: String, pid: u32) -> Result<bool, DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let leads = tx.setting(Setting::Leader).await?.is_none_or(|l| l == incarnation.to_string());
                    if leads {
                        tx.put_engine(incarnation, &host, i64::from(pid), now).await?;
                    }
                    Ok(leads)
                })
            })
            .await
    }

    /// The engine has stopped and looks after nothing any more.
    pub async fn engine_stopped(&self, incarnation: Incarnation) -> Result<(), DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    tx.give_lease_back(incarnation).await?;
                    Ok(tx.stop_engine(incarnation, now).await?)
                })
            })
            .await
    }

    /// What keeps the engine from dialling, in words for every console; empty when nothing does.
    pub async fn report_health(&self, words: String) -> Result<(), DeskError> {
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok(tx.put_setting(Setting::EngineHealth, &words).await?) })).await
    }

    /// How long LiveKit took to answer, for every console.
    pub async fn livekit_took(&self, ms: i64) -> Result<(), DeskError> {
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok(tx.put_setting(Setting::LiveKitTook, &ms.to_string()).await?) })).await
    }

    /// What keeps one campaign from dialling, in words; empty when nothing does.
    pub async fn campaign_note(&self, id: crate::domain::id::CampaignId, words: String) -> Result<(), DeskError> {
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok(tx.put_setting(Setting::CampaignNote(id), &words).await?) })).await
    }

    /// Writes something that means nothing, to see whether the database takes it.
    ///
    /// # Errors
    /// When it does not.
    pub async fn try_writing(&self) -> Result<(), DeskError> {
        let now = self.now().to_rfc3339();
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok(tx.put_setting(Setting::Probe, &now).await?) })).await
    }

    /// The kill switch: while it is on nothing is armed on any host.
    pub async fn kill_switch(&self, actor: Actor, on: bool) -> Result<(), DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    tx.put_setting(Setting::KillSwitch, if on { "on" } else { "" }).await?;
                    tx.put_setting(Setting::KillSwitchReason, "").await?;
                    let action = if on { "kill_switch_on" } else { "kill_switch_off" };
                    audit(tx, &actor, now, action, None, &serde_json::json!({ "reason": "" })).await
                })
            })
            .await
    }
}

/// One line of the audit for an actor, inside the transaction of what it tells.
async fn audit(
    tx: &mut Tx,
    actor: &Actor,
    now: DateTime<Utc>,
    action: &str,
    subject: Option<uuid::Uuid>,
    details: &serde_json::Value,
) -> Result<(), DeskError> {
    Ok(tx.audit(now, actor.owner, &actor.name, actor.source, action, subject, details).await?)
}
