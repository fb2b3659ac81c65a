//! The command line: every verb of the console exists without a screen too. Words go to standard
//! error, what was asked for to standard output.

mod args;
mod behind;
mod calls;
mod campaigns;
mod configuration;
mod doctor;
mod ending;
mod export;
mod imports;
mod law;
mod manual;
mod out;
mod rights;
mod rules;
mod run;
mod runtime;
mod safekeeping;
mod session;
mod status;
mod trunks;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

pub use args::{Args, Command};
use out::tell;

use crate::{
    app::AppError,
    config::ConfigError,
    desk::{DeskError, ImportError},
};

/// Why a command failed, and with which exit code.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Desk(#[from] DeskError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("{0}")]
    Usage(String),
    /// `[auth] console_role` does not allow it.
    #[error("{0}")]
    Forbidden(String),
    #[error("{0}")]
    Failed(String),
}

impl CliError {
    /// 1 failed, 2 wrong usage, 3 refused by a rule.
    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Config(_) | Self::App(AppError::Config(_)) => 2,
            Self::Forbidden(_) => 3,
            Self::Desk(e) | Self::App(AppError::Desk(e)) | Self::Import(ImportError::Desk(e)) => code_of(e),
            _ => 1,
        }
    }
}

fn code_of(e: &DeskError) -> u8 {
    match e {
        DeskError::Invalid(_) => 2,
        DeskError::Refused(_) => 3,
        _ => 1,
    }
}

/// Parses, runs, prints the error chain once, and picks the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    match run::run(args) {
        Ok(()) if out::went_out() => ExitCode::SUCCESS,
        Ok(()) => {
            tell!("dialdeck: standard output could not be written");
            ExitCode::FAILURE
        }
        Err(e) => {
            tell!("dialdeck: {e}");
            let mut source = std::error::Error::source(&e);
            while let Some(s) = source {
                let text = s.to_string();
                if !e.to_string().contains(&text) {
                    tell!("  because: {text}");
                }
                source = s.source();
            }
            ExitCode::from(e.code())
        }
    }
}
