//! `doctor`: the checks of [`crate::doctor`], each with its way out.

use std::{path::PathBuf, sync::Arc};

use serde_json::{Value, json};

use super::{CliError, args::Global, out::say, run::open_files, session::Session};
use crate::{
    clock::{SharedClock, SystemClock},
    config::Config,
    doctor::{CHECKS, Finding, Verdict},
    store::Store,
};

/// Makes every check that can be made; fails when one of them finds that calls cannot be made.
pub async fn doctor(config: Result<Config, CliError>, global: &Global) -> Result<(), CliError> {
    let mut paper = Paper { json: global.json, rows: Vec::new(), bad: 0, warnings: 0 };
    let config = match config {
        Ok(config) => config,
        Err(e) => {
            paper.write("configuration", vec![Finding::bad("configuration", e.to_string(), "mend what is named, each at its place")]);
            return paper.end();
        }
    };
    let session = match Session::open_there(config.clone(), global).await {
        Ok(session) => Some(session),
        Err(e) if Store::is_server(&config.database_url) => {
            let way = "look at its address, the login and its password, and whether the server runs";
            paper.write("database", vec![Finding::bad("database", e.to_string(), way)]);
            None
        }
        Err(_) if !PathBuf::from(Store::path_of(&config.database_url)).exists() => None,
        Err(e) => {
            paper.write("database", vec![Finding::bad("database", e.to_string(), "put a backup back: `dialdeck restore FILE`")]);
            None
        }
    };
    let owners = session.as_ref().map(|s| s.owners().to_vec()).unwrap_or_default();
    let (open, clock): (_, SharedClock) = (open_files(&config), Arc::new(SystemClock::new()));
    let patient = crate::app::patient(config, session.as_ref().map(|s| s.desk.whole()), owners, open, &clock).await?;
    for check in CHECKS {
        let found = (check.make)(&patient).await;
        paper.write(check.name, found);
    }
    paper.end()
}

/// What was found, printed as it comes, or as one document at the end.
struct Paper {
    json: bool,
    rows: Vec<Value>,
    bad: usize,
    warnings: usize,
}

impl Paper {
    fn write(&mut self, check: &str, found: Vec<Finding>) {
        for f in found {
            self.bad += usize::from(f.verdict == Verdict::Bad);
            self.warnings += usize::from(f.verdict == Verdict::Warning);
            if self.json {
                self.rows.push(json!({ "check": check, "code": f.code, "verdict": f.verdict, "what": f.what, "wayOut": f.way_out }));
                continue;
            }
            let mark = match f.verdict {
                Verdict::Good => "ok  ",
                Verdict::Warning => "note",
                Verdict::Bad => "BAD ",
            };
            say!("{mark} {check}: {}", f.what);
            if !f.way_out.is_empty() {
                say!("       {}", f.way_out);
            }
        }
    }

    fn end(self) -> Result<(), CliError> {
        if self.json {
            say!("{}", json!({ "well": self.bad == 0, "bad": self.bad, "warnings": self.warnings, "findings": self.rows }));
        }
        match self.bad {
            0 => Ok(()),
            1 => Err(CliError::Failed("one check failed".to_owned())),
            n => Err(CliError::Failed(format!("{n} checks failed"))),
        }
    }
}
