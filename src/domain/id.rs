//! Identifiers: UUID newtypes, so that a call's id cannot be handed where a campaign's is meant.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, sqlx::Type)]
        #[sqlx(transparent)]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl $name {
            /// A new id, ordered by its time of making.
            #[must_use]
            pub fn fresh() -> Self {
                Self(uuid::Uuid::now_v7())
            }

            /// The 32 hex digits, as `unhex()` in a bulk statement takes them.
            #[must_use]
            pub fn hex(self) -> String {
                self.0.simple().to_string()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                uuid::Uuid::parse_str(s).map(Self)
            }
        }
    };
}

id!(CampaignId);
id!(
    /// A row of `campaign_calls`: one attempt at one contact.
    CallId
);
id!(
    /// A person in a contact list or a CSV file.
    ContactId
);
id!(
    /// A contact list or a CSV file: where a campaign's contacts come from.
    SourceId
);
id!(
    /// Something asked of a live call.
    RequestId
);
id!(AssistantId);
id!(TrunkId);
id!(
    /// Whose rows these are: `sub` of the token, or the installation's owner.
    OwnerId
);
id!(
    /// One run of one engine; a woken old engine has another than its successor.
    Incarnation
);
