//! The verbs without a screen: each is one function of the desk, with its result printed.

use serde_json::json;

use super::{CliError, Command, args::AssistantCommand, calls, campaigns, imports, law, out::say, rules, safekeeping, session::Session, status, trunks};
use crate::{
    api::Role,
    app,
    desk::{Actor, AssistantEdit, DeskError},
    domain::id::OwnerId,
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
        Command::Number(c) => trunks::number(&s, c).await,
        Command::Trunk(c) => trunks::trunk(&s, c).await,
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
        | Command::Serve { .. }
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
    if !store.is_shared()
        && let Some(words) = app::unreached(std::path::Path::new(store.path()), store.file())
    {
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
    for call in s.desk.whole().store().open_calls().await.map_err(DeskError::from)? {
        match s.desk.of(call.user_id).hang_up(Actor { owner: call.user_id, ..s.actor.clone() }, call.id).await {
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
        AssistantCommand::Rename { name, new } => {
            let id = s.assistant(&name).await?;
            let row = s.desk.store().assistant(s.actor.owner, id).await.map_err(DeskError::from)?.ok_or(DeskError::NotFound("assistant"))?;
            let edit = AssistantEdit { name: new.clone(), agent_name: row.agent_name, prompt: row.prompt };
            s.desk.edit_assistant(s.actor.clone(), id, edit).await?;
            s.say(&format!("\"{}\" is called \"{new}\" from now on", row.name), &json!({ "id": id, "name": new }));
        }
        AssistantCommand::Delete { name } => {
            let id = s.assistant(&name).await?;
            s.desk.delete_assistant(s.actor.clone(), id).await?;
            s.say(&format!("assistant \"{name}\" is deleted"), &json!({ "id": id, "deleted": true }));
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
    let auth = app::open_auth(&s.config, &s.desk.whole()).await?;
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
