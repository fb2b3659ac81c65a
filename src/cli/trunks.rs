//! Verbs of numbers and the trunks they call over.

use std::io::BufRead;

use serde_json::json;

use super::{
    CliError,
    args::{NumberCommand, PlaceArgs, TrunkCommand},
    out::tell,
    session::Session,
};
use crate::{
    app,
    config::Secret,
    desk::DeskError,
    domain::{phone::PhoneNumber, role::Role},
    provision::{Listed, Outbound, Place, Provided, ProvisionError, Wish},
};

impl From<ProvisionError> for CliError {
    fn from(e: ProvisionError) -> Self {
        match e {
            ProvisionError::Desk(e) => Self::Desk(e),
            ProvisionError::Carrier(e) => Self::Failed(e.to_string()),
        }
    }
}

pub async fn number(s: &Session, command: NumberCommand) -> Result<(), CliError> {
    match command {
        NumberCommand::List => {
            let (mut lines, mut rows) = (Vec::new(), Vec::new());
            for owner in s.owners() {
                for n in s.desk.store().numbers(*owner).await.map_err(DeskError::from)? {
                    let (assistant, trunk) = (n.assistant_name.as_deref().unwrap_or("-"), n.outbound_trunk_id.as_deref().unwrap_or("-"));
                    lines.push(format!("{}{}  {assistant}  {trunk}", s.owner_column(*owner), n.number));
                    rows.push(json!({ "number": n.number, "owner": owner, "assistant": n.assistant_name, "outboundTrunkId": n.outbound_trunk_id, "inboundTrunkId": n.inbound_trunk_id }));
                }
            }
            s.list(&lines, &json!({ "phoneNumbers": rows, "total": rows.len() }));
            Ok(())
        }
        NumberCommand::Assign { number, assistant, trunk, place } => {
            let inbound = trunk.is_none();
            let outbound = match trunk {
                Some(id) => Outbound::Existing(id),
                None => Outbound::To(place_of(place)?),
            };
            assign(s, &number, &assistant, outbound, inbound).await
        }
    }
}

pub async fn trunk(s: &Session, command: TrunkCommand) -> Result<(), CliError> {
    match command {
        TrunkCommand::Create { number, assistant, place, inbound } => assign(s, &number, &assistant, Outbound::To(place_of(place)?), inbound).await,
        TrunkCommand::List => {
            let provision = app::open_provision(&s.config, &s.desk.whole(), app::open_carrier(&s.config)?);
            let listed = provision.trunks(s.actor.owner, s.config.console_role.needs(Role::Admin).is_ok()).await?;
            let mut words = listed.iter().map(line).collect::<Vec<_>>().join("\n");
            if words.is_empty() {
                "no trunk is at LiveKit: `dialdeck number assign` makes one".clone_into(&mut words);
            }
            s.say(&words, &json!({ "trunks": listed }));
            Ok(())
        }
    }
}

fn line(t: &Listed) -> String {
    let whose = if t.owned { "" } else { "  held by nobody here" };
    let drift = t.drift.as_ref().map_or_else(String::new, |d| format!("\n  differs: {d}"));
    format!("{}  {}  {}  {}{whose}{drift}", t.trunk_id, t.address, t.numbers.join(","), t.name)
}

/// A password comes by standard input: what stands in arguments, everybody on the host can read.
fn place_of(place: PlaceArgs) -> Result<Place, CliError> {
    let mut password = String::new();
    if place.password_stdin {
        std::io::stdin().lock().read_line(&mut password).map_err(|e| CliError::Failed(format!("the password cannot be read: {e}")))?;
    }
    let password = Secret::new(password.trim_end_matches(['\r', '\n']));
    Ok(Place { address: place.address.unwrap_or_default(), username: place.username.unwrap_or_default(), password, transport: place.transport })
}

async fn assign(s: &Session, number: &str, assistant: &str, outbound: Outbound, inbound: bool) -> Result<(), CliError> {
    let own = PhoneNumber::own(number).map_err(|e| CliError::Usage(format!("{number}: {e}")))?;
    let wish = Wish { assistant: s.assistant(assistant).await?, number: own.clone(), outbound, inbound };
    let provision = app::open_provision(&s.config, &s.desk.whole(), app::open_carrier(&s.config)?);
    let done = provision.assign(s.actor.clone(), wish).await?;
    for remark in &done.remarks {
        tell!("dialdeck: {remark}");
    }
    s.say(
        &words(&own, &done),
        &json!({ "trunk": done.trunk.trunk_id, "made": done.made, "inboundTrunk": done.inbound_trunk, "dispatchRule": done.dispatch_rule }),
    );
    Ok(())
}

fn words(number: &PhoneNumber, done: &Provided) -> String {
    let how = if done.made { "made now" } else { "there already" };
    let way_in = done.inbound_trunk.as_ref().map_or_else(String::new, |t| format!("; calls to it come in over trunk {t}"));
    format!("{number} calls over trunk {} ({}, {how}){way_in}", done.trunk.trunk_id, done.trunk.address)
}
