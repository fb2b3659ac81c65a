//! What holds and where it came from: the configuration, and the console's themes.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{
    CliError,
    args::{ConfigCommand, ThemeCommand},
    out::say,
    runtime::runtime,
};
use crate::{
    config::{self, KEYS, Values},
    console::{Depth, ThemeError, theme as themes},
    domain::text::clean,
    store::{Setting, Store, StoreError},
};

/// Shows, checks or locates the configuration. Secrets as `***`.
pub fn config(command: ConfigCommand, values: &Values, files: &[(PathBuf, bool)], json: bool) -> Result<(), CliError> {
    match command {
        ConfigCommand::Show => show(values, &shared(values), json),
        ConfigCommand::Check => {
            config::validate(values)?;
            let (zones, law) = (crate::domain::zone::version(), crate::domain::legal::version());
            if json {
                say!("{}", json!({ "inOrder": true, "timeZones": zones, "lawOfPlaces": law }));
            } else {
                say!("the configuration is in order");
                say!("time zones {zones}, law of places {law}");
            }
        }
        ConfigCommand::Path => {
            if json {
                let files: Vec<Value> = files.iter().map(|(path, _)| json!({ "path": path, "there": path.exists() })).collect();
                say!("{}", json!({ "files": files }));
                return Ok(());
            }
            for (path, _) in files {
                say!("{}{}", path.display(), if path.exists() { "" } else { " (not there)" });
            }
        }
    }
    Ok(())
}

/// Whether the values name a database that several hosts share.
fn is_shared(values: &Values) -> bool {
    values.get("database.url").is_some_and(|v| config::is_postgres(&v.text))
}

/// What is one for all hosts: in the database, by its words.
type Shared = Vec<(&'static str, String)>;

/// As the database has it; the reason it does not say, where it cannot be asked.
fn shared(values: &Values) -> Result<Shared, String> {
    if !is_shared(values) {
        return Ok(Vec::new());
    }
    let config = config::validate(values).map_err(|_| "the configuration is wrong: `dialdeck config check` says where".to_owned())?;
    runtime().map_err(|e| e.to_string())?.block_on(async {
        let store = Store::open_sized(&config.database_url, false, config.connections).await.map_err(|e| e.to_string())?;
        of_all_hosts(&store).await.map_err(|e| e.to_string())
    })
}

async fn of_all_hosts(store: &Store) -> Result<Shared, StoreError> {
    const NONE: &str = "-";
    let said = async |setting| Ok::<_, StoreError>(store.setting(setting).await?.unwrap_or_else(|| NONE.to_owned()));
    let dials = store.lease().await?.filter(|lease| lease.left > 0.0).map_or_else(|| NONE.to_owned(), |lease| clean(&lease.host, 64));
    let closed = store.setting(Setting::LawClosed).await?.map_or(0, |json| serde_json::from_str::<Vec<Value>>(&json).map_or(1, |places| places.len()));
    Ok(vec![
        ("installation", said(Setting::InstallationId).await?),
        ("owner", said(Setting::Owner).await?),
        ("dials", dials),
        ("kill switch", if store.kill_switch().await? { "on".to_owned() } else { "off".to_owned() }),
        ("terms accepted", clean(&said(Setting::Terms).await?, 80)),
        ("one do-not-call list of all owners", said(Setting::SharedDoNotCall).await?),
        ("places closed by hand", closed.to_string()),
    ])
}

fn show(values: &Values, shared: &Result<Shared, String>, json: bool) {
    let shown = KEYS.iter().filter_map(|(key, _)| values.get(key).map(|v| (key, config::shown(key, &v.text), &v.source)));
    if json {
        let keys: serde_json::Map<String, Value> =
            shown.map(|(key, text, source)| ((*key).to_owned(), json!({ "value": text, "source": source, "scope": config::scope_of(key).word() }))).collect();
        let all: Value = match shared {
            Ok(all) => all.iter().map(|(what, text)| ((*what).to_owned(), json!(text))).collect::<serde_json::Map<_, _>>().into(),
            Err(why) => json!({ "unread": why }),
        };
        return say!("{}", json!({ "config": keys, "allHosts": all }));
    }
    let hosts = is_shared(values);
    if hosts {
        say!("Of this host: its files, environment and flags. What counts while a host dials must be the same on every host that may.");
    }
    for (key, text, source) in shown {
        let scope = if hosts { format!("{:<22}", config::scope_of(key).word()) } else { String::new() };
        say!("{key:<28} {text:<36} {scope}{source}");
    }
    if !hosts {
        return;
    }
    say!("\nOf all hosts, in the database:");
    match shared {
        Ok(all) => all.iter().for_each(|(what, text)| say!("{what:<36} {text}")),
        Err(why) => say!("it cannot be asked: {why}"),
    }
}

/// Lists the themes, or reads one and says what is wrong with it.
pub fn theme(command: ThemeCommand, folder: &Path, json: bool) -> Result<(), CliError> {
    match command {
        ThemeCommand::List => {
            let all = themes::all(folder);
            if json {
                let rows: Vec<Value> = all.iter().map(|(name, file)| json!({ "name": name, "file": file })).collect();
                say!("{}", json!({ "themes": rows }));
                return Ok(());
            }
            for (name, file) in all {
                say!("{name:<16} {}", file.map_or_else(|| "built in".to_owned(), |f| f.display().to_string()));
            }
            Ok(())
        }
        ThemeCommand::Check { theme } => {
            let path = Path::new(&theme);
            let read = if path.extension().is_some_and(|e| e == "toml") { themes::read(path) } else { themes::find(&theme, folder, Depth::True) };
            let theme = read.map_err(|e| match e {
                ThemeError::Unknown(_) => CliError::Usage(format!("{e}; `dialdeck theme list` names them")),
                ThemeError::Broken { .. } => CliError::Failed(e.to_string()),
            })?;
            let complaints = theme.complaints();
            if json {
                say!("{}", json!({ "theme": theme.name, "inOrder": complaints.is_empty(), "complaints": complaints }));
            } else if complaints.is_empty() {
                say!("theme {} is in order", theme.name);
            }
            // The console takes it all the same; whoever checks wants to know.
            if complaints.is_empty() { Ok(()) } else { Err(CliError::Failed(format!("theme {}: {}", theme.name, complaints.join("; ")))) }
        }
    }
}
