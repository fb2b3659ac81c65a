//! What holds and where it came from: the configuration, and the console's themes.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{
    CliError,
    args::{ConfigCommand, ThemeCommand},
    out::say,
};
use crate::{
    config::{self, KEYS, Values},
    console::{Depth, ThemeError, theme as themes},
};

/// Shows, checks or locates the configuration. Secrets as `***`.
pub fn config(command: ConfigCommand, values: &Values, files: &[(PathBuf, bool)], json: bool) -> Result<(), CliError> {
    match command {
        ConfigCommand::Show => show(values, json),
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

fn show(values: &Values, json: bool) {
    let shown = KEYS.iter().filter_map(|(key, _)| values.get(key).map(|v| (key, config::shown(key, &v.text), &v.source)));
    if json {
        let keys: serde_json::Map<String, Value> = shown.map(|(key, text, source)| ((*key).to_owned(), json!({ "value": text, "source": source }))).collect();
        return say!("{}", json!({ "config": keys }));
    }
    for (key, text, source) in shown {
        say!("{key:<28} {text:<36} {source}");
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
