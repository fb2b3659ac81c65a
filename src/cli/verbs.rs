//! The verbs without a screen: each is one function of the desk, with its result printed.

use serde_json::json;

use super::{
    CliError, Command,
    args::{AssistantCommand, NumberCommand},
    calls, campaigns, imports, law,
    out::{say, tell},
    rules, safekeeping,
    session::Session,
    status,
};
use crate::{
    api::Role,
    app,
    desk::{Actor, AssignNumber, DeskError},
    domain::{
        id::OwnerId,
        phone::PhoneNumber,
        text::clean,
        trunk::{self, Login, Reach},
    },
    telephony::{Carrier, NewTrunk},
};

pub async fn run(s: Session, command: Command) -> Result<(), CliError> {
    match command {
        Command::Import { file, list, csv: _, region, map, ignore_column, dry_run, rejects } => {
            let mapping = imports::mapping(&map, &ignore_column)?;
            imports::import(&s, imports::Asked { file, list, region, mapping, dry_run, rejects }).await
        }
        Command::Campaign(c) => campaigns::campaign(&s, c).await,
        Command::Call(c) => calls::call(&s, c).await,
        Command::Assistant(c) => assistant(&s, c).await,
        Command::Number(c) => number(&s, c).await,
        Command::Dnc(c) => rules::dnc(&s, c).await,
        Command::Law(c) => law::law(&s, c).await,
        Command::Terms(c) => rules::terms(&s, c).await,
        Command::StopAll { hang_up, release } => stop_all(&s, hang_up, release).await,
        Command::Status => status::status(&s).await,
        Command::Token { sub, role, ttl } => token(&s, sub, &role, &ttl).await,
        Command::Migrate { .. } => safekeeping::migrated(&s).await,
        Command::Backup { file } => safekeeping::backup(&s, &file).await,
        Command::Restore { file } => safekeeping::restore(&s, &file).await,
        Command::Demo { .. }
        | Command::Serve(_)
        | Command::Simulate { .. }
        | Command::Config(_)
        | Command::Theme(_)
        | Command::Doctor
        | Command::Completions { .. }
        | Command::Man => Ok(()),
    }
}

/// Answers for what it could reach alone: an engine on another file hears nothing of it.
async fn stop_all(s: &Session, hang_up: bool, release: bool) -> Result<(), CliError> {
    s.desk.kill_switch(s.actor.clone(), !release).await?;
    let store = s.desk.store();
    if let Some(words) = app::unreached(std::path::Path::new(store.path()), store.file()) {
        let state = if release { "off" } else { "on" };
        return Err(CliError::Failed(format!("the kill switch is {state} in {}, but {words}", store.path())));
    }
    if release {
        s.say("the kill switch is off", &json!({ "on": false }));
        return Ok(());
    }
    let ending = if hang_up { hang_up_all(s).await? } else { 0 };
    let words = if hang_up { format!("; {ending} live calls are being hung up") } else { String::new() };
    s.say(&format!("the kill switch is on: nothing is dialled on any host{words}"), &json!({ "on": true, "hangups": ending }));
    Ok(())
}

