//! `Office`: the desk over a fresh database on a clock that stands still, without engine or network:
//! claims, arms and facts one by one, for what must hold at an exact moment.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use dialdeck::{
    clock::Clock,
    desk::{Actor, Armed, AssignNumber, CampaignDraft, ClaimRequest, Claimed, Claims, Desk, Explanation, Import, Installation, Progress, Refused, SetOutcome},
    domain::{
        campaign::{ContactSource, Settings},
        contact::ImportReport,
        event::{CallEvent, Kind, Reply, Source, Target},
        id::{AssistantId, CallId, CampaignId, Incarnation, SourceId},
        outcome::{Outcome, Who},
        phone::{self, PhoneNumber},
        rules::{Profile, Rules},
    },
    store::{CallRow, CampaignRow, ContactTable, Store},
};
use tokio_util::sync::CancellationToken;

use super::{NOON, base::Base, quick_rules, settings, virtual_time::VirtualClock};

pub struct Office {
    pub clock: VirtualClock,
    pub store: Store,
    pub desk: Desk,
    pub actor: Actor,
    pub assistant: AssistantId,
    pub installation: Installation,
    pub incarnation: Incarnation,
    pub base: Base,
}

impl Office {
    /// No legal hours and no rate, until the change says otherwise.
    pub async fn open(change: impl FnOnce(&mut Rules)) -> Self {
        Self::over(Base::fresh().await, change).await
    }

    /// The same over any database.
    pub async fn over(base: Base, change: impl FnOnce(&mut Rules)) -> Self {
        let clock = VirtualClock::new(NOON.parse().unwrap());
        let store = base.open().await;
        let mut rules = Rules { profile: Profile::None, calls_per_second: 1e9, ..quick_rules() };
        change(&mut rules);
        let desk = Desk::new(store.clone(), Arc::new(clock.clone()), rules);
        let installation = desk.installation(None).await.unwrap();
        let actor = Actor { owner: installation.owner, name: "tester".into(), source: "console" };
        let assistant = desk.add_assistant(actor.clone(), None, "Sarah".into(), None, "Hello {name}".into(), None).await.unwrap().id;
        let office = Self { clock, store, desk, actor, assistant, installation, incarnation: Incarnation::fresh(), base };
        office.assign("+15550009999", assistant, "ST_1").await;
        office
    }

    /// Points a number over a trunk at an assistant.
    pub async fn assign(&self, number: &str, assistant: AssistantId, trunk: &str) {
        let assign = AssignNumber {
            number: PhoneNumber::own(number).unwrap(),
            assistant,
            livekit_trunk: trunk.into(),
            trunk_name: "main".into(),
            address: "trunk.example".into(),
            numbers: vec![number.into()],
            inbound_trunk: None,
        };
        self.desk.assign_number(self.actor.clone(), assign).await.unwrap();
    }

