//! Outbound trunks as LiveKit has them beside what is known of them here, and what differs.

use serde::Serialize;

use super::{Answer, Provision};
use crate::{
    domain::{
        id::OwnerId,
        text::clean,
        trunk::{Described, drift},
    },
    store::TrunkRow,
    telephony::{Carrier, Trunk},
};

/// One trunk as it is shown. Never its login.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    pub trunk_id: String,
    pub name: String,
    pub address: String,
    pub numbers: Vec<String>,
    pub metadata: String,
    pub owned: bool,
    /// What differs from what is known here, in words.
    pub drift: Option<String>,
}

impl Listed {
    fn of(trunk: &Trunk, owned: bool, drift: Option<String>) -> Self {
        Self {
            trunk_id: clean(&trunk.trunk_id, 100),
            name: clean(&trunk.name, 200),
            address: clean(host(&trunk.address), 300),
            numbers: trunk.numbers.iter().map(|n| clean(n, 100)).collect(),
            metadata: clean(&trunk.metadata, 4000),
            owned,
            drift,
        }
    }
}

/// Whoever made a trunk may have written a login before its host.
fn host(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, host)| host)
}

const GONE: &str = "LiveKit has it no more: calls over it fail. Assign its numbers again";

impl Provision {
    /// An owner's trunks, and with `unheld` those at LiveKit that nobody here holds.
    ///
    /// # Errors
    /// When LiveKit cannot be asked, though nothing were to be listed.
    pub async fn trunks(&self, owner: OwnerId, unheld: bool) -> Answer<Vec<Listed>> {
        let there = self.livekit()?.trunks().await?;
        let here = self.trunks_here().await?;
        // A trunk that went away and carries no number any more is history.
        let numbers = self.desk.of(owner).store().numbers(owner).await?;
        let carries = |id: &str| numbers.iter().any(|n| n.outbound_trunk_id.as_deref() == Some(id));
        let missing = |r: &&TrunkRow| r.user_id == owner && !there.iter().any(|t| t.trunk_id == r.livekit_id) && carries(&r.livekit_id);
        let gone: Vec<_> = here.iter().filter(missing).cloned().collect();
        let mut out = Vec::new();
        for trunk in there {
            match here.iter().find(|r| r.livekit_id == trunk.trunk_id) {
                Some(row) if row.user_id == owner => {
                    let stored = Described { address: &row.address, numbers: &row.numbers.0 };
                    let drift = drift(stored, Described { address: host(&trunk.address), numbers: &trunk.numbers }).map(|words| clean(&words, 1000));
                    out.push(Listed::of(&trunk, true, drift));
                }
                None if unheld => out.push(Listed::of(&trunk, false, None)),
                _ => {}
            }
        }
        out.extend(gone.into_iter().map(|row| {
            let trunk = Trunk {
                trunk_id: row.livekit_id,
                name: row.name,
                address: row.address,
                numbers: row.numbers.0,
                metadata: String::new(),
                username: String::new(),
            };
            Listed::of(&trunk, true, Some(GONE.to_owned()))
        }));
        Ok(out)
    }
}