/// Asks for the end of every live call, whoever's it is; how many. After the switch: no new one comes.
async fn hang_up_all(s: &Session) -> Result<usize, CliError> {
    let mut asked = 0;
    for call in s.desk.store().open_calls().await.map_err(DeskError::from)? {
        match s.desk.hang_up(Actor { owner: call.user_id, ..s.actor.clone() }, call.id).await {
            Ok(()) => asked += 1,
            // Ended, or gone back to the queue, meanwhile.
            Err(DeskError::Refused(_) | DeskError::NotFound(_)) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(asked)
}

async fn assistant(s: &Session, command: AssistantCommand) -> Result<(), CliError> {
    match command {
        AssistantCommand::Add { name, agent, prompt, language } => {
            let row = s.desk.add_assistant(s.actor.clone(), None, name, agent, prompt, language).await?;
            s.say(&row.id.to_string(), &json!({ "id": row.id, "name": row.name }));
        }
        AssistantCommand::List => {
            let mut all = Vec::new();
            for owner in s.owners() {
                all.extend(s.desk.store().assistants(*owner).await.map_err(DeskError::from)?);
            }
            let lines: Vec<String> = all.iter().map(|a| format!("{}{}  {}", s.owner_column(a.user_id), a.id, a.name)).collect();
            let rows: Vec<_> =
                all.iter().map(|a| json!({ "id": a.id, "owner": a.user_id, "name": a.name, "agentName": a.agent_name, "language": a.language })).collect();
            s.list(&lines, &json!({ "assistants": rows, "total": rows.len() }));
        }
    }
    Ok(())
}

async fn number(s: &Session, command: NumberCommand) -> Result<(), CliError> {
    match command {
        NumberCommand::List => {
            let (mut lines, mut rows) = (Vec::new(), Vec::new());
            for owner in s.owners() {
                for n in s.desk.store().numbers(*owner).await.map_err(DeskError::from)? {
                    let (assistant, trunk) = (n.assistant_name.as_deref().unwrap_or("-"), n.outbound_trunk_id.as_deref().unwrap_or("-"));
                    lines.push(format!("{}{}  {assistant}  {trunk}", s.owner_column(*owner), n.number));
                    rows.push(json!({ "number": n.number, "owner": owner, "assistant": n.assistant_name, "outboundTrunkId": n.outbound_trunk_id }));
                }
            }
            s.list(&lines, &json!({ "phoneNumbers": rows, "total": rows.len() }));
            Ok(())
        }
        NumberCommand::Assign { number, assistant, trunk, address } => {
            let own = PhoneNumber::own(&number).map_err(|e| CliError::Usage(format!("{number}: {e}")))?;
            let assistant = s.assistant(&assistant).await?;
            let carrier = app::open_carrier(&s.config)?
                .ok_or_else(|| CliError::Failed("no LiveKit is configured: set LIVEKIT_HOST, LIVEKIT_API_KEY and LIVEKIT_API_SECRET".to_owned()))?;
            let made = find_or_make_trunk(s, carrier.as_ref(), &own, trunk, address).await?;
            let words = format!("{own} calls over trunk {} ({})", made.trunk_id, made.address);
            let assign = AssignNumber {
                number: own,
                assistant,
                livekit_trunk: made.trunk_id.clone(),
                trunk_name: made.name,
                address: made.address,
                numbers: made.numbers,
                inbound_trunk: None,
            };
            s.desk.assign_number(s.actor.clone(), assign).await?;
            s.say(&words, &json!({ "trunk": made.trunk_id }));
            Ok(())
        }
    }
}

/// A trunk that exists is adopted: creating is not idempotent.
async fn find_or_make_trunk(
    s: &Session,
    carrier: &dyn Carrier,
    number: &PhoneNumber,
    id: Option<String>,
    address: Option<String>,
) -> Result<crate::telephony::Trunk, CliError> {
    let fail = |e: crate::telephony::CarrierError| CliError::Failed(e.to_string());
    let there = carrier.trunks().await.map_err(fail)?;
    if let Some(id) = id {
        return there.into_iter().find(|t| t.trunk_id == id).ok_or_else(|| CliError::Failed(format!("LiveKit knows no trunk {id}")));
    }
    let own = s.config.trunk_address.as_str();
    let address = match address.filter(|a| !a.trim().eq_ignore_ascii_case(own)) {
        Some(asked) => {
            let reach = if s.desk.rules().real_phones { Reach::Outside } else { Reach::Anywhere };
            trunk::address(&asked, reach).map_err(|why| CliError::Usage(format!("--address \"{}\" {why}", clean(&asked, 60))))?
        }
        None => own.to_owned(),
    };
    if address.is_empty() {
        return Err(CliError::Usage("name --trunk ST_..., or --address NAME.pstn.twilio.com, or set [trunk] address".to_owned()));
    }
    if let Some(t) = there.into_iter().find(|t| t.address.eq_ignore_ascii_case(&address) && t.numbers.iter().any(|n| n == number.as_str())) {
        return Ok(t);
    }
    let (none, ours) = (Login { username: "", password: "" }, Login { username: &s.config.trunk_username, password: s.config.trunk_password.reveal() });
    let login = trunk::login(&address, none, own, ours);
    if login == none && ours != none {
        tell!("dialdeck: the trunk to {address} has no login: [trunk] username and password are for [trunk] address alone");
    }
    let new = NewTrunk {
        name: format!("dialdeck {number}"),
        number: number.to_string(),
        username: login.username.to_owned(),
        password: login.password.to_owned(),
        address,
        transport: "auto".to_owned(),
        metadata: json!({ "app": "dialdeck", "v": 1 }).to_string(),
    };
    carrier.create_trunk(new).await.map_err(fail)
}

async fn token(s: &Session, sub: Option<uuid::Uuid>, role: &str, ttl: &str) -> Result<(), CliError> {
    let role: Role = role.parse().map_err(CliError::Usage)?;
    if role == Role::Agent {
        return Err(CliError::Usage("an agent's token is of one call: the engine makes it with the dispatch".to_owned()));
    }
    let split = ttl.find(|c: char| !c.is_ascii_digit()).unwrap_or(ttl.len());
    let unit = match &ttl[split..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(CliError::Usage(format!("--ttl wants 30m, 1h or 7d, not \"{ttl}\""))),
    };
    let seconds: i64 =
        ttl[..split].parse::<i64>().map_err(|_| CliError::Usage(format!("--ttl wants 30m, 1h or 7d, not \"{ttl}\"")))?.saturating_mul(unit).min(366 * 86_400);
    let auth = app::open_auth(&s.config, &s.desk).await?;
    let owner = sub.map_or(s.actor.owner, OwnerId);
    let until = s.desk.now() + chrono::Duration::seconds(seconds);
    let token = auth.mint(owner, role, until, None).ok_or_else(|| CliError::Failed("the token could not be signed".to_owned()))?;
    if s.json {
        say!("{}", json!({ "token": token, "sub": owner, "expiresAt": until }));
    } else {
        say!("{token}");
    }
    Ok(())
}
