//! Papers about the command line, made from what it takes: completion scripts and the manual page.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Args, CliError, out};

pub fn completions(shell: Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "dialdeck", &mut script);
    out::bytes(&script);
}

/// The page of the program, followed by those of its commands.
pub fn man() -> Result<(), CliError> {
    let mut command = Args::command();
    command.build();
    let mut page = Vec::new();
    render(&command, &mut page).map_err(|e| CliError::Failed(format!("the manual cannot be written: {e}")))?;
    out::bytes(&page);
    Ok(())
}

fn render(command: &clap::Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(page)?;
    for verb in command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help") {
        render(verb, page)?;
    }
    Ok(())
}
