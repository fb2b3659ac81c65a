//! What is asked of a live call: hang up, hand over, listen, bring an agent. The row comes first, with its
//! audit; an engine takes it, once, and acts (see `errands`); the asker waits on the row. Whatever rings another
//! phone is judged when it is asked and again when it is taken.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use serde_json::json;

use super::{Actor, Desk, DeskError, audit, claim::turn_away};
use crate::{
    domain::{
        Refusal,
        call::{BY_HAND, State},
        dispatch::{self, Closed, Gate, InstallationFacts, OtherPhone},
        id::{CallId, OwnerId, RequestId},
        phone::Parsed,
        request::{Fate, Kind, Verdict},
        rules::Rules,
        text::tail,
    },
    store::{CallRow, Lane, NewRequest, RequestRow, Setting, Tx},
};

/// What is asked of a call beside a hang-up.
#[derive(Debug, Clone)]
pub enum Ask {
    Transfer {
        to: Parsed,
    },
    /// A supervisor's own phone joins the call; `speak`: both hear them.
    Listen {
        phone: Parsed,
        speak: bool,
    },
    /// An agent of this name.
    Dispatch {
        agent: Option<String>,
        contact_name: String,
    },
}

impl Ask {
    fn kind(&self) -> Kind {
        match self {
            Self::Transfer { .. } => Kind::Transfer,
            Self::Listen { .. } => Kind::Listen,
            Self::Dispatch { .. } => Kind::Dispatch,
        }
    }

    /// The phone that it makes ring.
    fn phone(&self) -> Option<&Parsed> {
        match self {
            Self::Transfer { to } => Some(to),
            Self::Listen { phone, .. } => Some(phone),
            Self::Dispatch { .. } => None,
        }
    }

    fn arguments(&self) -> serde_json::Value {
        match self {
            Self::Transfer { to } => json!({ "to": to.number }),
            Self::Listen { phone, speak } => json!({ "phoneNumber": phone.number, "speak": speak }),
            Self::Dispatch { agent, contact_name } => json!({ "agentName": agent, "contactName": contact_name }),
        }
    }
}

/// A join token that may be made: its identity in the room, and until when it lets anybody in. The token
/// itself is in no row.
#[derive(Debug, Clone)]
pub struct Listening {
    pub request: RequestId,
    pub room: String,
    pub identity: String,
    pub expires_at: DateTime<Utc>,
}

/// How long a join token lets somebody in.
pub const TOKEN_TTL: Duration = Duration::seconds(60);

/// Said of what no engine took.
pub const NOBODY: &str = "no engine took it in time: nothing was done. Is `dialdeck` or `dialdeck serve` running on the dialler host?";

/// A request whose engine was not seen to take it is nobody's after this.
const UNTAKEN: Duration = Duration::seconds(5);

/// However often the bell rings, a waiting asker reads its row no more often than this.
const REST: Duration = Duration::milliseconds(40);
/// And at least this often, for a bell that was missed.
const TICK: Duration = Duration::seconds(2);

/// Whose leg or token it is, in the room.
#[must_use]
pub fn supervisor_identity(request: RequestId) -> String {
    format!("supervisor-{}", request.hex())
}

impl Desk {
    /// Asks for a hang-up; an engine acts on the row. A call not yet on the line is taken out of the queue.
    ///
    /// # Errors
    /// When there is no such call, or it has ended.
    pub async fn hang_up(&self, actor: Actor, call: CallId) -> Result<(), DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let row = own(tx, actor.owner, call).await?;
                    if row.state.is_ended() {
                        return Err(Refusal::new("state", format!("the call has ended ({})", row.state.words())).into());
                    }
                    if row.state == State::Pending && row.priority == BY_HAND {
                        return turn_away(tx, &row, &Closed::new(Gate::HangUp, "hung up before it was dialled"), now).await;
                    }
                    if row.state == State::Pending {
                        return Err(Refusal::new("state", "the call is still in the queue: stop or pause its campaign").into());
                    }
                    tx.request_hangup(call, &actor.name, actor.source, now).await?;
                    audit(tx, &actor, now, "hangup_requested", Some(call.0), &json!({})).await
                })
            })
            .await
    }

    /// Asks something of a live call; what was asked already and is not done is not asked twice.
    ///
    /// # Errors
    /// When there is no such call, its state does not allow it, or a gate is closed.
    pub async fn ask(&self, actor: Actor, call: CallId, ask: Ask) -> Result<RequestId, DeskError> {
        let (now, rules) = (self.now(), self.rules.clone());
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let row = own(tx, actor.owner, call).await?;
                    if let Some(phone) = ask.phone() {
                        judge(tx, &rules, &row, phone, now).await.map_err(refused)?;
                    } else if !row.state.is_open() {
                        return Err(Refusal::new("state", format!("the call is not on the line ({})", row.state.words())).into());
                    }
                    if let Some(same) = under_way(tx, &row, &ask).await? {
                        return Ok(same);
                    }
                    let (id, kind, arguments) = (RequestId::fresh(), ask.kind(), ask.arguments());
                    write(tx, &actor, &row, id, kind, &arguments, now).await?;
                    Ok(id)
                })
            })
            .await
    }

    /// A hidden listener's place in a call's room: written as done, for the token needs no engine.
    ///
    /// # Errors
    /// When there is no such call, or nobody is on the line.
    pub async fn ask_listener(&self, actor: Actor, call: CallId) -> Result<Listening, DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let row = own(tx, actor.owner, call).await?;
                    let room = row.room_name.clone().filter(|_| row.state.is_open());
                    let Some(room) = room else {
                        return Err(Refusal::new("state", format!("the call is not on the line ({})", row.state.words())).into());
                    };
                    let request = RequestId::fresh();
                    let place = Listening { request, room, identity: supervisor_identity(request), expires_at: now + TOKEN_TTL };
                    let arguments = json!({ "token": place.identity, "expiresAt": place.expires_at });
                    write(tx, &actor, &row, request, Kind::Listen, &arguments, now).await?;
                    tx.finish_request(request, &Verdict::new(Fate::Done, "a join token was given"), now).await?;
                    Ok(place)
                })
            })
            .await
    }

    /// Waits until a request is done, at most so long. One that no engine takes is withdrawn, but a hang-up.
    ///
    /// # Errors
    /// When no engine took it, or the database refuses.
    pub async fn answered(&self, id: RequestId, within: Duration) -> Result<RequestRow, DeskError> {
        let begun = self.now();
        let mut bell = self.store.bell();
        loop {
            bell.borrow_and_update();
            let row = self.store.request(id).await?.ok_or(DeskError::NotFound("request"))?;
            let now = self.now();
            if row.done_at.is_some() || now - begun >= within {
                return Ok(row);
            }
            if row.taken_by.is_none() && now - begun >= UNTAKEN {
                self.finish_request(id, Verdict::new(Fate::Failed, NOBODY)).await?;
                continue;
            }
            self.rung(&mut bell, now).await;
        }
    }

    /// Waits for the bell, or until the row is worth another look anyway.
    pub(super) async fn rung(&self, bell: &mut tokio::sync::watch::Receiver<crate::store::Revision>, now: DateTime<Utc>) {
        tokio::select! {
            biased;
            _ = bell.changed() => self.clock.sleep_until(now + REST).await,
            () = self.clock.sleep_until(now + TICK) => {}
        }
    }
}

