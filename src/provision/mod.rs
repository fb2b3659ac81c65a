//! What an assistant's number needs before it calls and is called: an outbound trunk at LiveKit, an inbound one, and
//! the rule that brings the assistant's agent into a call that comes in. Looks before it makes, for making is not
//! idempotent. Rows are the desk's: what was found or made is recorded there, last.

mod address;
mod inbound;
mod listing;

use std::sync::Arc;

use serde_json::json;

pub use listing::Listed;

use crate::{
    config::Secret,
    desk::{Actor, AssignNumber, Assigning, Desk, DeskError},
    domain::{
        id::{AssistantId, OwnerId},
        phone::PhoneNumber,
        text::clean,
        trunk::{self, Login},
    },
    store::{AssistantRow, StoreError, TrunkRow},
    telephony::{Carrier, CarrierError, NewTrunk, Trunk, livekit::LiveKit, twilio_trunks::TwilioTrunks},
};

/// `[trunk] address, username, password`: a login that goes to that address alone.
#[derive(Debug, Clone, Default)]
pub struct OwnTrunk {
    pub address: String,
    pub username: String,
    pub password: Secret,
}

/// Finds and makes trunks: of each number one assignment at a time, whatever process makes it.
pub struct Provision {
    desk: Desk,
    /// `None` while no LiveKit is configured.
    livekit: Option<Arc<LiveKit>>,
    /// `None` without an account and its token.
    twilio: Option<TwilioTrunks>,
    own: OwnTrunk,
    /// The agent worker of an assistant that names none.
    agent_name: String,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wish {
    pub assistant: AssistantId,
    pub number: PhoneNumber,
    pub outbound: Outbound,
    /// The inbound trunk and its rule too. One that the number has already is kept true in any case.
    pub inbound: bool,
}

#[derive(Debug, Clone)]
pub enum Outbound {
    /// LiveKit's id of a trunk that is there.
    Existing(String),
    To(Place),
}

/// Where a trunk is to be, as far as the asker says; what is left out is looked up.
#[derive(Debug, Clone, Default)]
pub struct Place {
    pub address: String,
    pub username: String,
    pub password: Secret,
    /// `auto`, `udp`, `tcp` or `tls`.
    pub transport: String,
}

/// What an assistant calls by now.
#[derive(Debug, Clone)]
pub struct Provided {
    pub trunk: Trunk,
    /// The outbound trunk is new, not adopted.
    pub made: bool,
    pub inbound_trunk: Option<String>,
    pub dispatch_rule: Option<String>,
    /// What the asker should know though it was done.
    pub remarks: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    #[error(transparent)]
    Desk(#[from] DeskError),
    #[error(transparent)]
    Carrier(#[from] CarrierError),
}

impl From<StoreError> for ProvisionError {
    fn from(e: StoreError) -> Self {
        Self::Desk(e.into())
    }
}

type Answer<T> = Result<T, ProvisionError>;

const NO_LIVEKIT: &str = "no LiveKit is configured: set LIVEKIT_HOST, LIVEKIT_API_KEY and LIVEKIT_API_SECRET";

impl Provision {
    #[must_use]
    pub fn new(desk: Desk, livekit: Option<Arc<LiveKit>>, twilio: Option<TwilioTrunks>, own: OwnTrunk, agent_name: String) -> Self {
        Self { desk, livekit, twilio, own, agent_name }
    }

    fn livekit(&self) -> Answer<&LiveKit> {
        Ok(self.livekit.as_deref().ok_or_else(|| CarrierError::Other(NO_LIVEKIT.to_owned()))?)
    }

    /// Gives a number to an assistant with all that it needs at LiveKit. Runs to its end though the asker goes away:
    /// half an assignment would be made once more by the next.
    ///
    /// # Errors
    /// When the wish is not valid, something of it is another owner's, or LiveKit cannot be asked. What was made
    /// at LiveKit by then is adopted the next time.
    pub async fn assign(self: &Arc<Self>, actor: Actor, wish: Wish) -> Answer<Provided> {
        let this = self.clone();
        let done = tokio::spawn(async move {
            this.judge(actor.owner, &wish).await?;
            // Two that look for a trunk at once would both make one.
            let turn = this.desk.begin_assigning(wish.number.clone()).await?;
            let done = Box::pin(this.provide(actor, wish, &turn)).await;
            this.desk.end_assigning(turn).await;
            done
        });
        done.await.unwrap_or_else(|e| Err(CarrierError::Other(format!("the assignment broke down: {e}")).into()))
    }

    async fn provide(&self, actor: Actor, wish: Wish, turn: &Assigning) -> Answer<Provided> {
        let assistant = self.judge(actor.owner, &wish).await?;
        let foreign: Vec<String> = self.trunks_here().await?.into_iter().filter(|t| t.user_id != actor.owner).map(|t| t.livekit_id).collect();
        let mut provided = match &wish.outbound {
            Outbound::Existing(id) => self.existing(id, &foreign).await?,
            Outbound::To(place) => self.find_or_make(&wish, place, &foreign, turn).await?,
        };
        self.let_in(actor.owner, &wish, &assistant, &mut provided, turn).await?;
        let trunk = provided.trunk.clone();
        let assign = AssignNumber {
            number: wish.number,
            assistant: wish.assistant,
            livekit_trunk: trunk.trunk_id,
            trunk_name: trunk.name,
            address: trunk.address,
            numbers: trunk.numbers,
            inbound_trunk: provided.inbound_trunk.clone(),
        };
        self.desk.of(actor.owner).assign_number(actor, assign).await?;
        Ok(provided)
    }

    /// Before anything is made: whose assistant and whose number it is, and whether a login is one.
    async fn judge(&self, owner: OwnerId, wish: &Wish) -> Answer<AssistantRow> {
        let own = self.desk.of(owner).store().assistants(owner).await?.into_iter().find(|a| a.id == wish.assistant);
        let assistant = own.ok_or(DeskError::NotFound("assistant"))?;
        if self.desk.store().number_is_anothers(owner, wish.number.as_str()).await? {
            return Err(DeskError::Conflict("the number belongs to another owner".to_owned()).into());
        }
        let Outbound::To(place) = &wish.outbound else { return Ok(assistant) };
        let odd = |t: &str| t.len() > 255 || t.chars().any(char::is_control);
        if odd(&place.username) || odd(place.password.reveal()) {
            return Err(DeskError::field("username", "and password are at most 255 characters each, without control characters").into());
        }
        if place.username.is_empty() && !place.password.is_empty() {
            return Err(DeskError::field("username", "is missing: a password alone is no login").into());
        }
        if !["", "auto", "udp", "tcp", "tls"].iter().any(|known| place.transport.eq_ignore_ascii_case(known)) {
            return Err(DeskError::field("transport", "is auto, udp, tcp or tls").into());
        }
        Ok(assistant)
    }

    async fn trunks_here(&self) -> Answer<Vec<TrunkRow>> {
        Ok(self.desk.store().trunks().await?)
    }

    async fn existing(&self, id: &str, foreign: &[String]) -> Answer<Provided> {
        // Another owner's trunk answers as one that is not there.
        let found = self.livekit()?.trunks().await?.into_iter().find(|t| t.trunk_id == id && !foreign.contains(&t.trunk_id));
        let unknown =
            || DeskError::field("outboundTrunkId", "LiveKit knows no such trunk: GET /livekit/outbound-calls/trunks and `dialdeck trunk list` list them");
        Ok(Provided::over(found.ok_or_else(unknown)?, false))
    }

    /// Adopts a trunk with this address, number and login, or makes one.
    async fn find_or_make(&self, wish: &Wish, place: &Place, foreign: &[String], turn: &Assigning) -> Answer<Provided> {
        let address = self.address(&wish.number, &place.address).await?;
        let livekit = self.livekit()?;
        let given = Login { username: &place.username, password: place.password.reveal() };
        let ours = Login { username: &self.own.username, password: self.own.password.reveal() };
        let login = trunk::login(&address, given, &self.own.address, ours);
        let fits = |t: &Trunk| {
            t.address.eq_ignore_ascii_case(&address)
                && t.numbers.iter().any(|n| n == wish.number.as_str())
                && (given.username.is_empty() || given.username == t.username)
                && !foreign.contains(&t.trunk_id)
        };
        if let Some(there) = livekit.trunks().await?.into_iter().find(fits) {
            if !given.password.is_empty() {
                livekit.set_trunk_password(there.trunk_id.clone(), &place.password).await?;
            }
            return Ok(Provided::over(there, false));
        }
        let new = NewTrunk {
            name: clean(&format!("dialdeck {}", wish.number), 100),
            number: wish.number.to_string(),
            username: login.username.to_owned(),
            password: Secret::new(login.password),
            transport: place.transport.to_ascii_lowercase(),
            metadata: metadata(wish.assistant),
            address,
        };
        self.desk.go_on_assigning(turn).await?;
        let mut made = Provided::over(livekit.create_trunk(new).await?, true);
        if login.username.is_empty() && !ours.username.is_empty() {
            made.remarks.push(format!("the trunk to {} has no login: [trunk] username and password are for [trunk] address alone", made.trunk.address));
        }
        Ok(made)
    }
}

impl Provided {
    fn over(trunk: Trunk, made: bool) -> Self {
        Self { trunk, made, inbound_trunk: None, dispatch_rule: None, remarks: Vec::new() }
    }
}

/// What our trunks and rules carry at LiveKit: whose they are, for repair.
fn metadata(assistant: AssistantId) -> String {
    json!({ "app": "dialdeck", "v": 1, "assistant_id": assistant }).to_string()
}

/// Whether a trunk or rule says of itself that it is ours.
fn is_ours(metadata: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(metadata).is_ok_and(|m| m["app"] == "dialdeck")
}