    /// An office whose campaign runs over these contacts.
    pub async fn calling(csv: String, change: impl FnOnce(&mut Settings)) -> (Self, CampaignId) {
        let office = Self::open(|_| {}).await;
        let (source, _) = office.import(csv).await;
        let id = office.started(source, change).await;
        (office, id)
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub fn wait(&self, time: TimeDelta) {
        self.clock.advance(self.now() + time);
    }

    pub async fn import(&self, csv: String) -> (SourceId, ImportReport) {
        self.import_as(ContactTable::CsvFile, "US", csv).await
    }

    pub async fn import_as(&self, table: ContactTable, region: &str, csv: String) -> (SourceId, ImportReport) {
        let region = phone::region(region).ok();
        let import = Import { table, name: "contacts.csv".into(), region, mapping: Vec::new(), size: None, dry_run: false };
        let progress = tokio::sync::watch::Sender::new(Progress::default());
        self.desk.import(self.actor.clone(), import, std::io::Cursor::new(csv), progress, CancellationToken::new()).await.unwrap()
    }

    pub async fn campaign(&self, source: ContactSource, source_id: SourceId, change: impl FnOnce(&mut Settings)) -> CampaignId {
        let mut settings = settings();
        change(&mut settings);
        let draft =
            CampaignDraft { name: "Q4 Sales".into(), assistant: self.assistant, source, source_id, prompt: "Hello {name}".into(), agent_name: None, settings };
        self.desk.create_campaign(self.actor.clone(), draft).await.unwrap()
    }

    /// A running campaign over a CSV file, its queue filled.
    pub async fn started(&self, source: SourceId, change: impl FnOnce(&mut Settings)) -> CampaignId {
        let id = self.campaign(ContactSource::CsvFile, source, change).await;
        self.start(id).await;
        id
    }

    pub async fn start(&self, id: CampaignId) {
        self.desk.start(self.actor.clone(), id).await.unwrap();
        while self.row(id).await.fill_position.is_some() {
            self.desk.fill(self.actor.owner, id).await.unwrap();
        }
    }

    pub async fn row(&self, id: CampaignId) -> CampaignRow {
        self.store.campaign(self.actor.owner, id).await.unwrap().unwrap()
    }

    /// Why nothing is dialled, as an engine that lives would have it.
    pub async fn why(&self, id: CampaignId) -> Explanation {
        self.desk.heartbeat(self.incarnation, "host".into(), 1).await.unwrap();
        self.desk.explain(&self.row(id).await).await.unwrap()
    }

    pub async fn call(&self, id: CallId) -> CallRow {
        self.store.any_call(id).await.unwrap().unwrap()
    }

    pub async fn claim(&self, id: CampaignId) -> Option<Claimed> {
        self.claims(id).await.ready.pop()
    }

    /// One row of whichever zone is first, as the engine would claim it.
    pub async fn claims(&self, id: CampaignId) -> Claims {
        let zones = self.store.zone_heads(id).await.unwrap().into_iter().map(|h| h.zones).collect();
        self.claim_of(id, zones, 1).await
    }

    pub async fn claim_of(&self, id: CampaignId, zones: Vec<String>, limit: usize) -> Claims {
        let (campaign, incarnation) = (Arc::new(self.row(id).await), self.incarnation);
        let outgoing = self.store.outgoing(campaign.assistant_id).await.unwrap().expect("a number with a trunk").into();
        let request = ClaimRequest { campaign, outgoing, zones, limit, incarnation, lease: TimeDelta::days(9) };
        self.desk.claim(self.installation, request).await.unwrap()
    }

    pub async fn arm(&self, claimed: Claimed) -> Result<Armed, Refused> {
        self.desk.arm(claimed, self.incarnation).await.unwrap()
    }

    /// The next call of a campaign, armed; or the word of the gate that is closed, `empty` when nobody is due.
    pub async fn dial(&self, id: CampaignId) -> Result<CallId, &'static str> {
        // A millisecond fills the trunk's bucket.
        self.wait(TimeDelta::milliseconds(1));
        let mut claims = self.claims(id).await;
        let Some(claimed) = claims.ready.pop() else { return Err(claims.turned_away.pop().map_or("empty", |away| away.closed.gate.word())) };
        match self.arm(claimed).await {
            Ok(armed) => Ok(armed.call()),
            Err(Refused::Gate(closed)) => Err(closed.gate.word()),
            Err(Refused::Wait(_)) => Err("wait"),
            Err(Refused::Lost) => Err("lost"),
        }
    }

    /// Dials and answers as long as somebody may be called; the numbers, and what ended it.
    pub async fn dial_all(&self, id: CampaignId, reply: Reply) -> (Vec<String>, &'static str) {
        let mut numbers = Vec::new();
        loop {
            match self.dial(id).await {
                Ok(call) => {
                    numbers.push(self.call(call).await.phone_number);
                    self.reply(call, reply.clone()).await;
                }
                Err(gate) => return (numbers, gate),
            }
        }
    }

    pub async fn reply(&self, call: CallId, reply: Reply) {
        self.tell(call, "dial", Source::Dial, Kind::Reply(reply)).await;
    }

    pub async fn tell(&self, call: CallId, what: &str, source: Source, kind: Kind) {
        let event = CallEvent { key: format!("{what}:{call}"), target: Target::Call(call), source, at: self.now(), kind, raw: serde_json::Value::Null };
        self.desk.record(event).await.unwrap();
    }

    pub async fn tag(&self, call: CallId, outcome: Outcome) -> CallRow {
        let set = SetOutcome { call, outcome: Some(outcome), notes: None, who: Who::Operator, confidence: None, callback_at: None, expected: None };
        self.desk.set_outcome(self.actor.clone(), set).await.unwrap().call
    }
}