async fn own(tx: &mut Tx, owner: OwnerId, call: CallId) -> Result<CallRow, DeskError> {
    tx.call(call).await?.filter(|r| r.user_id == owner).ok_or(DeskError::NotFound("call"))
}

fn refused(e: Judged) -> DeskError {
    match e {
        Judged::Closed(closed) => Refusal::from(closed).into(),
        Judged::Desk(e) => e,
    }
}

/// A gate that is closed, or what kept it from being judged.
pub(super) enum Judged {
    Closed(Closed),
    Desk(DeskError),
}

impl From<Closed> for Judged {
    fn from(c: Closed) -> Self {
        Self::Closed(c)
    }
}

impl From<crate::store::StoreError> for Judged {
    fn from(e: crate::store::StoreError) -> Self {
        Self::Desk(e.into())
    }
}

/// Whether another phone may be rung for a call.
pub(super) async fn judge(tx: &mut Tx, rules: &Arc<Rules>, row: &CallRow, phone: &Parsed, now: DateTime<Utc>) -> Result<(), Judged> {
    let kill_switch = match tx.setting(Setting::KillSwitch).await? {
        Some(_) => Some(tx.setting(Setting::KillSwitchReason).await?.unwrap_or_default()),
        None => None,
    };
    let terms_missing = rules.real_phones && tx.setting(Setting::Terms).await?.is_none();
    dispatch::installation(&InstallationFacts { kill_switch, terms_missing, unwell: None })?;
    let facts = tx.phone_facts(row, phone.number.as_str()).await?;
    let phone = OtherPhone {
        number: phone.number.as_str(),
        country: &phone.country,
        callee: &row.phone_number,
        talking: row.state == State::Answered,
        on_do_not_call: facts.on_do_not_call,
        number_live: facts.number_live,
        trunk_countries: facts.countries.as_ref().map(|c| c.0.as_slice()).unwrap_or_default(),
    };
    Ok(dispatch::other_phone(rules, &phone, now)?)
}

/// The request that is the same as this one and not done. Another one that would ring the same phone, or hand
/// over the same call, is refused.
async fn under_way(tx: &mut Tx, row: &CallRow, ask: &Ask) -> Result<Option<RequestId>, DeskError> {
    let arguments = ask.arguments();
    for open in tx.open_requests_of(row.id).await?.into_iter().filter(|r| r.kind == ask.kind()) {
        if open.arguments.0 == arguments || open.kind == Kind::Dispatch {
            return Ok(Some(open.id));
        }
        if open.kind == Kind::Transfer {
            return Err(DeskError::Conflict("the call is being transferred already".to_owned()));
        }
    }
    if let Ask::Listen { phone, .. } = ask
        && tx.is_being_rung(phone.number.as_str()).await?
    {
        return Err(DeskError::Conflict(format!("the phone {} is being rung already", tail(phone.number.as_str()))));
    }
    Ok(None)
}

async fn write(
    tx: &mut Tx,
    actor: &Actor,
    row: &CallRow,
    id: RequestId,
    kind: Kind,
    arguments: &serde_json::Value,
    now: DateTime<Utc>,
) -> Result<(), DeskError> {
    let request = NewRequest { id, call: row.id, owner: row.user_id, kind, arguments, asked_by: &actor.name, source: actor.source };
    tx.insert_request(&request, now).await?;
    audit(tx, actor, now, &format!("{}_requested", kind.as_str()), Some(row.id.0), &json!({ "request": id, "arguments": arguments })).await
}
