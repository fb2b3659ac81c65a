//! What somebody may do, from little to all.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// One call's outcome and report only.
    Agent,
    Viewer,
    Operator,
    Supervisor,
    Admin,
}

impl Role {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Supervisor => "supervisor",
            Self::Admin => "admin",
        }
    }

    /// # Errors
    /// In words, when this role is less than what is needed.
    pub fn needs(self, least: Self) -> Result<(), String> {
        if self >= least { Ok(()) } else { Err(format!("this needs the role {}", least.as_str())) }
    }
}

impl std::str::FromStr for Role {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let all = [Self::Agent, Self::Viewer, Self::Operator, Self::Supervisor, Self::Admin];
        all.into_iter().find(|r| r.as_str() == s).ok_or_else(|| format!("\"{s}\" is none of viewer, operator, supervisor, admin, agent"))
    }
}
