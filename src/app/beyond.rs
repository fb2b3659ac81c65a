//! The world beyond the rows, for the console: LiveKit and the network, the configuration file, files of exports.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{AppError, ExportFormat, export, open_carrier, open_provision};
use crate::{
    clock::SharedClock,
    config::{Config, ENVIRONMENT, Values, keep_livekit},
    console::outside::{Export, Exported, Fault, Format, LiveKitValues, NumberWish, Outside, Soon},
    desk::{Actor, Desk},
    doctor::{self, CHECKS, Patient},
    domain::{id::OwnerId, system::System},
    provision::{Outbound, Place, Provided, Wish},
    telephony::livekit::{LiveKit, LiveKitConfig},
};

/// What the console's doings beyond the rows need.
#[derive(Clone)]
pub struct Beyond {
    pub config: Config,
    pub desk: Desk,
    pub owner: OwnerId,
    pub clock: SharedClock,
    /// The configuration file that is read last.
    pub file: PathBuf,
    /// What goes before that file: its name, where one of LiveKit's values comes from it.
    pub before: Option<String>,
    /// Files that everybody on this host may read.
    pub open_files: Vec<PathBuf>,
}

impl std::fmt::Debug for Beyond {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Beyond").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Where LiveKit's values come from, if that goes before any file: a variable or a flag.
#[must_use]
pub fn before_files(values: &Values) -> Option<String> {
    let variable = |source: &str| source.starts_with("DIALDECK_") || source == "flag" || ENVIRONMENT.iter().any(|(name, _)| *name == source);
    ["livekit.host", "livekit.api_key", "livekit.api_secret"].iter().filter_map(|key| values.get(key)).map(|v| v.source.clone()).find(|s| variable(s))
}

/// What doctor looks at.
///
/// # Errors
/// When LiveKit's host is no URL.
pub async fn patient(config: Config, desk: Option<Desk>, owners: Vec<OwnerId>, open_files: Vec<PathBuf>, clock: &SharedClock) -> Result<Patient, AppError> {
    let (mut livekit, mut asked_at) = (None, None);
    if let Some(l) = &config.livekit {
        let asked = LiveKit::new(&LiveKitConfig { host: l.host.clone(), api_key: l.api_key.clone(), api_secret: l.api_secret.reveal().to_owned() })?;
        asked_at = Some(clock.now());
        let exam = asked.examine().await;
        livekit = Some((asked, exam));
    }
    Ok(Patient { config, desk, owners, livekit, asked_at, open_files })
}

impl Outside for Beyond {
    fn look(&self) -> Soon<Vec<System>> {
        let this = self.clone();
        Box::pin(async move {
            let patient = match patient(this.config, Some(this.desk), vec![this.owner], this.open_files, &this.clock).await {
                Ok(patient) => patient,
                Err(e) => return vec![doctor::Finding::bad("livekit_other", e.to_string(), "check LIVEKIT_HOST").system("LiveKit")],
            };
            let mut found = Vec::new();
            for check in CHECKS {
                found.extend((check.make)(&patient).await.into_iter().map(|f| f.system(check.name)));
            }
            found
        })
    }

    fn goes_before(&self) -> Option<String> {
        self.before.clone()
    }

    fn connect(&self, values: LiveKitValues) -> Soon<Result<String, Fault>> {
        let this = self.clone();
        Box::pin(async move { this.try_and_keep(values).await })
    }

    fn assign(&self, actor: Actor, wish: NumberWish) -> Soon<Result<Vec<String>, String>> {
        let this = self.clone();
        Box::pin(async move {
            let number = wish.number.clone();
            let outbound = if wish.trunk.starts_with("ST_") {
                Outbound::Existing(wish.trunk)
            } else {
                Outbound::To(Place { address: wish.trunk, username: wish.username, password: wish.password, transport: "auto".to_owned() })
            };
            let wish = Wish { assistant: wish.assistant, number: wish.number, outbound, inbound: wish.inbound };
            let carrier = open_carrier(&this.config).map_err(|e| e.to_string())?;
            let done = open_provision(&this.config, &this.desk, carrier).assign(actor, wish).await.map_err(|e| e.to_string())?;
            Ok(told(number.as_str(), &done))
        })
    }

    fn back_up(&self, path: PathBuf) -> Soon<Result<u64, String>> {
        let desk = self.desk.clone();
        Box::pin(async move {
            let there = || format!("{} is there already and stays as it is: name a new file", path.display());
            if path.exists() {
                return Err(there());
            }
            let broken = |e: &dyn std::fmt::Display| format!("{} was not written: {e}", path.display());
            let (beside, file) = beside(&path).map_err(|e| broken(&e))?;
            drop(file);
            let copied = desk.store().copy_into(&beside).await.map_err(|e| e.to_string());
            let placed =
                copied.and_then(|()| File::open(&beside).and_then(|f| f.sync_all()).and_then(|()| place(&beside, &path, false)).map_err(|e| e.to_string()));
            match placed {
                Ok(true) => {}
                wrong => {
                    for suffix in ["", "-wal", "-shm"] {
                        drop(fs::remove_file(format!("{}{suffix}", beside.display())));
                    }
                    return Err(wrong.err().map_or_else(there, |e| broken(&e)));
                }
            }
            desk.note_backup().await.map_err(|e| e.to_string())?;
            fs::metadata(&path).map(|m| m.len()).map_err(|e| broken(&e))
        })
    }

