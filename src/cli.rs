//! The command line: every verb of the console exists without a screen too. Words go to standard
//! error, what was asked for to standard output.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod calls;
mod law;
mod rights;
mod rules;
mod run;
mod session;
mod trunks;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

pub use args::{Args, Command};

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
            Self::Usage(_) | Self::Config(_) | Self::Desk(DeskError::Invalid(_)) | Self::App(AppError::Config(_)) => 2,
            Self::Desk(DeskError::Refused(_)) | Self::Forbidden(_) => 3,
            _ => 1,
        }
    }
}

/// Parses, runs, prints the error chain once, and picks the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    match run::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("dialdeck: {e}");
            let mut source = std::error::Error::source(&e);
            while let Some(s) = source {
                let text = s.to_string();
                if !e.to_string().contains(&text) {
                    eprintln!("  because: {text}");
                }
                source = s.source();
            }
            ExitCode::from(e.code())
        }
    }
}
