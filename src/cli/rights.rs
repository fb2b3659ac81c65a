//! What each verb needs of `[auth] console_role`: the same as its route of the REST API.

use super::{
    CliError, Command,
    args::{AssistantCommand, CallCommand, CampaignCommand, DncCommand, LawCommand, NumberCommand, TermsCommand, TrunkCommand},
};
use crate::domain::role::Role;

/// # Errors
/// In words that name the role.
pub fn check(role: Role, command: &Command) -> Result<(), CliError> {
    let words = |why| format!("{why}, and [auth] console_role is {}", role.as_str());
    role.needs(needed(command)).map_err(|why| CliError::Forbidden(words(why)))
}

fn needed(command: &Command) -> Role {
    match command {
        Command::Campaign(CampaignCommand::List | CampaignCommand::Show { .. } | CampaignCommand::Why { .. } | CampaignCommand::Export { .. })
        | Command::Call(CallCommand::List { .. } | CallCommand::Show { .. })
        | Command::Assistant(AssistantCommand::List)
        | Command::Number(NumberCommand::List)
        | Command::Trunk(TrunkCommand::List)
        | Command::Dnc(DncCommand::List | DncCommand::Export)
        | Command::Law(LawCommand::Show { .. })
        | Command::Terms(TermsCommand::Show)
        | Command::Demo { .. }
        | Command::Serve { .. }
        | Command::Simulate { .. }
        | Command::Config(_)
        | Command::Theme(_)
        | Command::Status
        | Command::Doctor
        | Command::Completions { .. }
        | Command::Man
        | Command::Migrate { print_sql: true } => Role::Viewer,
        Command::Call(CallCommand::Hangup { .. } | CallCommand::Outcome { .. }) => Role::Operator,
        Command::Import { .. }
        | Command::Campaign(_)
        | Command::Assistant(AssistantCommand::Add { .. } | AssistantCommand::Rename { .. } | AssistantCommand::Delete { .. })
        | Command::Dnc(DncCommand::Add { .. } | DncCommand::Import { .. })
        | Command::Law(LawCommand::Close { .. })
        | Command::StopAll { release: false, .. } => Role::Supervisor,
        Command::Number(NumberCommand::Assign { .. })
        | Command::Trunk(TrunkCommand::Create { .. })
        | Command::Dnc(DncCommand::Remove { .. })
        | Command::Law(LawCommand::Open { .. })
        | Command::Terms(TermsCommand::Accept { .. })
        | Command::StopAll { release: true, .. }
        | Command::Migrate { print_sql: false }
        // A copy holds every owner's rows.
        | Command::Backup { .. }
        | Command::Restore { .. } => Role::Admin,
        // Nobody mints more than they are; a role that is none is refused where it is read.
        Command::Token { role, .. } => role.parse().unwrap_or(Role::Viewer),
    }
}
