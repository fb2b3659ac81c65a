//! The simulator's state: rooms, who is in them, trunks, and the log of what happened.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use livekit_protocol as proto;
use tokio::sync::{mpsc, watch};

use super::behaviour::die;
use crate::domain::event::Leave;

/// An INVITE sent to the trunk.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Invite {
    pub number: String,
    pub room: String,
    /// False when the trunk turned it away itself (5xx, 403): no phone knew of it.
    pub reached_phone: bool,
    pub at: DateTime<Utc>,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LogEntry {
    pub at: DateTime<Utc>,
    pub what: String,
}

/// Why a leg must end, told to its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    Leave(Leave),
    /// livekit-sip died: the leg is frozen, nobody sends BYE.
    SipDied,
}

pub struct Leg {
    pub number: String,
    pub room: String,
    pub cut: watch::Sender<Option<Cut>>,
    /// Which life of livekit-server knows it: of an earlier one's legs nobody hears until they rejoin.
    pub life: u64,
}

pub struct Room {
    pub sid: String,
    pub created: DateTime<Utc>,
    pub participants: BTreeMap<String, proto::ParticipantInfo>,
    pub dispatches: Vec<proto::AgentDispatch>,
    /// Grows whenever somebody comes or goes: a closing that was planned before is off.
    pub changes: u64,
    /// Lost by Redis: lists show nobody, `DeleteRoom` fails.
    pub lost: bool,
    /// Lost by Redis and never shown again by `ListRooms` either, though the two talk on.
    pub away: bool,
    /// The rows of a session whose host died: listed for good, and nobody is there.
    pub dead: bool,
}

pub struct World {
    pub rooms: BTreeMap<String, Room>,
    pub trunks: Vec<proto::SipOutboundTrunkInfo>,
    pub inbound_trunks: Vec<proto::SipInboundTrunkInfo>,
    pub rules: Vec<proto::SipDispatchRuleInfo>,
    /// Phones ringing or talking, by their participant's sid.
    pub legs: HashMap<String, Leg>,
    pub invites: Vec<Invite>,
    pub log: Vec<LogEntry>,
    pub queues: HashMap<String, mpsc::UnboundedSender<serde_json::Value>>,
    pub calls_of: HashMap<String, usize>,
    /// What Twilio's list of calls shows.
    pub twilio_calls: Vec<super::twilio::TwilioCall>,
    /// Twilio's numbers, each with the termination domain of the trunk that carries it.
    pub twilio_numbers: Vec<(String, Option<String>)>,
    pub egresses: Vec<proto::EgressInfo>,
    pub server_down: bool,
    /// Counts server deaths: a reply that waited over one is lost.
    pub server_lives: u64,
    pub sip_down: bool,
    pub redis_down: bool,
    /// Agents whose worker died, by sid: listed a while longer, and saying nothing.
    pub dead_agents: std::collections::HashSet<String>,
    dice: u64,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            rooms: BTreeMap::new(),
            trunks: Vec::new(),
            inbound_trunks: Vec::new(),
            rules: Vec::new(),
            legs: HashMap::new(),
            invites: Vec::new(),
            log: Vec::new(),
            queues: HashMap::new(),
            calls_of: HashMap::new(),
            twilio_calls: Vec::new(),
            twilio_numbers: Vec::new(),
            egresses: Vec::new(),
            server_down: false,
            server_lives: 0,
            sip_down: false,
            redis_down: false,
            dead_agents: std::collections::HashSet::new(),
            dice: die(seed),
        }
    }

    pub fn note(&mut self, at: DateTime<Utc>, what: String) {
        self.log.push(LogEntry { at, what });
    }

    /// True with a probability, by the seeded dice.
    pub fn chance(&mut self, p: f64) -> bool {
        self.dice = die(self.dice);
        #[expect(clippy::cast_precision_loss, reason = "a die of 2^53 faces is fine enough")]
        let roll = (self.dice >> 11) as f64 / (1u64 << 53) as f64;
        roll < p
    }

    /// A number below `n`, by the seeded dice.
    pub fn below(&mut self, n: u64) -> u64 {
        self.dice = die(self.dice);
        if n == 0 { 0 } else { self.dice % n }
    }

    /// How many calls went to a number before this one.
    pub fn nth_call(&mut self, number: &str) -> usize {
        let n = self.calls_of.entry(number.to_owned()).or_default();
        *n += 1;
        *n - 1
    }

    /// The room, made if it is not there; `true` when it was made now.
    pub fn ensure_room(&mut self, name: &str, now: DateTime<Utc>) -> bool {
        if self.rooms.contains_key(name) {
            return false;
        }
        let room =
            Room { sid: id("RM_"), created: now, participants: BTreeMap::new(), dispatches: Vec::new(), changes: 0, lost: false, away: false, dead: false };
        self.rooms.insert(name.to_owned(), room);
        true
    }
}

/// A LiveKit-like id.
pub fn id(prefix: &str) -> String {
    format!("{prefix}{}", &uuid::Uuid::new_v4().simple().to_string()[..12])
}