    fn export(&self, actor: Actor, wanted: Export) -> Soon<Result<Exported, String>> {
        let desk = self.desk.of(self.owner);
        Box::pin(async move {
            // One that somebody else writes meanwhile is not lost either: the last step looks again.
            if !wanted.over && wanted.path.exists() {
                return Ok(Exported::Exists);
            }
            let row = desk.store().campaign(actor.owner, wanted.campaign).await.map_err(|e| e.to_string())?;
            let row = row.ok_or_else(|| format!("campaign \"{}\" is gone", wanted.name))?;
            let format = match wanted.format {
                Format::Csv => ExportFormat::Csv { raw: false },
                Format::Jsonl => ExportFormat::Jsonl,
                Format::Xlsx => ExportFormat::Xlsx,
            };
            let broken = |e: &dyn std::fmt::Display| format!("nothing was written into {}: {e}", wanted.path.display());
            let (beside, file) = beside(&wanted.path).map_err(|e| broken(&e))?;
            let written = export(&desk, &row, format, Box::new(file) as Box<dyn Write + Send>, |_| {}).await;
            let placed =
                written.map_err(|e| e.to_string()).and_then(|n| place(&beside, &wanted.path, wanted.over).map(|there| (n, there)).map_err(|e| e.to_string()));
            match placed {
                Ok((n, true)) => Ok(Exported::Written(n)),
                Ok((_, false)) => Ok(Exported::Exists),
                Err(e) => {
                    // Half an export is not taken for a whole one.
                    drop(fs::remove_file(&beside));
                    Err(broken(&e))
                }
            }
        })
    }
}

impl Beyond {
    async fn try_and_keep(&self, values: LiveKitValues) -> Result<String, Fault> {
        if let Some(source) = &self.before {
            return Err(Fault::from(format!("{source} goes before the configuration file: nothing was written")));
        }
        let of_host = |words: String| Fault { field: Some("host"), words };
        let LiveKitValues { host, api_key, api_secret } = values;
        let livekit = LiveKit::new(&LiveKitConfig { host: host.clone(), api_key: api_key.clone(), api_secret: api_secret.reveal().to_owned() });
        let livekit = livekit.map_err(|e| of_host(e.to_string()))?;
        let remark = match doctor::tried(&host, &livekit.examine().await) {
            Ok(remark) => remark.map_or_else(String::new, |f| format!(". But {}", f.what)),
            Err((field, finding)) => return Err(Fault { field, words: finding.what }),
        };
        keep_livekit(&self.file, &host, &api_key, &api_secret)?;
        let at = self.file.display();
        tracing::info!(target: "app", "LiveKit's host, key and secret were written into {at} from the console");
        Ok(format!("LiveKit takes them; they are in {at}{remark}"))
    }
}

/// What LiveKit has now.
fn told(number: &str, done: &Provided) -> Vec<String> {
    let how = if done.made { "made now" } else { "there already" };
    let mut lines = vec![format!("{number} calls over trunk {} ({}, {how}).", done.trunk.trunk_id, done.trunk.address)];
    lines.push(match (&done.inbound_trunk, &done.dispatch_rule) {
        (Some(trunk), Some(rule)) => format!("Calls to it come in over trunk {trunk}, by rule {rule}."),
        (Some(trunk), None) => format!("Calls to it come in over trunk {trunk}."),
        (None, _) => "Calls to it do not come in.".to_owned(),
    });
    lines.extend(done.remarks.iter().cloned());
    lines
}

/// A new file beside the one that is wanted, its owner's alone: it holds numbers.
fn beside(path: &Path) -> std::io::Result<(PathBuf, File)> {
    let name = path.file_name().ok_or_else(|| std::io::Error::other("that is no name of a file"))?;
    let beside = path.with_file_name(format!(".{}-{}", name.to_string_lossy(), uuid::Uuid::new_v4().simple()));
    let file = File::options().write(true).create_new(true).mode(0o600).open(&beside)?;
    Ok((beside, file))
}

/// Gives it its name; `false`: another file has it by now.
fn place(beside: &Path, path: &Path, over: bool) -> std::io::Result<bool> {
    if over {
        fs::rename(beside, path)?;
        return Ok(true);
    }
    let linked = fs::hard_link(beside, path);
    match linked {
        Err(_) if path.exists() => {
            fs::remove_file(beside)?;
            Ok(false)
        }
        // A file system without links.
        Err(_) => fs::rename(beside, path).map(|()| true),
        Ok(()) => fs::remove_file(beside).map(|()| true),
    }
}

/// For a console.
#[must_use]
pub fn outside(beyond: Beyond) -> Option<Arc<dyn Outside>> {
    Some(Arc::new(beyond))
}
